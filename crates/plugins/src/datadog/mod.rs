//! `datadog`: sends metrics of each request to a Datadog agent.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Phases};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("datadog", 10, schema::schema, handler::build)
    .phases(Phases::LOG)
    .protocols(ALL_PROTOCOLS);
