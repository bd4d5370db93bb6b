//! `session`: keeps callers signed in by a cookie.

mod cookie;
mod handler;
mod keeping;
mod schema;
mod seal;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Needs, Phases, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("session", 1900, schema::schema, handler::build)
    .phases(Phases::ACCESS.and(Phases::HEADER_FILTER))
    .protocols(ALL_PROTOCOLS)
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE))
    .needs(Needs::REQUEST_BODY);
