//! Taking configurations into use: validated whole, compiled, kept on disk, swapped in.
//!
//! One path for all origins: the control plane ([`crate::outlet::Apply`]), the database of a node
//! ([`Intake::accept_config`]), `POST /config` ([`Intake::offer_document`]), a declarative file,
//! and what was kept from the last run. A refused configuration changes nothing, is answered
//! with every violation, and is counted.
//!
//! Compiling runs on threads for blocking work, never on those of the data path.

mod accept;
mod apply;
mod cache;
mod keeper;
mod refused;
#[cfg(test)]
mod tests;

pub use accept::{Accepted, Intake, IntakeOptions, Offered, Restored};
pub use cache::{Cache, CacheError, Kept, Payload};
pub use refused::Refused;
