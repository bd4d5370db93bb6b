//! `loggly`: sends a record of each request to Loggly as a syslog datagram.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("loggly", 6, schema::schema).protocols(ALL_PROTOCOLS);
