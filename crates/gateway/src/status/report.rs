//! The body of `GET /status`, the same on the status API and on the Admin API.

use serde_json::{Map, Value, json};

use super::facts::{Counters, Facts, StreamCounters};

/// The counters that tell of something turned away, dropped or failed.
const LIMITS: [&str; 6] = [
    "attempt_failures",
    "connection_faults",
    "connections_refused",
    "datagrams_dropped",
    "handshake_failures",
    "log_lines_dropped",
];
/// Limit: decimals that may be asked for.
const SCALE_MAX: u32 = 20;

/// The body of `GET /status` for its query (`unit`, `scale`).
///
/// Compat: Kong Gateway 3.9.3. The Lua memory figures have no counterpart here: the process's
/// resident memory stands in for the worker's, and there are no shared zones to list.
///
/// # Errors
///
/// What is wrong with the query, for the caller.
pub async fn status_report(facts: &Facts, query: &str) -> Result<Value, String> {
    let (mut unit, mut scale) = (Unit::Mebi, 2_u32);
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        match name {
            "unit" => match Unit::parse(value) {
                Some(parsed) => unit = parsed,
                None => {
                    let expected = "(expected 'k/K', 'm/M', or 'g/G')";
                    return Err(format!("invalid unit '{value}' {expected}"));
                }
            },
            "scale" => match value.parse::<i64>() {
                Ok(number) if number < 0 => {
                    return Err("scale must be equal or greater than 0".to_owned());
                }
                Ok(number) => scale = u32::try_from(number).unwrap_or(SCALE_MAX).min(SCALE_MAX),
                Err(_) => {}
            },
            _ => {}
        }
    }
    let counters = facts.counters();
    let mut body = body(&counters, unit, scale);
    let active = facts.active();
    match facts.is_database_reachable().await {
        Some(is_reachable) => body["database"] = json!({"reachable": is_reachable}),
        None => {
            let hash = active.hash.unwrap_or_else(|| wire::EMPTY_HASH.to_owned());
            body["configuration_hash"] = hash.into();
        }
    }
    // Additions of ours, there only once there is something to tell.
    let lost = plugins::lost_records();
    let limits = limits_met(&counters);
    if !limits.is_empty() {
        body["limits_met"] = limits.into();
    }
    if counters.stream != StreamCounters::default() {
        body["stream"] = stream(&counters).into();
    }
    if !lost.is_empty() {
        body["plugin_records_lost"] = lost.into_iter().collect();
    }
    if let Some(refusal) = active.refusal {
        body["configuration_error"] = json!({"message": refusal, "refused": active.refusals});
    }
    Ok(body)
}

/// What was turned away or dropped since the start, where there is any.
fn limits_met(counters: &Counters) -> Map<String, Value> {
    let met = counters.own().into_iter();
    let met = met.filter(|(name, _, count)| LIMITS.contains(name) && *count > 0);
    met.map(|(name, _, count)| (name.to_owned(), count.into()))
        .collect()
}

/// What layer 4 did, without the prefix that its names have elsewhere.
fn stream(counters: &Counters) -> Map<String, Value> {
    let all = counters.own().into_iter();
    all.filter_map(|(name, _, count)| {
        let name = name.strip_prefix("stream_")?;
        Some((name.to_owned(), count.into()))
    })
    .collect()
}

fn body(counters: &Counters, unit: Unit, scale: u32) -> Value {
    let memory = unit.show(resident_bytes(), scale);
    json!({
        "memory": {
            "workers_lua_vms": [{"pid": std::process::id(), "http_allocated_gc": memory}],
            "lua_shared_dicts": {},
        },
        "server": {
            "connections_active": counters.connections_active,
            "connections_reading": counters.connections_reading,
            "connections_writing": counters.connections_writing,
            "connections_waiting": counters.connections_waiting,
            "connections_accepted": counters.connections_accepted,
            "connections_handled": counters.connections_handled,
            "total_requests": counters.total_requests,
        },
    })
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    Byte,
    Kibi,
    Mebi,
    Gibi,
}

impl Unit {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "b" | "B" => Some(Self::Byte),
            "k" | "K" => Some(Self::Kibi),
            "m" | "M" => Some(Self::Mebi),
            "g" | "G" => Some(Self::Gibi),
            _ => None,
        }
    }

    fn show(self, bytes: u64, scale: u32) -> Value {
        let (shift, name) = match self {
            Self::Byte => return bytes.into(),
            Self::Kibi => (10, "KiB"),
            Self::Mebi => (20, "MiB"),
            Self::Gibi => (30, "GiB"),
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "memory sizes are far below 2^52 bytes"
        )]
        let value = bytes as f64 / f64::from(1_u32 << shift);
        format!("{value:.*} {name}", scale as usize).into()
    }
}

/// Resident memory of this process; zero where the system does not tell.
pub(crate) fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap_or_default();
    let kib = line
        .split_whitespace()
        .nth(1)
        .and_then(|number| number.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
