//! `udp-log`: sends a JSON record of each request as a datagram.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("udp-log", 8, schema::schema).protocols(ALL_PROTOCOLS);
