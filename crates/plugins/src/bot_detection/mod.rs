//! `bot-detection`: refuses robots by their User-Agent.

mod schema;

use plugin_api::{Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::described("bot-detection", 2500, schema::schema)
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE));
