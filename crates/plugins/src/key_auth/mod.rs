//! `key-auth`: lets only requests pass that show the key of a consumer, in a header, in the query
//! or in the body.

mod handler;
mod presented;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{CredentialKind, Definition, Needs, Scopes};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("key-auth", 1250, schema::schema, handler::build)
        .scopes(Scopes::SERVICE.and(Scopes::ROUTE))
        .needs(Needs::REQUEST_BODY)
        .credentials(CREDENTIALS);

/// The credentials that requests show.
const CREDENTIALS: &[CredentialKind] = &[CredentialKind {
    entity: KEYS,
    field: "key",
    prepare: None,
}];

/// Plural name of the credential.
const KEYS: &str = "keyauth_credentials";
