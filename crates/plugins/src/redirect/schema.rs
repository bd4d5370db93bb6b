//! Configuration of `redirect`.

use schema::{Field, Schema};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("redirect").fields([
        Field::integer("status_code")
            .required()
            .between(100, 599)
            .default(301)
            .describe("Status of the answer."),
        Field::url("location")
            .required()
            .describe("Where clients are sent."),
        Field::boolean("keep_incoming_path")
            .default(false)
            .describe("Whether path and query of the request are kept."),
    ])
}
