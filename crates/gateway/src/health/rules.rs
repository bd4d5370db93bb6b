//! What an upstream says of health, as rules.

use std::time::Duration;

use balancer::{Check, Extras, Source, StatusSet};
use entities::{ActiveCheck, PassiveCheck, Upstream};

/// Shortest time between two rounds of probes.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// The rules of an upstream.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) active: Check,
    pub(super) passive: Check,
    /// Pause between probes of healthy addresses.
    pub(super) healthy_every: Option<Duration>,
    /// Pause between probes of unhealthy addresses.
    pub(super) unhealthy_every: Option<Duration>,
    /// What the reference does not have.
    pub(super) extras: Extras,
    /// How long an address is out that requests put out, before it is tried again.
    pub(super) retry_after: Option<Duration>,
}

/// Tags of an upstream that begin so are settings of ours.
const PREFIX: &str = "gatehouse:";

/// Longest time of a setting, in seconds.
const LONGEST: u32 = 86_400;

impl Rules {
    pub(super) fn of(upstream: &Upstream) -> Self {
        let checks = &upstream.healthchecks;
        let mut extras = Extras::default();
        let mut retry_after = None;
        for (name, value) in upstream.tags.iter().filter_map(|tag| setting(tag)) {
            match name {
                "max_connections" => extras.max_connections = value,
                "slow_start" => extras.slow_start = u64::from(value.min(LONGEST)) * 1000,
                "retry_after" if value > 0 => {
                    retry_after = Some(Duration::from_secs(value.min(LONGEST).into()));
                }
                _ => {}
            }
        }
        Self {
            extras,
            retry_after,
            active: active(&checks.active),
            passive: passive(&checks.passive),
            healthy_every: interval(checks.active.healthy.interval),
            unhealthy_every: interval(checks.active.unhealthy.interval),
        }
    }

    /// Whether health is watched at all.
    ///
    /// Compat: it is where probes are sent, or where requests can put an address out.
    pub(super) fn is_watched(&self) -> bool {
        let passive = &self.passive;
        self.probes()
            || passive.http_failures > 0
            || passive.tcp_failures > 0
            || passive.timeouts > 0
    }

    /// Whether probes are sent.
    pub(super) const fn probes(&self) -> bool {
        self.healthy_every.is_some() || self.unhealthy_every.is_some()
    }
}

/// A tag that is a setting of ours: its name and its number.
fn setting(tag: &str) -> Option<(&str, u32)> {
    let (name, value) = tag.strip_prefix(PREFIX)?.split_once('=')?;
    let is_known = ["max_connections", "slow_start", "retry_after"].contains(&name);
    is_known
        .then(|| value.parse().ok())?
        .map(|value| (name, value))
}

/// Tags that look like settings of ours and are none.
pub(crate) fn unknown_settings(upstream: &Upstream) -> impl Iterator<Item = &str> {
    let tags = upstream.tags.iter().map(String::as_str);
    tags.filter(|tag| tag.starts_with(PREFIX) && setting(tag).is_none())
}

fn active(check: &ActiveCheck) -> Check {
    Check {
        source: Source::Probes,
        healthy: check.healthy.http_statuses.iter().collect(),
        unhealthy: check.unhealthy.http_statuses.iter().collect(),
        successes: check.healthy.successes,
        http_failures: check.unhealthy.http_failures,
        tcp_failures: check.unhealthy.tcp_failures,
        timeouts: check.unhealthy.timeouts,
    }
}

fn passive(check: &PassiveCheck) -> Check {
    // Compat: checks of type `tcp` look at connections only.
    let reads_statuses = check.kind != "tcp";
    let statuses = |list: &[u16]| match reads_statuses {
        true => list.iter().collect(),
        false => StatusSet::default(),
    };
    Check {
        source: Source::Requests,
        healthy: statuses(&check.healthy.http_statuses),
        unhealthy: statuses(&check.unhealthy.http_statuses),
        successes: check.healthy.successes,
        http_failures: check.unhealthy.http_failures,
        tcp_failures: check.unhealthy.tcp_failures,
        timeouts: check.unhealthy.timeouts,
    }
}

/// Seconds as a pause; zero is off.
fn interval(seconds: f64) -> Option<Duration> {
    let interval = Duration::try_from_secs_f64(seconds).ok()?;
    (!interval.is_zero()).then(|| interval.max(SHORTEST_INTERVAL))
}
