//! Whom a session belongs to, so that all sessions of one person can be ended.

use schema::{Field, Schema};

use crate::kind::EntityKind;

/// What is noted about a session.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "session_metadatas",
        "session_metadata",
        "session_metadatas",
        describe(),
    )
    .internal();
    kind.workspaced = false;
    kind
}

fn describe() -> Schema {
    Schema::new("session_metadatas")
        .field(Field::id())
        .field(
            Field::foreign("session", "sessions")
                .required()
                .on_delete("cascade")
                .describe("The session."),
        )
        .field(Field::string("sid").describe("Id that the provider of identities gave it."))
        .field(Field::string("audience").describe("Whom it is meant for."))
        .field(Field::string("subject").describe("Whose it is."))
        .field(Field::created_at())
}
