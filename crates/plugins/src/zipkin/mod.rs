//! `zipkin`: traces requests and reports the spans to a Zipkin collector.

mod rules;
mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("zipkin", 100_000, schema::schema).protocols(ALL_PROTOCOLS);
