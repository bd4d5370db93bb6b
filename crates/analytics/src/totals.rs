//! What is added up for requests of one kind.

use wire::telemetry::{Record, Source};

use crate::histogram::Histogram;

/// Largest time taken from a record, in microseconds (twelve days): more is nonsense.
const LONGEST_US: u64 = 1 << 40;

/// Largest size taken from a record, in bytes (one pebibyte).
const LARGEST_BYTES: u64 = 1 << 50;

/// Sums and distributions of some requests. All sums stop at their type's limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests.
    pub count: u64,
    /// Requests that a plugin answered, such as with 401 or 429.
    pub answered_by_plugin: u64,
    /// Requests that the gateway answered because something failed or nothing matched.
    pub answered_by_gateway: u64,
    /// Bytes received from clients.
    pub request_bytes: u64,
    /// Bytes sent to clients.
    pub response_bytes: u64,
    /// From the first byte of the request to the last byte of the answer.
    pub total: Latency,
    /// Waiting for the upstream; only requests that reached one.
    pub upstream: Latency,
    /// The gateway's own part.
    pub gateway: Latency,
}

/// Times of some requests, in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latency {
    /// Their sum.
    pub sum_us: u64,
    /// Their distribution.
    pub histogram: Histogram,
}

impl Latency {
    fn record(&mut self, micros: u64) {
        let micros = micros.min(LONGEST_US);
        self.sum_us = self.sum_us.saturating_add(micros);
        self.histogram.record(micros);
    }

    fn merge(&mut self, other: &Self) {
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.histogram.merge(&other.histogram);
    }

    /// The mean in microseconds; `None` without requests.
    #[must_use]
    pub fn mean_us(&self) -> Option<u64> {
        self.sum_us.checked_div(self.histogram.count())
    }

    /// The time in microseconds within which a share of the requests was done, such as 0.95.
    #[must_use]
    pub fn quantile_us(&self, share: f64) -> Option<u64> {
        self.histogram.quantile(share)
    }
}

impl Totals {
    /// Adds a request.
    pub(crate) fn record(&mut self, record: &Record) {
        self.count = self.count.saturating_add(1);
        match record.source {
            Source::Upstream => {}
            Source::Plugin => self.answered_by_plugin += 1,
            Source::Gateway => self.answered_by_gateway += 1,
        }
        let add = |sum: &mut u64, bytes: u64| {
            *sum = sum.saturating_add(bytes.min(LARGEST_BYTES));
        };
        add(&mut self.request_bytes, record.request_bytes);
        add(&mut self.response_bytes, record.response_bytes);
        self.total.record(record.latencies.total_us);
        self.gateway.record(record.latencies.gateway_us);
        if record.upstream_status.is_some() {
            self.upstream.record(record.latencies.upstream_us);
        }
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Self) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        add(&mut self.count, other.count);
        add(&mut self.answered_by_plugin, other.answered_by_plugin);
        add(&mut self.answered_by_gateway, other.answered_by_gateway);
        add(&mut self.request_bytes, other.request_bytes);
        add(&mut self.response_bytes, other.response_bytes);
        self.total.merge(&other.total);
        self.upstream.merge(&other.upstream);
        self.gateway.merge(&other.gateway);
    }
}
