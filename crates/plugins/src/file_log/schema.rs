//! Configuration of `file-log`.

use schema::{DecodeError, Field, Pattern, Reader, Schema};
use serde_json::{Map, Value};

use crate::records::logs::custom_fields;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("file-log").fields([
        Field::string("path")
            .required()
            .matches(Pattern::new(r"^[^*&%%\`]+$", r"^[^*&%\\`]+$"))
            .err("not a valid filename")
            .describe("File to append to."),
        Field::boolean("reopen").required().default(false).describe(
            "Whether the file is opened anew for each record, for tools that move it away.",
        ),
        custom_fields(),
    ])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// File to append to.
    pub(super) path: String,
    /// Whether the file is opened anew for each record.
    pub(super) reopen: bool,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        Ok(Self {
            path: read.required_text("path")?,
            reopen: read.boolean("reopen")?.unwrap_or(false),
        })
    }
}
