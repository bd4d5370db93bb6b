//! The platform: one TLS port, split by host name into the services of the control-plane side.
//!
//! What the services do is in `control-plane`, `admin-api`, `identity` and `analytics`; this
//! room decides which of them answers a connection, and assembles them.

mod error;
mod options;
mod run;

pub use error::PlatformError;
pub use options::{Limits, PlatformOptions};
pub use run::{Platform, run};
