//! The node: engine, snapshot, configuration intake, status API.

pub mod admin;
mod http1;
pub mod intake;
pub mod outlet;
pub mod snapshot;
pub mod status;
mod surface;
pub mod telemetry;
#[cfg(test)]
mod testing;
