//! The forms of members: kind, null, default, marks.

use serde_json::{Map, Value, json};

use super::{record, rules};
use crate::field::{Field, FieldKind};
use crate::rule::Rule;
use crate::shorthand::{Expansion, Shorthand};

/// A reference into a vault, which may stand for a text.
const VAULT_REFERENCE: &str = r"^\{vault://.+\}$";

/// Whether a member must be there, because the server cannot fill it in.
pub(super) fn needs(field: &Field, covered: &[&str]) -> bool {
    if !field.is_required() || field.auto || field.default.is_some() || field.name.is_empty() {
        return false;
    }
    let FieldKind::Record(schema) = &field.kind else {
        return true;
    };
    // An absent record is filled in, unless something in it cannot be.
    let prefix = format!("{}.", field.name);
    let below: Vec<&str> = covered
        .iter()
        .filter_map(|path| path.strip_prefix(&prefix))
        .collect();
    schema
        .fields
        .iter()
        .any(|inner| needs(inner, &below) && !below.contains(&inner.name))
}

/// The form of a member of a record.
pub(super) fn member(field: &Field, covered: &[&str]) -> Value {
    let mut form = value(field, covered);
    // The server writes these itself, whatever it is sent.
    let is_kept = field.auto && matches!(field.kind, FieldKind::Integer | FieldKind::Number);
    if !field.is_required() || is_kept {
        nullable(&mut form);
    }
    if let Some(default) = &field.default {
        put(&mut form, "default", default.clone());
    }
    if is_kept {
        put(&mut form, "readOnly", Value::Bool(true));
    }
    if field.write_only {
        put(&mut form, "writeOnly", Value::Bool(true));
    }
    marks(field, &mut form);
    Value::Object(form)
}

/// The form of an alias. One that is the old name of a member is given back as well.
pub(super) fn alias(shorthand: &Shorthand) -> Value {
    let mut form = value(&shorthand.field, &[]);
    nullable(&mut form);
    if shorthand.deprecated {
        put(&mut form, "deprecated", Value::Bool(true));
    } else {
        put(&mut form, "writeOnly", Value::Bool(true));
    }
    marks(&shorthand.field, &mut form);
    if let (Expansion::Into(path), false) = (&shorthand.expansion, form.contains_key("description"))
    {
        let text = format!("Old name of `{path}`.");
        put(&mut form, "description", Value::String(text));
    }
    Value::Object(form)
}

fn marks(field: &Field, form: &mut Map<String, Value>) {
    if !field.description.is_empty() {
        put(form, "description", Value::from(field.description));
    }
    if let Some(note) = field.deprecated {
        put(form, "deprecated", Value::Bool(true));
        put(form, "x-replaced-by", Value::from(note));
    }
    if field.encrypted {
        put(form, "x-secret", Value::Bool(true));
    }
    if field.referenceable {
        put(form, "x-referenceable", Value::Bool(true));
    }
    if field.immutable {
        put(form, "x-immutable", Value::Bool(true));
    }
    if field.unique {
        put(form, "x-unique", Value::Bool(true));
    }
}

/// The same, or null.
fn nullable(form: &mut Map<String, Value>) {
    if let Some(Value::String(kind)) = form.get("type") {
        let kinds = json!([kind, "null"]);
        put(form, "type", kinds);
    }
    if let Some(Value::Array(list)) = form.get_mut("enum") {
        list.push(Value::Null);
    }
    if let Some(ways) = form.get_mut("anyOf").and_then(Value::as_array_mut) {
        ways.push(json!({"type": "null"}));
    }
}

/// The form of a value of a field's kind that satisfies its rules.
fn value(field: &Field, covered: &[&str]) -> Map<String, Value> {
    let mut form = kind(field, covered);
    let implied = matches!(field.kind, FieldKind::String)
        && !field
            .rules
            .iter()
            .any(|rule| matches!(rule, Rule::LenMin(_)));
    if implied {
        put(&mut form, "minLength", Value::from(1));
    }
    let mut stated = Map::new();
    for rule in &field.rules {
        rules::state(rule, field, &mut stated);
    }
    if field.referenceable && !stated.is_empty() {
        let reference = json!({"pattern": VAULT_REFERENCE});
        put(&mut form, "anyOf", json!([stated, reference]));
    } else {
        form.extend(stated);
    }
    form
}

fn kind(field: &Field, covered: &[&str]) -> Map<String, Value> {
    let element = |element: &Field| {
        let mut form = value(element, &[]);
        marks(element, &mut form);
        Value::Object(form)
    };
    let form = match &field.kind {
        FieldKind::String => json!({"type": "string"}),
        FieldKind::Integer => json!({"type": "integer"}),
        FieldKind::Number => json!({"type": "number"}),
        FieldKind::Boolean => json!({"type": "boolean"}),
        FieldKind::Array(inner) | FieldKind::Set(inner) => {
            json!({"type": "array", "items": element(inner)})
        }
        FieldKind::Map { keys, values } => {
            let mut form = json!({"type": "object", "additionalProperties": element(values)});
            let names = value(keys, &[]);
            if names.len() > 2 {
                form["propertyNames"] = Value::Object(names);
            }
            form
        }
        FieldKind::Record(schema) => Value::Object(record(schema, covered)),
        FieldKind::Foreign(kind) => json!({
            "type": "object",
            "properties": {
                "id": {"type": "string", "format": "uuid", "description": "Its id."},
            },
            "x-reference": kind,
        }),
        FieldKind::Abstract => json!({"type": "object"}),
        FieldKind::Json => json!({}),
    };
    match form {
        Value::Object(form) => form,
        _ => Map::new(),
    }
}

fn put(form: &mut Map<String, Value>, name: &str, value: Value) {
    form.insert(name.to_owned(), value);
}
