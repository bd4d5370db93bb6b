//! Configuration of `bot-detection`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value, json};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("bot-detection").fields([
        Field::array("allow", Field::string("").is_regex())
            .default(json!([]))
            .describe("Regular expressions of agents that always pass."),
        Field::array("deny", Field::string("").is_regex())
            .default(json!([]))
            .describe(
                "Regular expressions of agents that are refused, beside those known as robots.",
            ),
    ])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Patterns of agents that always pass.
    pub(super) allow: Vec<String>,
    /// Patterns of agents that are refused.
    pub(super) deny: Vec<String>,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        Ok(Self {
            allow: read.texts("allow")?,
            deny: read.texts("deny")?,
        })
    }
}
