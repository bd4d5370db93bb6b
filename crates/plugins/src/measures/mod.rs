//! What plugins that send metrics measure of a request, and the line format of StatsD.
//!
//! Nothing is sent here.

mod line;
mod model;
mod names;

use plugin_api::Outcome;

pub(crate) use line::{TagStyle, write_line};
pub(crate) use model::ModelCall;
pub(crate) use names::{Consumer, consumer_name, route_name, service_name, text};

/// What of a request can be a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// One.
    Count,
    /// Bytes received.
    RequestSize,
    /// Bytes sent.
    ResponseSize,
    /// Milliseconds from the first byte to the last.
    Latency,
    /// Milliseconds until the service's answer began.
    UpstreamLatency,
    /// Milliseconds in the gateway.
    KongLatency,
}

impl Measure {
    /// The measure of a name in configuration.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "request_count" => Self::Count,
            "request_size" => Self::RequestSize,
            "response_size" => Self::ResponseSize,
            "latency" => Self::Latency,
            "upstream_latency" => Self::UpstreamLatency,
            "kong_latency" => Self::KongLatency,
            _ => return None,
        })
    }

    /// What a metric of it is called.
    pub(crate) const fn stat(self) -> &'static str {
        match self {
            Self::Count => "request.count",
            Self::RequestSize => "request.size",
            Self::ResponseSize => "response.size",
            Self::Latency => "latency",
            Self::UpstreamLatency => "upstream_latency",
            Self::KongLatency => "kong_latency",
        }
    }

    /// Its value for a request; nothing for a time that was not.
    pub(crate) fn of(self, outcome: &Outcome) -> Option<u64> {
        Some(match self {
            Self::Count => 1,
            Self::RequestSize => outcome.request_bytes,
            Self::ResponseSize => outcome.response_bytes,
            Self::Latency => outcome.total_us / 1000,
            Self::UpstreamLatency => {
                outcome.backend_status?;
                outcome.backend_us / 1000
            }
            Self::KongLatency => outcome.gateway_us / 1000,
        })
    }
}

/// The letters by which StatsD knows a kind of metric.
pub(crate) fn kind(name: &str) -> &'static str {
    match name {
        "gauge" => "g",
        "timer" => "ms",
        "histogram" => "h",
        "meter" => "m",
        "set" => "s",
        "distribution" => "d",
        _ => "c",
    }
}
