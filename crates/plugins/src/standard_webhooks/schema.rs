//! Configuration of `standard-webhooks`.

use schema::{Field, Schema};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("standard-webhooks").fields([
        Field::string("secret_v1")
            .required()
            .encrypted()
            .referenceable()
            .describe("Secret shared with the sender."),
        Field::integer("tolerance_second")
            .required()
            .gt(-1)
            .default(300)
            .describe("Seconds the time of a message may be off."),
    ])
}
