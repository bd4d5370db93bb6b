//! `bot-detection`: refuses robots by their User-Agent.

mod handler;
mod robots;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("bot-detection", 2500, schema::schema, handler::build)
        .scopes(Scopes::SERVICE.and(Scopes::ROUTE));
