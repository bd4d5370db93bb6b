//! Configuration of `prometheus`.

use schema::{Field, Schema};

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
