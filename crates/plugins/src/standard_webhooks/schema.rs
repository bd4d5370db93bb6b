//! Configuration of `standard-webhooks`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("standard-webhooks").fields([
        Field::string("secret_v1")
            .required()
            .encrypted()
            .referenceable()
            .describe("Secret shared with the sender."),
        Field::integer("tolerance_second")
            .required()
            .gt(-1)
            .default(300)
            .describe("Seconds the time of a message may be off."),
    ])
}

/// What an instance is told.
pub(super) struct Config {
    /// Secret shared with the sender.
    pub(super) secret: String,
    /// Seconds the time of a message may lie back.
    pub(super) tolerance: f64,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        Ok(Self {
            secret: read.required_text("secret_v1")?,
            tolerance: read.number("tolerance_second")?.unwrap_or(300.0),
        })
    }
}
