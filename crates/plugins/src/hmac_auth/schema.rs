//! Configuration of `hmac-auth`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value, json};

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

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Whether the signature is taken out of the request.
    pub(super) hide_credentials: bool,
    /// Seconds the date of a request may be off.
    pub(super) clock_skew: f64,
    /// Who stands in for a caller who proves nothing.
    pub(super) anonymous: Option<String>,
    /// Whether the digest of the body is checked.
    pub(super) validate_request_body: bool,
    /// Headers the signature must cover.
    pub(super) enforce_headers: Vec<String>,
    /// Algorithms allowed.
    pub(super) algorithms: Vec<String>,
    /// Realm named in a refusal.
    pub(super) realm: Option<String>,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let flag = |name| Ok::<_, DecodeError>(read.boolean(name)?.unwrap_or(false));
        Ok(Self {
            hide_credentials: flag("hide_credentials")?,
            clock_skew: read.number("clock_skew")?.unwrap_or(300.0),
            anonymous: read.text("anonymous")?,
            validate_request_body: flag("validate_request_body")?,
            enforce_headers: read.texts("enforce_headers")?,
            algorithms: read.texts("algorithms")?,
            realm: read.text("realm")?,
        })
    }
}
