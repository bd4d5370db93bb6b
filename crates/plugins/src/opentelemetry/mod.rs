//! `opentelemetry`: exports traces and logs over OTLP.

mod schema;

use plugin_api::Definition;

/// The plugin.
pub const DEFINITION: Definition = Definition::described("opentelemetry", 14, schema::schema);
