//! Configuration of `prometheus`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("prometheus").fields([
        Field::boolean("per_consumer")
            .default(false)
            .describe("Whether metrics are told apart by consumer."),
        Field::boolean("status_code_metrics")
            .default(false)
            .describe("Whether requests are counted by status."),
        Field::boolean("ai_metrics")
            .default(false)
            .describe("Whether calls of language models are counted."),
        Field::boolean("latency_metrics")
            .default(false)
            .describe("Whether times are collected."),
        Field::boolean("bandwidth_metrics")
            .default(false)
            .describe("Whether bytes are counted."),
        Field::boolean("upstream_health_metrics")
            .default(false)
            .describe("Whether the health of targets is shown."),
    ])
}

/// What an instance is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Config {
    /// Whether metrics are told apart by consumer.
    pub(super) per_consumer: bool,
    /// Whether requests are counted by status.
    pub(super) status_codes: bool,
    /// Whether calls of language models are counted.
    pub(super) ai: bool,
    /// Whether times are collected.
    pub(super) latencies: bool,
    /// Whether bytes are counted.
    pub(super) bandwidth: bool,
    /// Whether the health of targets is shown.
    pub(super) upstream_health: bool,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let flag = |name| Ok::<_, DecodeError>(read.boolean(name)?.unwrap_or(false));
        Ok(Self {
            per_consumer: flag("per_consumer")?,
            status_codes: flag("status_code_metrics")?,
            ai: flag("ai_metrics")?,
            latencies: flag("latency_metrics")?,
            bandwidth: flag("bandwidth_metrics")?,
            upstream_health: flag("upstream_health_metrics")?,
        })
    }
}
