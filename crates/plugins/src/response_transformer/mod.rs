//! `response-transformer`: changes headers and JSON body of answers.

mod body;
mod handler;
mod headers;
mod rules;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Phases};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("response-transformer", 800, schema::schema, handler::build)
        .phases(Phases::HEADER_FILTER.and(Phases::BODY_FILTER));
