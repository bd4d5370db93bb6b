//! `acme`: obtains and renews TLS certificates from a certificate authority that speaks ACME.

mod client;
mod config;
mod handler;
mod keeper;
mod rules;
mod schema;
mod sign;
mod storage;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Phases, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("acme", 1705, schema::schema, handler::build)
    .phases(Phases::CERTIFICATE.and(Phases::ACCESS))
    .scopes(Scopes::NONE);
