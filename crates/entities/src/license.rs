//! Licences that tools may upload and ingress controllers ask for.
//!
//! Kept and given back; nothing in this program depends on one.

use schema::{Field, Schema};

use crate::kind::EntityKind;

/// What a licence is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("licenses", "license", "licenses", describe());
    kind.workspaced = false;
    kind.exported = false;
    kind.delivered = false;
    kind.extension = true;
    kind
}

fn describe() -> Schema {
    Schema::new("licenses")
        .field(Field::id())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(
            Field::string("payload")
                .required()
                .unique()
                .sealed()
                .describe("The licence as it was issued."),
        )
}
