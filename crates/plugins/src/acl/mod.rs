//! `acl`: lets callers pass, or keeps them out, by the groups their consumer belongs to.

mod schema;

use plugin_api::{Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("acl", 950, schema::schema).scopes(Scopes::SERVICE.and(Scopes::ROUTE));
