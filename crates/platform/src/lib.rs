//! The platform: one TLS port, split by host name into the services of the control-plane side.
//!
//! What the services do is in `control-plane`, `admin-api`, `identity` and `analytics`; this
//! room decides which of them answers a connection, and assembles them.

mod api;
mod assembly;
mod dispatch;
mod error;
mod hosts;
mod kic;
mod options;
mod server;
mod site;
mod tls;

#[cfg(test)]
mod tests;

pub use assembly::{Platform, open_identity, run};
pub use error::PlatformError;
pub use hosts::{Class, Hosts, host_of};
pub use options::{Limits, PlatformOptions};
