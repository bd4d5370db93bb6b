//! `ldap-auth`: lets only requests pass whose user name and password an LDAP server accepts.

mod schema;

use plugin_api::{Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::described("ldap-auth", 1200, schema::schema)
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE));
