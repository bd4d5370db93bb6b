//! Configuration of `correlation-id`.

use bytes::Bytes;
use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Header that carries the id. Default `Kong-Request-ID`.
    pub(super) header_name: String,
    /// How ids are made.
    pub(super) generator: Generator,
    /// Whether the answer carries the id too. Default no.
    pub(super) echo_downstream: bool,
}

/// How ids are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generator {
    /// Address, port, process, connection, request and time.
    Tracker,
    /// A random UUID per request.
    Uuid,
    /// One UUID per node and a number per request.
    UuidCounter,
}

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("correlation-id")
        .field(
            Field::string("header_name")
                .default("Kong-Request-ID")
                .describe("Header that carries the id, towards the service and the client."),
        )
        .field(
            Field::string("generator")
                .required()
                .default("uuid#counter")
                .one_of(["uuid", "uuid#counter", "tracker"])
                .describe("How an id is made for a request that brings none."),
        )
        .field(
            Field::boolean("echo_downstream")
                .required()
                .default(false)
                .describe("Whether the answer carries the id too."),
        )
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let generator = match read.text("generator")?.as_deref() {
            None | Some("uuid#counter") => Generator::UuidCounter,
            Some("uuid") => Generator::Uuid,
            Some("tracker") => Generator::Tracker,
            Some(_) => return Err(read.error("generator", "a known generator")),
        };
        Ok(Self {
            header_name: read
                .text("header_name")?
                .unwrap_or_else(|| "Kong-Request-ID".to_owned()),
            generator,
            echo_downstream: read.boolean("echo_downstream")?.unwrap_or(false),
        })
    }
}

impl Config {
    /// The header's name, shared by all requests.
    pub(super) fn header(&self) -> Bytes {
        Bytes::copy_from_slice(self.header_name.as_bytes())
    }
}
