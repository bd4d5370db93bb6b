//! `request-transformer`: changes headers, query, body, path and method of requests.

mod rules;
mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("request-transformer", 801, schema::schema).protocols(ALL_PROTOCOLS);
