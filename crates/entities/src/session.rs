//! Sessions of browsers that the session plugin keeps.

use schema::{Field, Schema};

use crate::kind::EntityKind;

/// What a session is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("sessions", "session", "sessions", describe());
    kind.endpoint_key = Some("session_id");
    kind.cache_key = &["session_id"];
    kind.workspaced = false;
    kind.has_ttl = true;
    kind.exported = false;
    kind.delivered = false;
    kind
}

fn describe() -> Schema {
    Schema::new("sessions")
        .field(Field::id())
        .field(
            Field::string("session_id")
                .required()
                .unique()
                .describe("What the browser's cookie says, hashed."),
        )
        .field(Field::integer("expires").describe("Second since 1970 at which it ends."))
        .field(
            Field::string("data")
                .sealed()
                .describe("What the plugin remembers, sealed by it."),
        )
        .field(Field::created_at())
}
