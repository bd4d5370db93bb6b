//! Configuration of `jwt`.

use schema::{Check, Condition, DecodeError, Field, Reader, Rule, Schema};
use serde_json::{Map, Value, json};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("jwt")
        .fields([
            Field::set("uri_param_names", Field::string(""))
                .default(json!(["jwt"]))
                .describe("Query parameters that may carry the token."),
            Field::set("cookie_names", Field::string(""))
                .default(json!([]))
                .describe("Cookies that may carry the token."),
            Field::string("key_claim_name")
                .default("iss")
                .describe("Claim or header that names the credential."),
            Field::boolean("secret_is_base64")
                .required()
                .default(false)
                .describe("Whether secrets are kept in base64."),
            Field::set("claims_to_verify", Field::string("").one_of(["exp", "nbf"]))
                .describe("Times of the token that are checked."),
            Field::string("anonymous").describe(
                "Consumer (id or user name) that stands in for a caller who proves nothing.",
            ),
            Field::boolean("run_on_preflight")
                .required()
                .default(true)
                .describe("Whether OPTIONS requests must prove themselves too."),
            Field::number("maximum_expiration")
                .between(0, 31_536_000)
                .default(0)
                .describe("Most seconds a token may live from now; 0 is no limit."),
            Field::set("header_names", Field::string(""))
                .default(json!(["authorization"]))
                .describe("Headers that may carry the token."),
            Field::string("realm")
                .optional()
                .describe("Realm named in the WWW-Authenticate header of a refusal."),
        ])
        .outer_check(Check::conditional(
            "config.maximum_expiration",
            Condition::rule(Rule::Gt(0.0)),
            "config.claims_to_verify",
            Condition::rule(Rule::Contains("exp".into())),
        ))
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Query parameters that may carry the token.
    pub(super) uri_param_names: Vec<String>,
    /// Cookies that may carry the token.
    pub(super) cookie_names: Vec<String>,
    /// Headers that may carry the token.
    pub(super) header_names: Vec<String>,
    /// Claim or header that names the credential.
    pub(super) key_claim_name: String,
    /// Whether secrets are kept in base64.
    pub(super) secret_is_base64: bool,
    /// Times of the token that are checked.
    pub(super) claims_to_verify: Vec<String>,
    /// Who stands in for a caller who proves nothing.
    pub(super) anonymous: Option<String>,
    /// Whether `OPTIONS` requests must prove themselves too.
    pub(super) run_on_preflight: bool,
    /// Most seconds a token may live from now; 0 is no limit.
    pub(super) maximum_expiration: f64,
    /// Realm named in a refusal.
    pub(super) realm: Option<String>,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let key_claim_name = read.text("key_claim_name")?;
        Ok(Self {
            uri_param_names: read.texts("uri_param_names")?,
            cookie_names: read.texts("cookie_names")?,
            header_names: read.texts("header_names")?,
            key_claim_name: key_claim_name.unwrap_or_else(|| "iss".to_owned()),
            secret_is_base64: read.boolean("secret_is_base64")?.unwrap_or(false),
            claims_to_verify: read.texts("claims_to_verify")?,
            anonymous: read.text("anonymous")?,
            run_on_preflight: read.boolean("run_on_preflight")?.unwrap_or(true),
            maximum_expiration: read.number("maximum_expiration")?.unwrap_or(0.0),
            realm: read.text("realm")?,
        })
    }
}
