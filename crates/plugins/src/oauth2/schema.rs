//! Configuration of `oauth2`.

use schema::{Check, Condition, DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

use super::rules;
use super::secret::Secret;

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

/// What an instance is told.
#[derive(Debug)]
pub(super) struct Config {
    /// Scopes that may be asked for; none takes any and forgets it.
    pub(super) scopes: Option<Vec<String>>,
    /// Whether a scope must be asked for.
    pub(super) mandatory_scope: bool,
    /// Secret of the web application.
    pub(super) provision_key: Secret,
    /// Seconds an access token lives; 0 is for ever.
    pub(super) token_expiration: i64,
    /// Which flows are offered.
    pub(super) enable_authorization_code: bool,
    pub(super) enable_implicit_grant: bool,
    pub(super) enable_client_credentials: bool,
    pub(super) enable_password_grant: bool,
    /// Whether the service does not see the token.
    pub(super) hide_credentials: bool,
    /// Whether a trusted peer may say that TLS ended there.
    pub(super) accept_http_if_already_terminated: bool,
    /// Who stands in for a caller who proves nothing.
    pub(super) anonymous: Option<String>,
    /// Whether tokens hold for every service with this setting.
    pub(super) global_credentials: bool,
    /// Header that carries the token.
    pub(super) auth_header_name: String,
    /// Seconds a refresh token lives; 0 is for ever.
    pub(super) refresh_token_ttl: u64,
    /// Whether a refresh token stays the same when used.
    pub(super) reuse_refresh_token: bool,
    /// `none`, `lax` or `strict`.
    pub(super) pkce: String,
    /// Realm named in a refusal.
    pub(super) realm: Option<String>,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let is_on = |name| Ok(read.boolean(name)?.unwrap_or(false));
        let seconds = |name, usual: i64| {
            let value = read.number(name)?;
            // Fractions of a second do not count.
            Ok(value.map_or(usual, |value| {
                format!("{:.0}", value.trunc()).parse().unwrap_or(usual)
            }))
        };
        let has_scopes = read.value("scopes").is_some_and(|value| !value.is_null());
        let header = read.text("auth_header_name")?;
        Ok(Self {
            scopes: has_scopes.then(|| read.texts("scopes")).transpose()?,
            mandatory_scope: is_on("mandatory_scope")?,
            provision_key: Secret::new(read.required_text("provision_key")?),
            token_expiration: seconds("token_expiration", 7200)?.max(0),
            enable_authorization_code: is_on("enable_authorization_code")?,
            enable_implicit_grant: is_on("enable_implicit_grant")?,
            enable_client_credentials: is_on("enable_client_credentials")?,
            enable_password_grant: is_on("enable_password_grant")?,
            hide_credentials: is_on("hide_credentials")?,
            accept_http_if_already_terminated: is_on("accept_http_if_already_terminated")?,
            anonymous: read.text("anonymous")?,
            global_credentials: is_on("global_credentials")?,
            auth_header_name: header.unwrap_or_else(|| "authorization".to_owned()),
            refresh_token_ttl: u64::try_from(seconds("refresh_token_ttl", 1_209_600)?).unwrap_or(0),
            reuse_refresh_token: is_on("reuse_refresh_token")?,
            pkce: read.text("pkce")?.unwrap_or_else(|| "lax".to_owned()),
            realm: read.text("realm")?,
        })
    }
}
