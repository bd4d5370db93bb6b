//! Configuration of `loggly`.

use schema::{Field, Schema};
use serde_json::json;

use crate::records::logs::{custom_fields, severities};

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
