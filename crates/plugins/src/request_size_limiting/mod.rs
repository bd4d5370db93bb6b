//! `request-size-limiting`: refuses requests with a body beyond a limit.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Needs};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("request-size-limiting", 951, schema::schema, handler::build)
        .needs(Needs::UNSIZED_REQUEST_BODY);
