//! Configuration of `udp-log`.

use schema::{Field, Schema};

use crate::records::logs::custom_fields;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("udp-log").fields([
        Field::host("host")
            .required()
            .describe("Name or address of the server."),
        Field::port("port")
            .required()
            .describe("Port of the server."),
        Field::number("timeout")
            .default(10_000)
            .describe("Milliseconds to wait for the name and the socket."),
        custom_fields(),
    ])
}
