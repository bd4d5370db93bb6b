//! `request-termination`: answers by itself with a fixed status and body; the service is not
//! contacted. Use it to close a route for maintenance, to block a consumer, or to look at what
//! the gateway received.

mod echo;
mod handler;
mod pages;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Needs};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("request-termination", 2, schema::schema, handler::build)
        .needs(Needs::REQUEST_BODY);
