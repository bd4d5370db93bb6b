//! The plugins of Gatehouse, one folder each.
//!
//! [`DEFINITIONS`] is the list of what is there, in execution order; nothing registers itself.
//! [`catalogue`] shows the same list to rooms that must validate plugin configurations without
//! knowing a plugin.

mod catalogue;
pub mod correlation_id;
pub mod key_auth;
pub mod rate_limiting;
pub mod request_termination;
#[cfg(test)]
mod testing;

pub use catalogue::{Catalogue, catalogue, catalogue_of};

use plugin_api::Definition;

/// All plugins, in execution order: higher priority first.
pub const DEFINITIONS: &[&Definition] = &[
    &correlation_id::DEFINITION,
    &key_auth::DEFINITION,
    &rate_limiting::DEFINITION,
    &request_termination::DEFINITION,
];

/// The plugin of a name.
#[must_use]
pub fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS
        .iter()
        .copied()
        .find(|definition| definition.name == name)
}
