//! `syslog`: writes a record of each request to the system's log.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Phases};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("syslog", 4, schema::schema, handler::build)
    .phases(Phases::LOG)
    .protocols(ALL_PROTOCOLS);
