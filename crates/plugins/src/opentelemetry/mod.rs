//! `opentelemetry`: exports traces and logs over OTLP.

mod handler;
mod otlp;
mod protobuf;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Phases};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("opentelemetry", 14, schema::schema, handler::build)
        .phases(Phases::ACCESS.and(Phases::HEADER_FILTER).and(Phases::LOG));
