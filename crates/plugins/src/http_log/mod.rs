//! `http-log`: sends a JSON record of each request to an HTTP endpoint.

mod rules;
mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("http-log", 12, schema::schema).protocols(ALL_PROTOCOLS);
