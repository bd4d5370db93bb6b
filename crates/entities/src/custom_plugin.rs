//! Plugins whose code is kept with the configuration.
//!
//! Kept and given back as text. Nodes do not get them: they run the plugins that are installed on them.

use schema::{Field, Schema};

use crate::kind::EntityKind;

/// What an uploaded plugin is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "custom_plugins",
        "custom_plugin",
        "custom-plugins",
        describe(),
    );
    kind.endpoint_key = Some("name");
    kind.delivered = false;
    kind.extension = true;
    kind
}

fn describe() -> Schema {
    Schema::new("custom_plugins")
        .field(Field::id())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(
            Field::string("name")
                .required()
                .unique()
                .describe("Name of the plugin."),
        )
        .field(
            Field::string("schema")
                .required()
                .describe("Text of the description of its configuration."),
        )
        .field(
            Field::string("handler")
                .required()
                .describe("Text of its code."),
        )
        .field(Field::tags())
}
