//! `session`: keeps callers signed in by a cookie.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::described("session", 1900, schema::schema)
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE))
    .protocols(ALL_PROTOCOLS);
