//! Entries that wait for a thread of their own, which writes or sends them.
//!
//! A request only puts its entry here; it never waits. When too many wait, the oldest are dropped
//! and counted ([`lost_records`]). What waits when its plugin goes away is still delivered.

mod connection;
mod courier;
mod datagrams;
mod http;
mod losses;
mod queue;
#[cfg(test)]
mod tests;
mod trouble;

pub(crate) use connection::{Connection, Target, milliseconds};
pub(crate) use courier::{Courier, Deliver, Policy};
pub(crate) use datagrams::Datagrams;
pub(crate) use http::{Endpoint, EndpointSettings};
pub use losses::lost_records;
pub(crate) use queue::Entry;
