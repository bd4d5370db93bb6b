//! Configuration of `tcp-log`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

use crate::records::logs::{custom_fields, host_and_port, server};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("tcp-log").fields(server()).fields([
        Field::number("timeout")
            .default(10_000)
            .describe("Milliseconds to connect and send."),
        Field::number("keepalive")
            .default(60_000)
            .describe("Milliseconds an idle connection is kept."),
        Field::boolean("tls")
            .required()
            .default(false)
            .describe("Whether TLS is used."),
        Field::string("tls_sni").describe("Server name for TLS."),
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
    /// Milliseconds to connect and to send.
    pub(super) timeout: f64,
    /// Milliseconds an idle connection is kept.
    pub(super) keepalive: f64,
    /// Whether TLS is used.
    pub(super) tls: bool,
    /// Server name for TLS; the host unless set.
    pub(super) tls_sni: Option<String>,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let (host, port) = host_and_port(&read)?;
        Ok(Self {
            host,
            port,
            timeout: read.number("timeout")?.unwrap_or(10_000.0),
            keepalive: read.number("keepalive")?.unwrap_or(60_000.0),
            tls: read.boolean("tls")?.unwrap_or(false),
            tls_sni: read.text("tls_sni")?,
        })
    }
}
