//! The node: engine, snapshot, configuration intake, status API.

mod http1;
pub mod outlet;
pub mod telemetry;
