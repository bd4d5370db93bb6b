//! Dropping unknown members whose value is null.
//!
//! Compat: a newer control plane sends members that an older node does not know; as nulls they
//! say nothing.

use entities::Map;
use schema::{FieldKind, Schema};
use serde_json::Value;

/// Drops unknown nulls from a record, at every depth that has a description.
pub(super) fn drop_unknown(schema: &Schema, body: &mut Map) {
    body.retain(|name, value| {
        !value.is_null()
            || schema.find(name).is_some()
            || schema
                .shorthands
                .iter()
                .any(|shorthand| shorthand.field.name == name)
    });
    for field in &schema.fields {
        if let Some(value) = body.get_mut(field.name) {
            within(&field.kind, value);
        }
    }
}

fn within(kind: &FieldKind, value: &mut Value) {
    match (kind, value) {
        (FieldKind::Record(inner), Value::Object(members)) => drop_unknown(inner, members),
        (FieldKind::Array(element) | FieldKind::Set(element), Value::Array(items)) => {
            items
                .iter_mut()
                .for_each(|item| within(&element.kind, item));
        }
        (FieldKind::Map { values, .. }, Value::Object(members)) => {
            members
                .values_mut()
                .for_each(|value| within(&values.kind, value));
        }
        _ => {}
    }
}
