//! Configuration of `loggly`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value, json};

use crate::records::logs::{Threshold, custom_fields, severities};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    let schema = Schema::new("loggly").fields([
        Field::host("host")
            .default("logs-01.loggly.com")
            .describe("Name or address of Loggly."),
        Field::port("port").default(514).describe("Port of Loggly."),
        Field::string("key")
            .required()
            .encrypted()
            .referenceable()
            .describe("Customer token."),
        Field::set("tags", Field::string(""))
            .default(json!(["kong"]))
            .describe("Tags of every record."),
    ]);
    severities(schema, |field| field).fields([
        Field::number("timeout")
            .default(10_000)
            .describe("Milliseconds to wait for the name and the socket."),
        custom_fields(),
    ])
}

/// What an instance is told.
#[derive(Clone)]
pub(super) struct Config {
    /// Name or address of Loggly.
    pub(super) host: String,
    /// Port of Loggly.
    pub(super) port: u16,
    /// Customer token: a secret.
    pub(super) key: String,
    /// Tags of every record.
    pub(super) tags: Vec<String>,
    /// Which answers are written, and how severe they are.
    pub(super) threshold: Threshold,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let host = read.text("host")?;
        Ok(Self {
            host: host.unwrap_or_else(|| "logs-01.loggly.com".to_owned()),
            port: read.integer("port")?.unwrap_or(514),
            key: read.required_text("key")?,
            tags: read.texts("tags")?,
            threshold: Threshold::read(&read)?,
        })
    }
}
