//! Filling in what a document leaves out.
//!
//! Rebuilds every record in the order of its description; unknown members are kept at the end
//! so that validation can name them.

use std::collections::HashSet;

use serde_json::{Number, Value};

use crate::Map;
use crate::field::{Field, FieldKind, Schema};
use crate::process::Makers;
use crate::read::whole_number;
use crate::rule::Rule;
use crate::violations::Violations;

/// Lists up to this long are searched for duplicates by comparison.
const SMALL_SET: usize = 16;

/// Work of one document.
pub(crate) struct Completion<'a> {
    makers: Option<&'a Makers>,
    millis: Option<u64>,
    /// Errors in shorthands; they end the work and are named from the document's root.
    pub(crate) faults: Violations,
}

impl<'a> Completion<'a> {
    pub(crate) fn new(makers: Option<&'a Makers>) -> Self {
        Self {
            makers,
            millis: None,
            faults: Violations::new(),
        }
    }

    /// Completes a record. A patch (`update`) gets no defaults.
    pub(crate) fn complete(&mut self, schema: &Schema, body: &mut Map, update: bool) {
        for shorthand in &schema.shorthands {
            shorthand.expand(body, &mut self.faults);
        }
        let mut given = std::mem::replace(body, Map::with_capacity(schema.fields.len()));
        for field in &schema.fields {
            let value = given.remove(field.name);
            if let Some(value) = self.member(field, value, update) {
                body.insert(field.name.to_owned(), value);
            }
        }
        body.extend(given);
    }

    /// Fills in defaults inside the nested records of a merged patch.
    pub(crate) fn complete_inner(&mut self, schema: &Schema, body: &mut Map) {
        for field in &schema.fields {
            if matches!(field.kind, FieldKind::Record(_))
                && let Some(value) = body.get_mut(field.name)
            {
                let taken = std::mem::take(value);
                *value = self.adjust(field, taken, false);
            }
        }
    }

    fn member(&mut self, field: &Field, value: Option<Value>, update: bool) -> Option<Value> {
        let value = if field.auto {
            self.make(field, value, update)
        } else {
            value
        };
        match value {
            Some(Value::Null) if field.extension && !update => None,
            Some(value) => Some(self.adjust(field, value, update)),
            None if update || field.extension => None,
            None => self.absent(field),
        }
    }

    fn absent(&mut self, field: &Field) -> Option<Value> {
        if let FieldKind::Record(schema) = &field.kind
            && field.is_required()
        {
            let mut members = match &field.default {
                Some(Value::Object(members)) => members.clone(),
                _ => Map::new(),
            };
            self.complete(schema, &mut members, false);
            return Some(Value::Object(members));
        }
        match &field.default {
            // Records inside a default list are completed like given ones.
            Some(default) => Some(self.adjust(field, default.clone(), false)),
            None if field.is_required() || field.transient || field.auto => None,
            None => Some(Value::Null),
        }
    }

    fn make(&mut self, field: &Field, value: Option<Value>, update: bool) -> Option<Value> {
        let Some(makers) = self.makers else {
            return value;
        };
        let absent = value.is_none();
        let created = field.name == "created_at";
        let updated = field.name == "updated_at";
        match field.kind {
            FieldKind::String if absent && !update => {
                let uuid = field.rules.iter().any(|rule| matches!(rule, Rule::Uuid));
                Some(Value::String(if uuid {
                    (makers.uuid)()
                } else {
                    (makers.secret)()
                }))
            }
            FieldKind::Integer | FieldKind::Number
                if updated || (created && !update && value.as_ref().is_none_or(Value::is_null)) =>
            {
                let millis = *self.millis.get_or_insert_with(makers.unix_millis);
                Some(time_value(field, millis))
            }
            _ => value,
        }
    }

    /// Brings a given value into shape: elements completed, sets without duplicates, `{}` and
    /// `[]` where they mean the same, whole floats as integers.
    fn adjust(&mut self, field: &Field, value: Value, update: bool) -> Value {
        match (&field.kind, value) {
            (FieldKind::Record(schema), Value::Object(mut members)) => {
                self.complete(schema, &mut members, update);
                Value::Object(members)
            }
            (FieldKind::Record(_), Value::Array(items)) if items.is_empty() => {
                self.adjust(field, Value::Object(Map::new()), update)
            }
            (FieldKind::Array(_) | FieldKind::Set(_), Value::Object(members))
                if members.is_empty() =>
            {
                Value::Array(Vec::new())
            }
            (FieldKind::Map { .. }, Value::Array(items)) if items.is_empty() => {
                Value::Object(Map::new())
            }
            (FieldKind::Array(element), Value::Array(items)) => {
                Value::Array(self.elements(element, items))
            }
            (FieldKind::Set(element), Value::Array(items)) => {
                Value::Array(distinct(self.elements(element, items)))
            }
            (FieldKind::Map { values, .. }, Value::Object(members)) => Value::Object(
                members
                    .into_iter()
                    .map(|(key, value)| (key, self.adjust(values, value, false)))
                    .collect(),
            ),
            (FieldKind::Integer | FieldKind::Number, Value::Number(number)) => {
                Value::Number(shortest(number))
            }
            (FieldKind::Foreign(_), Value::Object(key)) => Value::Object(only_id(key)),
            (FieldKind::String, Value::String(text)) => Value::String(lower_uuid(field, text)),
            (_, value) => value,
        }
    }

    fn elements(&mut self, element: &Field, items: Vec<Value>) -> Vec<Value> {
        items
            .into_iter()
            .map(|item| self.adjust(element, item, false))
            .collect()
    }
}

fn time_value(field: &Field, millis: u64) -> Value {
    if !matches!(field.kind, FieldKind::Number) {
        return Value::from(millis / 1000);
    }
    // Compat: times of targets carry milliseconds as a fraction.
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    text.parse::<f64>().map_or(Value::Null, Value::from)
}

fn shortest(number: Number) -> Number {
    if number.is_f64()
        && let Some(whole) = whole_number(&Value::Number(number.clone()))
    {
        return Number::from(whole);
    }
    number
}

/// Only the primary key of a reference is stored.
fn only_id(mut key: Map) -> Map {
    if key.len() > 1
        && let Some(id) = key.remove("id")
    {
        key.clear();
        key.insert("id".to_owned(), id);
    }
    if let Some(Value::String(id)) = key.get_mut("id") {
        id.make_ascii_lowercase();
    }
    key
}

fn lower_uuid(field: &Field, mut text: String) -> String {
    if field
        .rules
        .first()
        .is_some_and(|rule| matches!(rule, Rule::Uuid))
    {
        text.make_ascii_lowercase();
    }
    text
}

fn distinct(items: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    if items.len() <= SMALL_SET {
        for item in items {
            if !kept.contains(&item) {
                kept.push(item);
            }
        }
        return kept;
    }
    let mut seen = HashSet::with_capacity(items.len());
    for item in items {
        if seen.insert(item.to_string()) {
            kept.push(item);
        }
    }
    kept
}
