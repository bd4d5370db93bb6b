//! How entries wait until they are sent.

use schema::{Field, Schema};

/// The members of a `queue` record.
pub(crate) fn queue() -> Schema {
    Schema::record([
        Field::integer("max_batch_size")
            .between(1, 1_000_000)
            .default(1)
            .describe("Most entries sent at a time."),
        Field::number("max_coalescing_delay")
            .between(0, 3600)
            .default(1)
            .describe("Seconds to wait for further entries after the first."),
        Field::integer("max_entries")
            .between(1, 1_000_000)
            .default(10_000)
            .describe("Most entries that wait; beyond it the oldest are dropped."),
        Field::integer("max_bytes").describe("Most bytes that wait."),
        Field::number("max_retry_time")
            .default(60)
            .describe("Seconds after which a failing batch is given up."),
        Field::number("initial_retry_delay")
            .between(0.001, 1_000_000)
            .default(0.01)
            .describe("Seconds before the first retry; doubled for each further one."),
        Field::number("max_retry_delay")
            .between(0.001, 1_000_000)
            .default(60)
            .describe("Most seconds between retries."),
        Field::integer("concurrency_limit")
            .one_of([-1, 1])
            .default(1)
            .describe("Batches sent at the same time; -1 is as many as there are."),
    ])
}
