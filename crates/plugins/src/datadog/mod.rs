//! `datadog`: sends metrics to a Datadog agent.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("datadog", 10, schema::schema).protocols(ALL_PROTOCOLS);
