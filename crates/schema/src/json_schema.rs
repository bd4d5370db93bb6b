//! The JSON Schema of a description.
//!
//! It states what a client may send: kinds, rules with a counterpart in JSON Schema, defaults.
//! Checks over several members and rules in code stay with the validator.

use serde_json::{Map, Value, json};

use crate::field::{Field, FieldKind, Schema};
use crate::rule::Rule;

impl Schema {
    /// A JSON Schema document (2020-12) of what the API accepts.
    #[must_use]
    pub fn json_schema(&self) -> Value {
        let Value::Object(object) = record(self) else {
            return Value::Null;
        };
        let mut document = Map::new();
        document.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        if !self.name.is_empty() {
            document.insert("title".to_owned(), Value::from(self.name));
        }
        document.extend(object);
        Value::Object(document)
    }
}

fn record(schema: &Schema) -> Value {
    let mut members = Map::new();
    for field in &schema.fields {
        members.insert(field.name.to_owned(), member(field));
    }
    for shorthand in &schema.shorthands {
        let mut form = nullable(value(&shorthand.field));
        form["writeOnly"] = Value::Bool(true);
        form["deprecated"] = Value::Bool(shorthand.deprecated);
        members.insert(shorthand.field.name.to_owned(), form);
    }
    // What a shorthand can stand for need not be sent itself.
    let required: Vec<&str> = schema
        .fields
        .iter()
        .filter(|field| field.required == Some(true) && field.default.is_none() && !field.auto)
        .filter(|field| !matches!(field.kind, FieldKind::Record(_)))
        .filter(|_| {
            schema
                .shorthands
                .iter()
                .all(|shorthand| shorthand.deprecated)
        })
        .map(|field| field.name)
        .collect();
    let mut form = Map::new();
    form.insert("type".to_owned(), json!("object"));
    form.insert("properties".to_owned(), Value::Object(members));
    if !required.is_empty() {
        form.insert("required".to_owned(), json!(required));
    }
    form.insert("additionalProperties".to_owned(), Value::Bool(false));
    Value::Object(form)
}

fn member(field: &Field) -> Value {
    let plain = value(field);
    let mut form = if field.is_required() {
        plain
    } else {
        nullable(plain)
    };
    if let Some(default) = &field.default {
        form["default"] = default.clone();
    }
    if !field.description.is_empty() {
        form["description"] = Value::from(field.description);
    }
    if field.transient || field.encrypted {
        form["x-secret"] = Value::Bool(field.encrypted);
    }
    form
}

/// The same, or null.
fn nullable(mut form: Value) -> Value {
    if let Some(kind) = form.get("type").cloned() {
        form["type"] = json!([kind, "null"]);
        if let Some(Value::Array(list)) = form.get_mut("enum") {
            list.push(Value::Null);
        }
        return form;
    }
    form
}

fn value(field: &Field) -> Value {
    let mut form = match &field.kind {
        FieldKind::String => json!({"type": "string"}),
        FieldKind::Integer => json!({"type": "integer"}),
        FieldKind::Number => json!({"type": "number"}),
        FieldKind::Boolean => json!({"type": "boolean"}),
        FieldKind::Array(element) => json!({"type": "array", "items": value(element)}),
        FieldKind::Set(element) => json!({"type": "array", "items": value(element)}),
        FieldKind::Map { values, .. } => {
            json!({"type": "object", "additionalProperties": value(values)})
        }
        FieldKind::Record(schema) => record(schema),
        FieldKind::Foreign(_) => json!({
            "type": "object",
            "properties": {"id": {"type": "string", "format": "uuid"}},
        }),
        FieldKind::Abstract => json!({"type": "object"}),
        FieldKind::Json => json!({}),
    };
    let implied = matches!(field.kind, FieldKind::String)
        && !field
            .rules
            .iter()
            .any(|rule| matches!(rule, Rule::LenMin(_)));
    if implied && !field.referenceable {
        form["minLength"] = Value::from(1);
    }
    for rule in &field.rules {
        apply(rule, field, &mut form);
    }
    form
}

fn apply(rule: &Rule, field: &Field, form: &mut Value) {
    let list = matches!(field.kind, FieldKind::Array(_) | FieldKind::Set(_));
    match rule {
        Rule::Eq(value) => form["const"] = value.clone(),
        Rule::OneOf(values) => form["enum"] = Value::Array(values.clone()),
        Rule::NotOneOf(values) => form["not"] = json!({"enum": values}),
        Rule::Gt(limit) => form["exclusiveMinimum"] = Value::from(*limit),
        Rule::Timestamp => form["exclusiveMinimum"] = Value::from(0),
        Rule::Uuid => form["format"] = Value::from("uuid"),
        Rule::IsRegex => form["format"] = Value::from("regex"),
        Rule::Between(low, high) => {
            form["minimum"] = Value::from(*low);
            form["maximum"] = Value::from(*high);
        }
        Rule::LenMin(length) => {
            form[if list { "minItems" } else { "minLength" }] = (*length).into()
        }
        Rule::LenMax(length) => {
            form[if list { "maxItems" } else { "maxLength" }] = (*length).into()
        }
        Rule::Match(pattern) if !field.referenceable => {
            form["pattern"] = Value::from(pattern.regex());
        }
        _ => {}
    }
}
