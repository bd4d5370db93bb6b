//! A patch over a stored document.
//!
//! Records are merged member by member; lists, sets and maps are replaced as a whole.

use serde_json::Value;

use crate::Map;
use crate::field::{FieldKind, Schema};

/// The stored document with the patch applied, in the order of the description.
pub(crate) fn merge(schema: &Schema, mut patch: Map, stored: &Map) -> Map {
    let mut merged = Map::with_capacity(schema.fields.len());
    for field in &schema.fields {
        let value = match (patch.remove(field.name), stored.get(field.name)) {
            (Some(Value::Object(new)), Some(Value::Object(old))) => match &field.kind {
                FieldKind::Record(inner) => Some(Value::Object(merge(inner, new, old))),
                _ => Some(Value::Object(new)),
            },
            (Some(new), _) => Some(new),
            (None, old) => old.cloned(),
        };
        if let Some(value) = value.filter(|value| !(field.extension && value.is_null())) {
            merged.insert(field.name.to_owned(), value);
        }
    }
    merged.extend(patch);
    merged
}
