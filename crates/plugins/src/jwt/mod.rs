//! `jwt`: lets only requests pass that carry a token signed with a consumer's credential.

mod handler;
mod key;
mod presented;
mod schema;
#[cfg(test)]
mod tests;
mod token;

use plugin_api::{CredentialKind, Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("jwt", 1450, schema::schema, handler::build)
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE))
    .credentials(CREDENTIALS);

/// The credentials that tokens name.
const CREDENTIALS: &[CredentialKind] = &[CredentialKind {
    entity: KEYS,
    field: "key",
    prepare: Some(key::prepare),
}];

/// Plural name of the credential.
const KEYS: &str = "jwt_secrets";
