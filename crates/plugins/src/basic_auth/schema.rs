//! Configuration of `basic-auth`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("basic-auth").fields([
        Field::string("anonymous")
            .describe("Consumer (id or user name) that stands in for a caller who proves nothing."),
        Field::boolean("hide_credentials")
            .required()
            .default(false)
            .describe(
                "Whether the credential is taken out of the request before it goes to the service.",
            ),
        Field::string("realm")
            .required()
            .default("service")
            .describe("Realm named in the WWW-Authenticate header of a refusal."),
    ])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Who stands in for a caller who proves nothing.
    pub(super) anonymous: Option<String>,
    /// Whether the credential is taken out of the request.
    pub(super) hide_credentials: bool,
    /// Realm named in a refusal.
    pub(super) realm: String,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        Ok(Self {
            anonymous: read.text("anonymous")?,
            hide_credentials: read.boolean("hide_credentials")?.unwrap_or(false),
            realm: read.text("realm")?.unwrap_or_else(|| "service".to_owned()),
        })
    }
}
