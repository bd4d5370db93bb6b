//! Configuration of `basic-auth`.

use schema::{Field, Schema};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("basic-auth").fields([
        Field::string("anonymous")
            .describe("Consumer (id or user name) that stands in for a caller who proves nothing."),
        Field::boolean("hide_credentials")
            .required()
            .default(false)
            .describe(
                "Whether the credential is taken out of the request before it goes to the service.",
            ),
        Field::string("realm")
            .required()
            .default("service")
            .describe("Realm named in the WWW-Authenticate header of a refusal."),
    ])
}
