//! Descriptions of plugins that are not part of this program, as their authors wrote them.
//!
//! Kept and given back as text; nothing here runs or reads them.

use schema::{Field, Schema};

use crate::kind::EntityKind;

/// What an uploaded description is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "plugin_schemas",
        "plugin_schema",
        "plugin-schemas",
        describe(),
    )
    .internal();
    kind.endpoint_key = Some("name");
    kind.extension = true;
    kind
}

fn describe() -> Schema {
    Schema::new("plugin_schemas")
        .field(Field::id())
        .field(
            Field::string("name")
                .required()
                .unique()
                .describe("Name of the plugin, as its description says."),
        )
        .field(
            Field::string("lua_schema")
                .required()
                .describe("Text of the description."),
        )
        .field(Field::created_at())
        .field(Field::updated_at())
}
