//! `standard-webhooks`: lets only requests pass that carry a valid Standard Webhooks signature.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Needs, Scopes};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("standard-webhooks", 760, schema::schema, handler::build)
        .scopes(Scopes::SERVICE.and(Scopes::ROUTE))
        .needs(Needs::REQUEST_BODY);
