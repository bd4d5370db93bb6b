//! From a batch of records to sums by key, with every bound named.

use std::collections::HashMap;

use uuid::Uuid;
use wire::telemetry::Batch;

use crate::totals::Totals;

/// Stands for "no service" or "no route": the request matched none.
pub const NONE: Uuid = Uuid::nil();

/// Service and route of everything beyond [`KEYS_PER_MINUTE`].
pub const OVERFLOW: Uuid = Uuid::max();

/// Status of records whose status is none (neither 0 nor 100 to 599).
pub const INVALID_STATUS: u16 = 999;

/// Different combinations of service, route and status of one control plane in one minute. What
/// comes beyond is added up under [`OVERFLOW`], by status.
pub const KEYS_PER_MINUTE: usize = 10_000;

/// How far a record may lie ahead of the platform's clock, in milliseconds. One further ahead is
/// counted in the current minute: its node's clock is wrong, not the request.
pub const FUTURE_LIMIT_MS: u64 = 5 * 60_000;

/// How far a record may lie back, in milliseconds. An older one is counted as lost.
pub const PAST_LIMIT_MS: u64 = 24 * 60 * 60_000;

/// Minutes kept in the file: two weeks.
pub const MINUTES_KEPT: u64 = 14 * 24 * 60;

/// Where a batch came from, as proven by its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The control plane of the connection.
    pub control_plane: Uuid,
    /// The node.
    pub node: Uuid,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The sequence that follows the highest one kept of this stream.
    pub next_sequence: u64,
    /// Whether the batch was kept before; then nothing was counted.
    pub is_repeat: bool,
    /// Records counted.
    pub counted: u64,
    /// Those of them that were ahead of time and count in the current minute.
    pub moved: u64,
    /// Records too old to be counted.
    pub too_old: u64,
}

/// What requests are added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    /// Minutes since the Unix epoch.
    pub(crate) minute: u64,
    pub(crate) service: Uuid,
    pub(crate) route: Uuid,
    pub(crate) status: u16,
}

/// A batch, added up.
pub(crate) struct Summed {
    pub(crate) origin: Origin,
    pub(crate) stream: u64,
    pub(crate) sequence: u64,
    /// Records the node lost before it could send them.
    pub(crate) dropped: u64,
    pub(crate) counted: u64,
    pub(crate) moved: u64,
    pub(crate) too_old: u64,
    /// The current minute.
    pub(crate) minute: u64,
    pub(crate) cells: HashMap<Key, Totals>,
}

/// Adds up; `now` is in Unix milliseconds.
pub(crate) fn sum(origin: Origin, batch: &Batch, now: u64) -> Summed {
    let mut summed = Summed {
        origin,
        stream: batch.stream,
        sequence: batch.sequence,
        dropped: batch.dropped,
        counted: 0,
        moved: 0,
        too_old: 0,
        minute: now / 60_000,
        cells: HashMap::new(),
    };
    for record in &batch.records {
        let mut moment = record.started_at_ms;
        if moment.saturating_add(PAST_LIMIT_MS) < now {
            summed.too_old += 1;
            continue;
        }
        if moment > now.saturating_add(FUTURE_LIMIT_MS) {
            summed.moved += 1;
            moment = now;
        }
        let key = Key {
            minute: moment / 60_000,
            service: named(record.service),
            route: named(record.route),
            status: status(record.status),
        };
        summed.counted += 1;
        summed.cells.entry(key).or_default().record(record);
    }
    summed
}

/// An id as it is kept. The two reserved ones are no entity's.
fn named(id: Option<Uuid>) -> Uuid {
    id.filter(|id| *id != OVERFLOW).unwrap_or(NONE)
}

fn status(status: u16) -> u16 {
    if status == 0 || (100..600).contains(&status) {
        status
    } else {
        INVALID_STATUS
    }
}
