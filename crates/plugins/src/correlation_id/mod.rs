//! `correlation-id`: gives every request an id in a header of your choice, keeps the one the
//! client brought, and shows it to the client if you like. Use it to find one request in the logs
//! of several systems.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Phases};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("correlation-id", 100_001, schema::schema, handler::build)
        .phases(Phases::ACCESS.and(Phases::HEADER_FILTER));
