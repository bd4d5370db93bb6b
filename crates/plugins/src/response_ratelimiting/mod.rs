//! `response-ratelimiting`: limits what answers of the service say they cost.

mod handler;
mod rules;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Phases};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("response-ratelimiting", 900, schema::schema, handler::build)
        .phases(Phases::ACCESS.and(Phases::HEADER_FILTER).and(Phases::LOG));
