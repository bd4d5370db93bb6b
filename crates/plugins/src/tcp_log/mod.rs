//! `tcp-log`: sends a JSON record of each request over TCP.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("tcp-log", 7, schema::schema).protocols(ALL_PROTOCOLS);
