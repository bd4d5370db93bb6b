//! Configuration of `tcp-log`.

use schema::{Field, Schema};

use crate::records::logs::custom_fields;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("tcp-log").fields([
        Field::host("host")
            .required()
            .describe("Name or address of the server."),
        Field::port("port")
            .required()
            .describe("Port of the server."),
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
