//! Configuration of `grpc-gateway`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("grpc-gateway").fields([Field::string("proto")
        .optional()
        .describe("Path of the .proto file.")])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Path of the .proto file.
    pub(super) proto: Option<String>,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        Ok(Self {
            proto: read.text("proto")?,
        })
    }
}
