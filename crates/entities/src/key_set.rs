//! Sets of keys.

use schema::{Field, Schema};

use crate::kind::EntityKind;

/// What a set of keys is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("key_sets", "key_set", "key-sets", describe());
    kind.endpoint_key = Some("name");
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 1] = [("name", "Name, by which paths and files address the set.")];

fn describe() -> Schema {
    Schema::new("key_sets")
        .field(Field::id())
        .field(Field::string("name").optional().unique())
        .field(Field::tags())
        .field(Field::created_at())
        .field(Field::updated_at())
        .describe(&MEANINGS)
}
