//! Telemetry of a node: cores note what they served, a sender tells the platform.
//!
//! The engine gets a [`TelemetrySink`], makes one [`CoreSink`] for each core and pushes a
//! [`RequestRecord`] when an answer is complete. It does not aggregate: roll-ups are made by the
//! platform. Losing records is allowed, blocking a request is not.

mod outbox;
mod record;
mod sender;
mod sink;
mod text;

pub use record::RequestRecord;
pub use sender::Sender;
pub use sink::{CORE_CAPACITY, CoreSink, TelemetrySink};
pub use text::Text;
pub use wire::telemetry::Source;
