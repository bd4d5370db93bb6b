//! `http-log`: sends a JSON record of each request to an HTTP endpoint.

mod handler;
mod rules;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Phases};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("http-log", 12, schema::schema, handler::build)
    .phases(Phases::LOG)
    .protocols(ALL_PROTOCOLS);
