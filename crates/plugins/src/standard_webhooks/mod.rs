//! `standard-webhooks`: lets only requests pass that carry a valid Standard Webhooks signature.

mod schema;

use plugin_api::{Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::described("standard-webhooks", 760, schema::schema)
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE));
