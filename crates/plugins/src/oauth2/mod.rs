//! `oauth2`: an OAuth 2.0 authorization server in front of services, and the check of its tokens.

mod answer;
mod authorize;
mod exchange;
mod grants;
mod handler;
mod issue;
mod parameters;
mod rules;
mod schema;
mod secret;
#[cfg(test)]
mod tests;
mod token;

use plugin_api::{CredentialKind, Definition, Needs, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("oauth2", 1400, schema::schema, handler::build)
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE))
    .needs(Needs::FORM_REQUEST_BODY)
    .credentials(CREDENTIALS);

/// Applications by what they call themselves and by id, and the tokens that a configuration holds.
const CREDENTIALS: &[CredentialKind] = &[
    CredentialKind {
        entity: APPLICATIONS,
        field: "client_id",
        prepare: Some(token::prepare_application),
    },
    CredentialKind {
        entity: APPLICATIONS,
        field: "id",
        prepare: Some(token::prepare_application),
    },
    CredentialKind {
        entity: TOKENS,
        field: "access_token",
        prepare: Some(token::prepare_token),
    },
];

/// Plural name of applications.
const APPLICATIONS: &str = "oauth2_credentials";

/// Plural name of tokens.
const TOKENS: &str = "oauth2_tokens";

/// Plural name of authorization codes.
const CODES: &str = "oauth2_authorization_codes";
