//! `statsd`: sends metrics to a StatsD server.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("statsd", 11, schema::schema).protocols(ALL_PROTOCOLS);
