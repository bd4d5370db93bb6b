//! `post-function`: runs Lua code after all other plugins.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::described("post-function", -1000, schema::schema)
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE))
    .protocols(ALL_PROTOCOLS);
