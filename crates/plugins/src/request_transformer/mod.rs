//! `request-transformer`: changes headers, query, body, path and method of requests.

mod body;
mod captures;
mod fields;
mod handler;
mod headers;
mod multipart;
mod rules;
mod schema;
mod settings;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Needs};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("request-transformer", 801, schema::schema, handler::build)
        .protocols(ALL_PROTOCOLS)
        .needs(Needs::REQUEST_BODY);
