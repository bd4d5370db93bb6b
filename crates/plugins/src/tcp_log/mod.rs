//! `tcp-log`: sends a JSON record of each request over TCP.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Phases};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("tcp-log", 7, schema::schema, handler::build)
    .phases(Phases::LOG)
    .protocols(ALL_PROTOCOLS);
