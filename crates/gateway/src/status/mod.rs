//! The status API: whether a node lives, whether it may be sent traffic, what it runs.
//!
//! It reads; the one thing it changes is whether the node says that it is ready.

mod api;
mod facts;
mod report;
#[cfg(test)]
mod tests;

pub(crate) use api::StatusApi;
pub use facts::{Active, Counters, Facts, Metrics, Reach, StreamCounters};
pub(crate) use report::resident_bytes;
pub use report::status_report;
