//! `acl`: lets callers pass, or keeps them out, by the groups their consumer belongs to.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("acl", 950, schema::schema, handler::build)
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE));
