//! Configuration of `grpc-gateway`.

use schema::{Field, Schema};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("grpc-gateway").fields([Field::string("proto")
        .optional()
        .describe("Path of the .proto file.")])
}
