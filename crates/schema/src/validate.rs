//! Validation of a completed document.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Map;
use crate::field::{Field, FieldKind, Schema};
use crate::read::whole_number;
use crate::rule::{Rule, is_uuid};
use crate::violations::{Violation, Violations};

/// What a missing member is answered with.
pub(crate) const REQUIRED: &str = "required field missing";

/// The place of the least length in the order of rules.
const LENGTH_RANK: u8 = 10;

/// One validation.
#[derive(Clone, Copy)]
pub(crate) struct Validation {
    /// Whether a patched entity is validated, which changes some messages.
    pub(crate) update: bool,
}

impl Validation {
    /// Validates a record: members, unknown members, absent members, then checks.
    pub(crate) fn record(self, schema: &Schema, body: &Map, found: &mut Violations) {
        let mut known = 0;
        for field in &schema.fields {
            let Some(value) = body.get(field.name) else {
                if field.is_required() && !found.has(field.name) {
                    found.add(field.name, REQUIRED);
                }
                continue;
            };
            known += 1;
            if let Some(fault) = self.value(field, value) {
                found.set(field.name, fault);
            }
        }
        if known < body.len() {
            for name in body.keys().filter(|name| schema.find(name).is_none()) {
                found.set_member(name, Violation::Text("unknown field".to_owned()));
            }
        }
        for check in &schema.checks {
            check.apply(schema, body, self.update, found);
        }
    }

    /// What is wrong with one value, if anything.
    pub(crate) fn value(self, field: &Field, value: &Value) -> Option<Violation> {
        if value.is_null() {
            return null_fault(field).map(Violation::Text);
        }
        if field
            .rules
            .first()
            .is_some_and(|rule| matches!(rule, Rule::Eq(Value::Null)))
        {
            return Some(Violation::Text(
                field.err.unwrap_or("value must be null").to_owned(),
            ));
        }
        let fault = match &field.kind {
            FieldKind::Array(element) => self.list(element, value, "expected an array"),
            FieldKind::Set(element) => self.list(element, value, "expected a set"),
            FieldKind::Map { keys, values } => self.map(keys, values, value),
            FieldKind::Record(schema) => self.nested(schema, value),
            FieldKind::Abstract => (!value.is_object()).then(|| text("expected a record")),
            FieldKind::Foreign(_) => foreign_fault(value),
            FieldKind::Integer => whole_number(value)
                .is_none()
                .then(|| text("expected an integer")),
            FieldKind::Number => (!value.is_number()).then(|| text("expected a number")),
            FieldKind::Boolean => (!value.is_boolean()).then(|| text("expected a boolean")),
            FieldKind::String => (!value.is_string()).then(|| text("expected a string")),
            FieldKind::Json => None,
        };
        fault.or_else(|| rules_fault(field, value).map(Violation::Text))
    }

    fn list(self, element: &Field, value: &Value, message: &str) -> Option<Violation> {
        let Value::Array(items) = value else {
            return Some(text(message));
        };
        let faults: BTreeMap<usize, Violation> = items
            .iter()
            .enumerate()
            .filter_map(|(position, item)| {
                let fault = if item.is_null() {
                    Some(text(REQUIRED))
                } else {
                    self.value(element, item)
                };
                fault.map(|fault| (position, fault))
            })
            .collect();
        (!faults.is_empty()).then_some(Violation::Elements(faults))
    }

    /// Compat: the first fault of a map stands for the whole map.
    fn map(self, keys: &Field, values: &Field, value: &Value) -> Option<Violation> {
        let Value::Object(members) = value else {
            return Some(text("expected a map"));
        };
        members.iter().find_map(|(key, value)| {
            self.value(keys, &Value::String(key.clone())).or_else(|| {
                if value.is_null() {
                    Some(text(REQUIRED))
                } else {
                    self.value(values, value)
                }
            })
        })
    }

    fn nested(self, schema: &Schema, value: &Value) -> Option<Violation> {
        let Value::Object(members) = value else {
            return Some(text("expected a record"));
        };
        let mut found = Violations::new();
        self.record(schema, members, &mut found);
        if !found.is_empty() {
            return Some(Violation::Record(found));
        }
        schema
            .custom
            .and_then(|custom| custom(value).err())
            .map(Violation::Text)
    }
}

fn text(message: &str) -> Violation {
    Violation::Text(message.to_owned())
}

fn null_fault(field: &Field) -> Option<String> {
    for rule in &field.rules {
        match rule {
            Rule::Eq(wanted) if !wanted.is_null() => return rule.fault(&Value::Null),
            Rule::Ne(Value::Null) => return rule.fault(&Value::Null),
            _ => {}
        }
    }
    field.is_required().then(|| REQUIRED.to_owned())
}

fn foreign_fault(value: &Value) -> Option<Violation> {
    let message = match value.get("id") {
        Some(Value::String(id)) if is_uuid(id) => return None,
        Some(Value::String(_)) => "expected a valid UUID",
        Some(Value::Null) | None => "missing primary key",
        Some(_) => "expected a string",
    };
    Some(Violation::Record(Violations::of("id", message)))
}

/// What the rules have against a value of the right kind. Texts have an implied least length.
pub(crate) fn rules_fault(field: &Field, value: &Value) -> Option<String> {
    if field.referenceable && value.as_str().is_some_and(is_vault_reference) {
        return None;
    }
    let mut empty = value.as_str() == Some("")
        && matches!(field.kind, FieldKind::String)
        && !field
            .rules
            .iter()
            .any(|rule| matches!(rule, Rule::LenMin(_)));
    let short = || Some(field.err.unwrap_or("length must be at least 1").to_owned());
    for rule in &field.rules {
        if empty && rule.rank() > LENGTH_RANK {
            return short();
        }
        if let Some(fault) = rule.fault(value) {
            return Some(field.err.map_or(fault, str::to_owned));
        }
    }
    if std::mem::take(&mut empty) {
        short()
    } else {
        None
    }
}

/// Whether the text is a reference into a vault, `{vault://…}`.
fn is_vault_reference(text: &str) -> bool {
    text.strip_prefix("{vault://")
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|rest| rest.bytes().any(|byte| byte == b'/') && !rest.starts_with('/'))
}
