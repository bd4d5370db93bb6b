//! Configuration of `jwt`.

use schema::{Check, Condition, Field, Rule, Schema};
use serde_json::json;

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
