//! Configuration of `grpc-web`.

use schema::{Field, Schema};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("grpc-web").fields([
        Field::string("proto")
            .optional()
            .describe("Path of a .proto file, which lets clients speak JSON."),
        Field::boolean("pass_stripped_path")
            .optional()
            .describe("Whether the service gets the path without the route's prefix."),
        Field::string("allow_origin_header")
            .optional()
            .default("*")
            .describe("Value of Access-Control-Allow-Origin."),
    ])
}
