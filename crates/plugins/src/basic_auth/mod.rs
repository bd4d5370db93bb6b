//! `basic-auth`: lets only requests pass that show user name and password of a consumer.

mod schema;

use plugin_api::{Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::described("basic-auth", 1100, schema::schema)
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE));
