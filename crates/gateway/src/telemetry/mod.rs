//! Telemetry of a node: cores note what they served, a sender tells the platform.
//!
//! The engine gets a [`TelemetrySink`], makes one [`CoreSink`] for each core and pushes a
//! [`RequestRecord`] when an answer is complete; it is packed at once into the core's own bytes.
//! It does not aggregate: roll-ups are made by the platform. Losing records is allowed, blocking a
//! request is not.

mod outbox;
mod sender;
mod sink;

pub use sender::Sender;
pub use sink::{CORE_CAPACITY, CoreSink, Packed, TelemetrySink};
pub use wire::telemetry::packed::Note as RequestRecord;
pub use wire::telemetry::{Latencies, Source};
