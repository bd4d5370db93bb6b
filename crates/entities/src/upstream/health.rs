//! How the health of targets is watched.

use schema::{DecodeError, Map, Reader};

/// Health checks of an upstream.
#[derive(Clone, Debug, PartialEq)]
pub struct Healthchecks {
    /// Percent of weight below which the whole upstream counts as unhealthy; 0 is off.
    pub threshold: f64,
    /// Probes.
    pub active: ActiveCheck,
    /// Watching of real traffic.
    pub passive: PassiveCheck,
}

/// Probes.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveCheck {
    /// `tcp`, `http`, `https`, `grpc` or `grpcs`.
    pub kind: String,
    /// Seconds until a probe fails.
    pub timeout: f64,
    /// Probes at a time.
    pub concurrency: u32,
    /// Path of HTTP probes.
    pub http_path: String,
    /// Server name of HTTPS probes.
    pub https_sni: Option<String>,
    /// Whether HTTPS probes verify the certificate.
    pub https_verify_certificate: bool,
    /// Extra headers of HTTP probes.
    pub headers: Vec<(String, Vec<String>)>,
    /// When a target becomes healthy.
    pub healthy: ActiveHealthy,
    /// When a target becomes unhealthy.
    pub unhealthy: ActiveUnhealthy,
}

/// When probes make a target healthy.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveHealthy {
    /// Statuses that count as success.
    pub http_statuses: Vec<u16>,
    /// Successes needed; 0 is off.
    pub successes: u8,
    /// Seconds between probes of healthy targets; 0 is off.
    pub interval: f64,
}

/// When probes make a target unhealthy.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveUnhealthy {
    /// Statuses that count as failure.
    pub http_statuses: Vec<u16>,
    /// Timeouts needed; 0 is off.
    pub timeouts: u8,
    /// Failures needed; 0 is off.
    pub http_failures: u8,
    /// Connection failures needed; 0 is off.
    pub tcp_failures: u8,
    /// Seconds between probes of unhealthy targets; 0 is off.
    pub interval: f64,
}

/// Watching of real traffic.
#[derive(Clone, Debug, PartialEq)]
pub struct PassiveCheck {
    /// `tcp`, `http`, `https`, `grpc` or `grpcs`.
    pub kind: String,
    /// When a target becomes healthy.
    pub healthy: PassiveHealthy,
    /// When a target becomes unhealthy.
    pub unhealthy: PassiveUnhealthy,
}

/// When traffic makes a target healthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassiveHealthy {
    /// Statuses that count as success.
    pub http_statuses: Vec<u16>,
    /// Successes needed; 0 is off.
    pub successes: u8,
}

/// When traffic makes a target unhealthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassiveUnhealthy {
    /// Statuses that count as failure.
    pub http_statuses: Vec<u16>,
    /// Timeouts needed; 0 is off.
    pub timeouts: u8,
    /// Failures needed; 0 is off.
    pub http_failures: u8,
    /// Connection failures needed; 0 is off.
    pub tcp_failures: u8,
}

impl Healthchecks {
    pub(super) fn read(body: Option<&Map>) -> Result<Self, DecodeError> {
        let none = Map::new();
        let read = reader(body, &none);
        Ok(Self {
            threshold: read.number("threshold")?.unwrap_or(0.0),
            active: ActiveCheck::read(read.members("active")?)?,
            passive: PassiveCheck::read(read.members("passive")?)?,
        })
    }
}

impl ActiveCheck {
    fn read(body: Option<&Map>) -> Result<Self, DecodeError> {
        let none = Map::new();
        let read = reader(body, &none);
        let healthy = reader(read.members("healthy")?, &none);
        let unhealthy = reader(read.members("unhealthy")?, &none);
        Ok(Self {
            kind: read.text("type")?.unwrap_or_else(|| "http".to_owned()),
            timeout: read.number("timeout")?.unwrap_or(1.0),
            concurrency: read.integer("concurrency")?.unwrap_or(10),
            http_path: read.text("http_path")?.unwrap_or_else(|| "/".to_owned()),
            https_sni: read.text("https_sni")?,
            https_verify_certificate: read.boolean("https_verify_certificate")?.unwrap_or(true),
            headers: crate::reading::text_lists(&read, "headers")?,
            healthy: ActiveHealthy {
                http_statuses: statuses(&healthy, &[200, 302])?,
                successes: count(&healthy, "successes")?,
                interval: healthy.number("interval")?.unwrap_or(0.0),
            },
            unhealthy: ActiveUnhealthy {
                http_statuses: statuses(&unhealthy, &[429, 404, 500, 501, 502, 503, 504, 505])?,
                timeouts: count(&unhealthy, "timeouts")?,
                http_failures: count(&unhealthy, "http_failures")?,
                tcp_failures: count(&unhealthy, "tcp_failures")?,
                interval: unhealthy.number("interval")?.unwrap_or(0.0),
            },
        })
    }
}

impl PassiveCheck {
    fn read(body: Option<&Map>) -> Result<Self, DecodeError> {
        let none = Map::new();
        let read = reader(body, &none);
        let healthy = reader(read.members("healthy")?, &none);
        let unhealthy = reader(read.members("unhealthy")?, &none);
        Ok(Self {
            kind: read.text("type")?.unwrap_or_else(|| "http".to_owned()),
            healthy: PassiveHealthy {
                http_statuses: statuses(&healthy, &super::describe::PASSIVE_HEALTHY)?,
                successes: count(&healthy, "successes")?,
            },
            unhealthy: PassiveUnhealthy {
                http_statuses: statuses(&unhealthy, &[429, 500, 503])?,
                timeouts: count(&unhealthy, "timeouts")?,
                http_failures: count(&unhealthy, "http_failures")?,
                tcp_failures: count(&unhealthy, "tcp_failures")?,
            },
        })
    }
}

fn reader<'a>(body: Option<&'a Map>, none: &'a Map) -> Reader<'a> {
    Reader::new("upstreams", body.unwrap_or(none))
}

fn count(read: &Reader<'_>, field: &'static str) -> Result<u8, DecodeError> {
    Ok(read.integer(field)?.unwrap_or(0))
}

fn statuses(read: &Reader<'_>, default: &[u16]) -> Result<Vec<u16>, DecodeError> {
    if read.value("http_statuses").is_none() {
        return Ok(default.to_vec());
    }
    read.list("http_statuses")?
        .iter()
        .map(|item| schema::whole_number(item).and_then(|number| u16::try_from(number).ok()))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| read.error("http_statuses", "an array of statuses"))
}
