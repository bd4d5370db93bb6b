//! Which members are secrets, and bodies without them.

use std::collections::HashMap;

use entities::{Catalogue, EntityKind};
use schema::{Field, FieldKind, Map, Schema};
use serde_json::{Value, json};

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "********";

/// Members that are taken for secrets where no description says so.
const SUSPECT: [&str; 7] = [
    "password",
    "secret",
    "token",
    "api_key",
    "private_key",
    "access_key",
    "credentials",
];

/// The secrets of all kinds.
pub(crate) struct Masks<'a> {
    catalogue: &'a Catalogue,
    sealed: HashMap<&'static str, Vec<&'static str>>,
}

impl<'a> Masks<'a> {
    pub(crate) fn new(catalogue: &'a Catalogue) -> Self {
        let facts = store::Model::kinds(catalogue).into_iter();
        let sealed = facts.map(|facts| (facts.name, facts.sealed)).collect();
        Self { catalogue, sealed }
    }

    /// For rows like this one.
    pub(crate) fn of(&self, kind: &'a EntityKind, row: &Map) -> Secrets<'_> {
        let plugin = row.get("name").and_then(Value::as_str);
        let plugin = plugin.filter(|_| kind.name == "plugins");
        let schema = plugin.and_then(|name| self.catalogue.plugin_schema(name));
        let sealed = self.sealed.get(kind.name).map_or(&[][..], Vec::as_slice);
        Secrets {
            schema: schema.unwrap_or(&kind.schema),
            // The configuration of a plugin is sealed whole, but described member by member.
            sealed: if schema.is_some() { &[] } else { sealed },
        }
    }
}

/// The secrets of one row.
pub(crate) struct Secrets<'a> {
    schema: &'a Schema,
    /// Members that are secret as a whole.
    sealed: &'a [&'static str],
}

impl Secrets<'_> {
    /// The body with masks for secrets.
    pub(crate) fn masked(&self, body: &Map) -> Map {
        let mut shown = body.clone();
        for (name, value) in &mut shown {
            if self.sealed.contains(&name.as_str()) {
                hide(value);
            } else {
                mask(self.schema.find(name), name, value);
            }
        }
        shown
    }

    /// Whether a member at the top is secret as a whole.
    pub(crate) fn is_sealed(&self, name: &str) -> bool {
        self.sealed.contains(&name)
    }

    /// The description of a member at the top.
    pub(crate) fn find(&self, name: &str) -> Option<&Field> {
        self.schema.find(name)
    }
}

/// Whether a value is secret by its description, or by its name where it has none.
pub(crate) fn is_secret(field: Option<&Field>, name: &str) -> bool {
    match field {
        Some(field) => field.encrypted,
        None => SUSPECT.iter().any(|suspect| name.ends_with(suspect)),
    }
}

/// The description of a member of a record.
pub(crate) fn member<'f>(field: Option<&'f Field>, name: &str) -> Option<&'f Field> {
    match &field?.kind {
        FieldKind::Record(schema) => schema.find(name),
        FieldKind::Map { values, .. } => Some(values),
        _ => None,
    }
}

/// The description of the elements of a list.
pub(crate) fn element(field: Option<&Field>) -> Option<&Field> {
    match &field?.kind {
        FieldKind::Array(element) | FieldKind::Set(element) => Some(element),
        _ => None,
    }
}

/// Masks the secrets in a value.
pub(crate) fn mask(field: Option<&Field>, name: &str, value: &mut Value) {
    if is_secret(field, name) {
        return hide(value);
    }
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                mask(member(field, name), name, value);
            }
        }
        Value::Array(items) => {
            for item in items {
                mask(element(field), name, item);
            }
        }
        _ => {}
    }
}

fn hide(value: &mut Value) {
    if !value.is_null() {
        *value = json!(MASK);
    }
}
