//! Configuration of `hmac-auth`.

use schema::{Field, Schema};
use serde_json::json;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("hmac-auth").fields([
        Field::boolean("hide_credentials")
            .required()
            .default(false)
            .describe(
                "Whether the credential is taken out of the request before it goes to the service.",
            ),
        Field::number("clock_skew")
            .gt(0)
            .default(300)
            .describe("Seconds the Date of a request may be off."),
        Field::string("anonymous")
            .describe("Consumer (id or user name) that stands in for a caller who proves nothing."),
        Field::boolean("validate_request_body")
            .required()
            .default(false)
            .describe("Whether the Digest of the body is checked."),
        Field::array("enforce_headers", Field::string(""))
            .default(json!([]))
            .describe("Headers the signature must cover."),
        Field::array(
            "algorithms",
            Field::string("").one_of(["hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"]),
        )
        .default(json!([
            "hmac-sha1",
            "hmac-sha256",
            "hmac-sha384",
            "hmac-sha512"
        ]))
        .describe("Algorithms allowed."),
        Field::string("realm")
            .optional()
            .describe("Realm named in the WWW-Authenticate header of a refusal."),
    ])
}
