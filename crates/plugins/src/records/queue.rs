//! How entries wait until they are sent.

use std::time::Duration;

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::Value;

use crate::outbox::Policy;

/// Limit: batches sent at the same time where the configuration sets none.
const SENDERS_MAX: usize = 16;

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

/// The settings from before the `queue` record, of the plugin of that name.
macro_rules! settings_before_queue {
    ($plugin:literal) => {
        $crate::records::queue::old_settings([
            concat!(
                $plugin,
                ": config.retry_count no longer works, \
                 please use config.queue.max_retry_time instead"
            ),
            concat!(
                $plugin,
                ": config.queue_size is deprecated, please \
                 use config.queue.max_batch_size instead"
            ),
            concat!(
                $plugin,
                ": config.flush_timeout is deprecated, \
                 please use config.queue.max_coalescing_delay instead"
            ),
        ])
    };
}

pub(crate) use settings_before_queue;

/// These settings, with what is said about each.
pub(crate) fn old_settings(messages: [&'static str; 3]) -> [Field; 3] {
    let [retries, batch, patience] = messages;
    [
        Field::integer("retry_count")
            .going_from(retries, 10)
            .describe("Old setting without effect."),
        Field::integer("queue_size")
            .going_from(batch, 1)
            .describe("Old name of `queue.max_batch_size`."),
        Field::number("flush_timeout")
            .going_from(patience, 2)
            .describe("Old name of `queue.max_coalescing_delay`."),
    ]
}

/// How entries wait, from the `queue` record of a configuration. The settings from before that
/// record count where they are given.
pub(crate) fn policy(config: &Reader<'_>) -> Result<Policy, DecodeError> {
    let record = config.members("queue")?.cloned().unwrap_or_default();
    let number = |name: &str, default: f64| {
        let value = record.get(name).and_then(Value::as_f64);
        value.unwrap_or(default)
    };
    let count = |name: &str, default: usize| {
        let value = record.get(name).and_then(Value::as_u64);
        value
            .and_then(|value| usize::try_from(value).ok())
            .unwrap_or(default)
    };
    let old_batch: Option<usize> = config.integer("queue_size")?;
    let old_patience = config.number("flush_timeout")?;
    Ok(Policy {
        max_entries: count("max_entries", 10_000),
        max_bytes: count("max_bytes", usize::MAX),
        max_batch: old_batch
            .filter(|size| *size > 0)
            .unwrap_or_else(|| count("max_batch_size", 1)),
        patience: seconds(old_patience.unwrap_or_else(|| number("max_coalescing_delay", 1.0))),
        max_retry_time: seconds(number("max_retry_time", 60.0)),
        first_delay: seconds(number("initial_retry_delay", 0.01)),
        max_delay: seconds(number("max_retry_delay", 60.0)),
        senders: match record.get("concurrency_limit").and_then(Value::as_i64) {
            Some(-1) => SENDERS_MAX,
            _ => 1,
        },
    })
}

fn seconds(number: f64) -> Duration {
    const LONGEST: f64 = 31_536_000.0;
    Duration::from_secs_f64(number.clamp(0.0, LONGEST))
}
