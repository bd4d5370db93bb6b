//! Configuration of `request-size-limiting`.

use schema::{Field, Schema};

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
