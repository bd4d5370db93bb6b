//! Tags as rows: which entities carry which tag. A view of the tags of entities, never written.

use schema::{Field, Schema, validators};

use crate::kind::EntityKind;

/// What a row of the view is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("tags", "tag", "tags", describe()).described_only();
    kind.endpoint_key = Some("tag");
    kind.primary_key = "tag";
    kind
}

fn describe() -> Schema {
    Schema::new("tags")
        .field(
            Field::string("tag")
                .required()
                .custom("tag", validators::tag)
                .describe("The tag."),
        )
        .field(
            Field::string("entity_name")
                .required()
                .describe("Plural name of the kind of entity that carries it."),
        )
        .field(
            Field::string("entity_id")
                .required()
                .uuid()
                .auto()
                .describe("Id of the entity."),
        )
}
