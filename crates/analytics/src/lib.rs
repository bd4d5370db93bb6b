//! What nodes tell about the requests they served: intake, roll-ups by minute, queries.
//!
//! Records are added up by control plane, minute, service, route and status, with sums and small
//! histograms that can be merged. A batch that arrives twice counts once. What an acknowledgement
//! promised is on disk.
//!
//! The room does not keep single requests, does not know which entities exist, and does not
//! decide who may see what. Everything is bounded: odd moments, absurd values and too many
//! different entities end in named places and are counted there, never lost in silence.

mod analytics;
mod error;
mod histogram;
mod intake;
mod query;
mod sqlite;
mod totals;

pub use analytics::Analytics;
pub use error::AnalyticsError;
pub use histogram::Histogram;
pub use intake::{
    Accepted, FUTURE_LIMIT_MS, INVALID_STATUS, KEYS_PER_MINUTE, MINUTES_KEPT, NONE, OVERFLOW,
    Origin, PAST_LIMIT_MS,
};
pub use query::{Filter, Group, GroupBy, Losses, Query, Range, Row, Rows};
pub use totals::{Latency, Totals};
