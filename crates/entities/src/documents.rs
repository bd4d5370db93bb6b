//! JSON Schema documents of entities whose members depend on another member.
//!
//! Everything else is the business of the `schema` room.

use serde_json::{Map, Value, json};

use crate::catalogue::Catalogue;
use crate::kind::EntityKind;
use crate::{partial_kinds, vault};

impl EntityKind {
    /// The JSON Schema of the kind: that of its description, for vaults and partials with the
    /// members of each type, and `ttl` where rows may end. For plugins see
    /// [`Catalogue::plugin_json_schema`].
    #[must_use]
    pub fn json_schema(&self) -> Value {
        let mut document = self.schema.json_schema();
        match self.name {
            "vaults" => {
                let types = vault::TYPES.iter();
                let configs = types.map(|name| (*name, vault::config_of(name).json_schema()));
                by_type(&mut document, "name", configs);
            }
            "partials" => {
                let configs = partial_kinds::NAMES.into_iter().filter_map(|name| {
                    let config = partial_kinds::config(name)??;
                    Some((name, config.json_schema()))
                });
                by_type(&mut document, "type", configs);
            }
            _ => {}
        }
        if self.has_ttl {
            document["properties"]["ttl"] = json!({
                "type": ["integer", "null"],
                "minimum": 0,
                "maximum": 100_000_000,
                "description": "Seconds after which it ends; absent or null never ends.",
            });
        }
        document
    }
}

impl Catalogue {
    /// The JSON Schema of a plugin entity of that plugin, its configuration included.
    #[must_use]
    pub fn plugin_json_schema(&self, plugin: &str) -> Option<Value> {
        let mut document = self.plugin_schema(plugin)?.json_schema();
        document["properties"]["name"]["const"] = Value::from(plugin);
        Some(document)
    }
}

/// Says what `config` holds for each value of the member that decides about it.
fn by_type<'a>(
    document: &mut Value,
    member: &str,
    configs: impl Iterator<Item = (&'a str, Value)>,
) {
    let description = document["properties"]["config"]["description"].take();
    let mut any = Map::new();
    any.insert("type".to_owned(), json!("object"));
    any.insert("description".to_owned(), description);
    document["properties"]["config"] = Value::Object(any);
    let one = |(name, mut config): (&str, Value)| {
        if let Value::Object(config) = &mut config {
            config.shift_remove("$schema");
        }
        json!({
            "if": {"properties": {member: {"const": name}}, "required": [member]},
            "then": {"properties": {"config": config}},
        })
    };
    document["allOf"] = Value::Array(configs.map(one).collect());
}
