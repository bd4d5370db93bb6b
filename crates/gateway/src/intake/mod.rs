//! Taking configurations into use: validated whole, compiled, kept on disk, swapped in.
//!
//! One path for all origins: the control plane ([`crate::outlet::Apply`]), `POST /config`
//! ([`crate::admin::Load`]), a declarative file, and what was kept from the last run. A refused
//! configuration changes nothing and is answered with every violation.
//!
//! Compiling runs on threads for blocking work, never on those of the data path.

mod accept;
mod apply;
mod cache;
mod keeper;
mod load;
mod refused;
#[cfg(test)]
mod tests;

pub use accept::{Accepted, Intake, IntakeOptions, Restored};
pub use cache::{Cache, CacheError, Kept, Payload};
pub use refused::Refused;
