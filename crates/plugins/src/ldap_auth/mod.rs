//! `ldap-auth`: lets only requests pass whose user name and password an LDAP server accepts.

mod ber;
mod connection;
mod handler;
mod memory;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("ldap-auth", 1200, schema::schema, handler::build)
        .scopes(Scopes::SERVICE.and(Scopes::ROUTE));
