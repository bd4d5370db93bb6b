//! `hmac-auth`: lets only requests pass that a consumer's secret has signed.

mod schema;

use plugin_api::{Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::described("hmac-auth", 1030, schema::schema)
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE));
