//! `/debug/…/log-level`: how much is logged.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::fault;
use crate::gateway::facts::{Facts, Mode};
use crate::gateway::fault::Fault;
use crate::gateway::serve::Call;

/// Compat: how long a level holds when nothing is said, in seconds.
const DEFAULT_TIMEOUT: i64 = 60;

const LEVELS: &[&str] = &[
    "debug", "info", "notice", "warn", "error", "crit", "alert", "emerg",
];

/// `GET`.
pub(super) fn get(facts: &dyn Facts) -> Value {
    json!({"message": format!("log level: {}", facts.log_level())})
}

/// `PUT`.
///
/// Compat: a timeout of 0 holds until the process ends.
pub(super) fn set(call: &Call<'_>, level: &str) -> Result<Value, Fault> {
    let facts = &call.api.facts;
    if facts.mode() == Mode::Declarative {
        let text = "cannot change log level when not using a database";
        return Err(Fault::message(StatusCode::METHOD_NOT_ALLOWED, text));
    }
    if !LEVELS.contains(&level) {
        return Err(Fault::bad_request(&format!("unknown log level: {level}")));
    }
    let timeout = timeout(call).filter(|seconds| *seconds >= 0);
    let timeout =
        timeout.ok_or_else(|| Fault::bad_request("timeout must be greater than or equal to 0"))?;
    if facts.log_level() == level {
        return Ok(json!({"message": format!("log level is already {level}")}));
    }
    let time = u64::try_from(timeout).ok().filter(|seconds| *seconds > 0);
    let changed = facts.set_log_level(level, time.map(Duration::from_secs));
    changed.map_err(fault)?;
    Ok(json!({"message": "log level changed"}))
}

/// The wanted timeout in seconds; `None` for what is no number.
fn timeout(call: &Call<'_>) -> Option<i64> {
    if let Some(text) = call.query.text("timeout") {
        return text.parse().ok();
    }
    match call.arguments.get("timeout") {
        None | Some(Value::Null) => Some(DEFAULT_TIMEOUT),
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => other.as_i64(),
    }
}
