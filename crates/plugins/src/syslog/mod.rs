//! `syslog`: writes a record of each request to the system's log.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("syslog", 4, schema::schema).protocols(ALL_PROTOCOLS);
