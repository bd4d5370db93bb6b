//! Configuration of `grpc-web`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("grpc-web").fields([
        Field::string("proto")
            .optional()
            .describe("Path of a .proto file, which lets clients speak JSON."),
        Field::boolean("pass_stripped_path")
            .optional()
            .describe("Whether the service gets the path without the route's prefix."),
        Field::string("allow_origin_header")
            .optional()
            .default("*")
            .describe("Value of Access-Control-Allow-Origin."),
    ])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Path of a .proto file.
    pub(super) proto: Option<String>,
    /// Whether the service gets the path without the route's prefix.
    pub(super) pass_stripped_path: bool,
    /// Value of `Access-Control-Allow-Origin`. Default `*`.
    pub(super) allow_origin_header: String,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let origin = read.text("allow_origin_header")?;
        Ok(Self {
            proto: read.text("proto")?,
            pass_stripped_path: read.boolean("pass_stripped_path")?.unwrap_or(false),
            allow_origin_header: origin.unwrap_or_else(|| "*".to_owned()),
        })
    }
}
