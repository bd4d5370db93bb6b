//! `zipkin`: traces requests and reports the spans to a Zipkin collector.

mod handler;
mod rules;
mod schema;
mod span;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Phases};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("zipkin", 100_000, schema::schema, handler::build)
        .phases(Phases::ACCESS.and(Phases::HEADER_FILTER).and(Phases::LOG))
        .protocols(ALL_PROTOCOLS);
