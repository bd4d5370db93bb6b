//! `hmac-auth`: lets only requests pass that a consumer's secret has signed.

mod handler;
mod schema;
mod secret;
mod signature;
#[cfg(test)]
mod tests;

use plugin_api::{CredentialKind, Definition, Needs, Scopes};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("hmac-auth", 1030, schema::schema, handler::build)
        .scopes(Scopes::SERVICE.and(Scopes::ROUTE))
        .needs(Needs::REQUEST_BODY)
        .credentials(CREDENTIALS);

/// The credentials that requests name.
const CREDENTIALS: &[CredentialKind] = &[CredentialKind {
    entity: USERS,
    field: "username",
    prepare: Some(secret::prepare),
}];

/// Plural name of the credential.
const USERS: &str = "hmacauth_credentials";
