//! `response-ratelimiting`: limits what answers of the service say they cost.

mod rules;
mod schema;

use plugin_api::Definition;

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("response-ratelimiting", 900, schema::schema);
