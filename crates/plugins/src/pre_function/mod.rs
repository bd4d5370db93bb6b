//! `pre-function`: runs Lua code before all other plugins.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::described("pre-function", 1_000_000, schema::schema)
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE))
    .protocols(ALL_PROTOCOLS);
