//! `udp-log`: sends a JSON record of each request as a datagram.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Phases};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("udp-log", 8, schema::schema, handler::build)
    .phases(Phases::LOG)
    .protocols(ALL_PROTOCOLS);
