//! Configuration of `oauth2`.

use schema::{Check, Condition, Field, Schema};

use super::rules;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("oauth2")
        .fields(grants())
        .fields(checks())
        .check(Check::conditional(
            "mandatory_scope",
            Condition::eq(true),
            "scopes",
            Condition::required(),
        ))
        .custom(rules::some_grant)
}

fn grants() -> [Field; 8] {
    [
        Field::array("scopes", Field::string("")).describe("Scopes that may be asked for."),
        Field::boolean("mandatory_scope")
            .required()
            .default(false)
            .describe("Whether a scope must be asked for."),
        Field::string("provision_key")
            .required()
            .auto()
            .unique()
            .encrypted()
            .describe("Secret by which the web application proves itself."),
        Field::number("token_expiration")
            .required()
            .default(7200)
            .describe("Seconds an access token lives; 0 is for ever."),
        Field::boolean("enable_authorization_code")
            .required()
            .default(false)
            .describe("Whether the authorization code flow is offered."),
        Field::boolean("enable_implicit_grant")
            .required()
            .default(false)
            .describe("Whether the implicit flow is offered."),
        Field::boolean("enable_client_credentials")
            .required()
            .default(false)
            .describe("Whether the client credentials flow is offered."),
        Field::boolean("enable_password_grant")
            .required()
            .default(false)
            .describe("Whether the password flow is offered."),
    ]
}

fn checks() -> [Field; 9] {
    [
        Field::boolean("hide_credentials")
            .required()
            .default(false)
            .describe(
                "Whether the credential is taken out of the request before it goes to the service.",
            ),
        Field::boolean("accept_http_if_already_terminated")
            .required()
            .default(false)
            .describe("Whether plain requests count as safe when a proxy in front has ended TLS."),
        Field::string("anonymous")
            .describe("Consumer (id or user name) that stands in for a caller who proves nothing."),
        Field::boolean("global_credentials")
            .required()
            .default(false)
            .describe("Whether tokens hold for every service with this setting."),
        Field::string("auth_header_name")
            .default("authorization")
            .describe("Header that carries the access token."),
        Field::number("refresh_token_ttl")
            .required()
            .between(0, 100_000_000)
            .default(1_209_600)
            .describe("Seconds a refresh token lives; 0 is for ever."),
        Field::boolean("reuse_refresh_token")
            .required()
            .default(false)
            .describe("Whether a refresh token stays the same when used."),
        Field::string("pkce")
            .optional()
            .one_of(["none", "lax", "strict"])
            .default("lax")
            .describe("Whether proof of key is never, if sent, or always asked for."),
        Field::string("realm")
            .optional()
            .describe("Realm named in the WWW-Authenticate header of a refusal."),
    ]
}
