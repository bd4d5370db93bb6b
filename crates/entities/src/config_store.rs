//! Stores of secrets that a vault of type `konnect` reads.

use schema::{Field, Schema};

use crate::kind::EntityKind;

/// What a store of secrets is.
pub(crate) fn kind() -> EntityKind {
    let mut kind =
        EntityKind::new("config_stores", "config_store", "config-stores", describe()).internal();
    kind.endpoint_key = Some("name");
    // Those that a vault reads go to nodes, though they are no part of files.
    kind.delivered = true;
    kind.extension = true;
    kind
}

fn describe() -> Schema {
    Schema::new("config_stores")
        .field(Field::id())
        .field(
            Field::string("name")
                .required()
                .unique()
                .len_max(100)
                .describe("Name of the store, 1 to 100 bytes."),
        )
        .field(Field::created_at())
        .field(Field::updated_at())
}
