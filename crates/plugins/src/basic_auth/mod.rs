//! `basic-auth`: lets only requests pass that show user name and password of a consumer.

mod handler;
mod password;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{CredentialKind, Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("basic-auth", 1100, schema::schema, handler::build)
        .scopes(Scopes::SERVICE.and(Scopes::ROUTE))
        .credentials(CREDENTIALS);

/// The credentials that requests show.
const CREDENTIALS: &[CredentialKind] = &[CredentialKind {
    entity: USERS,
    field: "username",
    prepare: Some(password::prepare),
}];

/// Plural name of the credential.
const USERS: &str = "basicauth_credentials";
