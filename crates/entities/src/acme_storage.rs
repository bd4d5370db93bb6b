//! What the ACME plugin of other nodes keeps; accepted so that such configurations load.

use schema::{Field, Schema};

use crate::kind::EntityKind;

/// What a kept value is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("acme_storage", "acme_storage", "acme_storage", describe());
    kind.cache_key = &["key"];
    kind.workspaced = false;
    kind.has_ttl = true;
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 2] = [
    ("key", "What it is kept under; made up when it is left out."),
    ("value", "What is kept."),
];

fn describe() -> Schema {
    Schema::new("acme_storage")
        .field(Field::id())
        .field(Field::string("key").required().auto().unique())
        .field(Field::string("value").required().auto().sealed())
        .field(Field::created_at())
        .describe(&MEANINGS)
}
