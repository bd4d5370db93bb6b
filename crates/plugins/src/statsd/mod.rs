//! `statsd`: sends metrics of each request to a StatsD server.

mod handler;
mod schema;
mod sender;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Phases};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("statsd", 11, schema::schema, handler::build)
    .phases(Phases::LOG)
    .protocols(ALL_PROTOCOLS);
