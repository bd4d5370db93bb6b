//! The places of a description: every member, element, key and value.

use std::fmt::Write as _;

use schema::{Field, FieldKind, Schema};
use serde_json::{Value, json};

/// A step from a description to one of its fields.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    Member(usize),
    Element,
    Key,
    Value,
}

/// Every field of a description, those of elements, keys and values included.
pub(crate) fn places(schema: &Schema, before: &[Step], found: &mut Vec<Vec<Step>>) {
    for (position, field) in schema.fields.iter().enumerate() {
        let at = [before, &[Step::Member(position)]].concat();
        inside(field, at, found);
    }
}

fn inside(field: &Field, at: Vec<Step>, found: &mut Vec<Vec<Step>>) {
    match &field.kind {
        FieldKind::Record(inner) => places(inner, &at, found),
        FieldKind::Array(element) | FieldKind::Set(element) => {
            inside(element, [&at[..], &[Step::Element]].concat(), found);
        }
        FieldKind::Map { keys, values } => {
            inside(keys, [&at[..], &[Step::Key]].concat(), found);
            inside(values, [&at[..], &[Step::Value]].concat(), found);
        }
        _ => {}
    }
    found.push(at);
}

pub(crate) fn field<'s>(schema: &'s mut Schema, at: &[Step]) -> &'s mut Field {
    let (Some(Step::Member(first)), rest) = (at.first(), &at[1..]) else {
        unreachable!("paths begin with a member");
    };
    let mut found = &mut schema.fields[*first];
    for step in rest {
        found = match (step, &mut found.kind) {
            (Step::Member(position), FieldKind::Record(inner)) => &mut inner.fields[*position],
            (Step::Element, FieldKind::Array(element) | FieldKind::Set(element)) => element,
            (Step::Key, FieldKind::Map { keys, .. }) => keys,
            (Step::Value, FieldKind::Map { values, .. }) => values,
            _ => unreachable!("the path is of this description"),
        };
    }
    found
}

/// The names on the way, for people.
pub(crate) fn named(schema: &mut Schema, at: &[Step]) -> String {
    let mut path = String::new();
    for end in 1..=at.len() {
        match at[end - 1] {
            Step::Member(_) => {
                let dot = if end == 1 { "" } else { "." };
                let _ = write!(path, "{dot}{}", field(schema, &at[..end]).name);
            }
            Step::Element => path.push_str("[]"),
            Step::Key => path.push_str("{key}"),
            Step::Value => path.push_str("{value}"),
        }
    }
    path
}

/// A body with the value in that place; `None` where a key is no text.
pub(crate) fn body(schema: &mut Schema, at: &[Step], value: &Value) -> Option<Value> {
    let mut body = value.clone();
    for end in (1..=at.len()).rev() {
        body = match at[end - 1] {
            Step::Member(_) => json!({ field(schema, &at[..end]).name: body }),
            Step::Element => json!([body]),
            Step::Key => json!({ body.as_str()?: null }),
            Step::Value => json!({"k": body}),
        };
    }
    Some(body)
}
