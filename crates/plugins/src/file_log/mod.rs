//! `file-log`: appends a JSON record of each request to a file.

mod handler;
mod schema;
#[cfg(test)]
mod tests;
mod writer;

use plugin_api::{ALL_PROTOCOLS, Definition, Phases};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("file-log", 9, schema::schema, handler::build)
    .phases(Phases::LOG)
    .protocols(ALL_PROTOCOLS);
