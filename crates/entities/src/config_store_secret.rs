//! Secrets in a store. A value is written and never shown again.

use schema::{Field, Schema};

use crate::kind::EntityKind;

/// What a secret is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "config_store_secrets",
        "config_store_secret",
        "config-store-secrets",
        describe(),
    )
    .internal();
    kind.cache_key = &["config_store", "key"];
    kind.nested = Some(("config_stores", "secrets"));
    // Those that a vault reads go to nodes, though they are no part of files.
    kind.delivered = true;
    kind.extension = true;
    kind
}

fn describe() -> Schema {
    Schema::new("config_store_secrets")
        .field(Field::id())
        .field(
            Field::foreign("config_store", "config_stores")
                .required()
                .on_delete("cascade")
                .describe("The store that holds it."),
        )
        .field(
            Field::string("key")
                .required()
                .immutable()
                .len_max(512)
                .describe("Name of the secret in its store, 1 to 512 bytes."),
        )
        .field(
            Field::string("value")
                .required()
                .len_max(5120)
                .sealed()
                .write_only()
                .describe("The secret, 1 to 5120 bytes; answers leave it out."),
        )
        .field(Field::created_at())
        .field(Field::updated_at())
}
