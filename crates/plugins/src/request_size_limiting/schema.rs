//! Configuration of `request-size-limiting`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("request-size-limiting").fields([
        Field::integer("allowed_payload_size")
            .default(128)
            .describe("Largest body, in `size_unit`."),
        Field::string("size_unit")
            .required()
            .one_of(["megabytes", "kilobytes", "bytes"])
            .default("megabytes")
            .describe("Unit of the limit."),
        Field::boolean("require_content_length")
            .required()
            .default(false)
            .describe("Whether requests must say their length."),
    ])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Largest body in bytes.
    pub(super) limit: u64,
    /// Whether requests must say their length.
    pub(super) require_content_length: bool,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let size: u64 = read.integer("allowed_payload_size")?.unwrap_or(128);
        let unit = match read.text("size_unit")?.as_deref() {
            None | Some("megabytes") => 1 << 20,
            Some("kilobytes") => 1 << 10,
            Some("bytes") => 1,
            Some(_) => return Err(read.error("size_unit", "a known unit")),
        };
        Ok(Self {
            limit: size.saturating_mul(unit),
            require_content_length: read.boolean("require_content_length")?.unwrap_or(false),
        })
    }
}
