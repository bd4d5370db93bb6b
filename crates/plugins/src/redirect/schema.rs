//! Configuration of `redirect`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("redirect").fields([
        Field::integer("status_code")
            .required()
            .between(100, 599)
            .default(301)
            .describe("Status of the answer."),
        Field::url("location")
            .required()
            .describe("Where clients are sent."),
        Field::boolean("keep_incoming_path")
            .default(false)
            .describe("Whether path and query of the request are kept."),
    ])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Status of the answer. Default 301.
    pub(super) status_code: u16,
    /// Where clients are sent.
    pub(super) location: String,
    /// Whether path and query of the request are kept.
    pub(super) keep_incoming_path: bool,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        Ok(Self {
            status_code: read.integer("status_code")?.unwrap_or(301),
            location: read.required_text("location")?,
            keep_incoming_path: read.boolean("keep_incoming_path")?.unwrap_or(false),
        })
    }
}
