//! `prometheus`: shows metrics of the traffic for Prometheus to collect.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("prometheus", 13, schema::schema).protocols(ALL_PROTOCOLS);
