//! Configuration of `udp-log`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

use crate::records::logs::{custom_fields, host_and_port, server};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("udp-log").fields(server()).fields([
        Field::number("timeout")
            .default(10_000)
            .describe("Milliseconds to wait for the name and the socket."),
        custom_fields(),
    ])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Name or address of the server.
    pub(super) host: String,
    /// Port of the server.
    pub(super) port: u16,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let (host, port) = host_and_port(&read)?;
        Ok(Self { host, port })
    }
}
