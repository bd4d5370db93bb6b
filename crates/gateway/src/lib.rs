//! The node: engine, snapshot, configuration intake, status API.

pub mod dns;
pub mod explain;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod h2;
pub mod handover;
pub mod health;
mod http1;
pub mod intake;
mod net;
pub mod node;
pub mod outlet;
pub mod proxy;
pub mod snapshot;
pub mod status;
mod stream;
mod surface;
pub mod telemetry;
#[cfg(test)]
mod testing;
mod tls;
