//! Input-only aliases that are expanded before validation.
//!
//! Compat: an alias with a declared replacement is also emitted on read next to the new field,
//! so that older clients keep working.

use serde_json::Value;

use crate::Map;
use crate::field::Field;
use crate::process::lookup;
use crate::rule::{plain, same};
use crate::validate::Validation;
use crate::violations::Violations;

/// How an alias is expanded.
#[derive(Clone, Copy, Debug)]
pub enum Expansion {
    /// The value moves to this dotted path (`redis.host`).
    Into(&'static str),
    /// Code returns the members that the alias stands for; `Null` values are kept.
    Code(fn(&Value) -> Map),
}

/// An input-only alias.
#[derive(Clone, Debug)]
pub struct Shorthand {
    /// Name, kind and rules of the alias itself.
    pub field: Field,
    /// What it stands for.
    pub expansion: Expansion,
    /// Whether the alias is the old name of its replacement: both may be sent if they agree,
    /// and the alias is emitted on read.
    pub deprecated: bool,
}

impl Shorthand {
    /// An alias that stands for several members.
    #[must_use]
    pub fn expands(field: Field, code: fn(&Value) -> Map) -> Self {
        Self {
            field,
            expansion: Expansion::Code(code),
            deprecated: false,
        }
    }

    /// The old name of a member at a dotted path.
    #[must_use]
    pub fn replaced(field: Field, path: &'static str) -> Self {
        Self {
            field,
            expansion: Expansion::Into(path),
            deprecated: true,
        }
    }

    /// The path whose value is emitted under the alias on read.
    pub(crate) fn emitted_from(&self) -> Option<&'static str> {
        match self.expansion {
            Expansion::Into(path) if self.deprecated => Some(path),
            _ => None,
        }
    }

    /// Replaces the alias in `body` by what it stands for.
    pub(crate) fn expand(&self, body: &mut Map, faults: &mut Violations) {
        let name = self.field.name;
        let Some(value) = body.get(name) else { return };
        if let Some(fault) = (Validation { update: false }).value(&self.field, value) {
            faults.set(name, fault);
            return;
        }
        if let Some(path) = self.disagreement(body, value) {
            let new = lookup(body, path).map(plain).unwrap_or_default();
            faults.add(
                name,
                format!(
                    "both deprecated and new field are used but their values mismatch: \
                     {name} = {} vs {path} = {new}",
                    plain(value)
                ),
            );
            return;
        }
        let Some(value) = body.shift_remove(name) else {
            return;
        };
        match self.expansion {
            Expansion::Into(path) => place(body, path, value),
            Expansion::Code(code) => {
                for (member, value) in code(&value) {
                    body.insert(member, value);
                }
            }
        }
    }

    fn disagreement(&self, body: &Map, value: &Value) -> Option<&'static str> {
        let path = self.emitted_from()?;
        let new = lookup(body, path)?;
        (!value.is_null() && !new.is_null() && !same(value, new)).then_some(path)
    }
}

/// Puts a value at a dotted path, making records on the way. A null never replaces a value.
fn place(body: &mut Map, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            if !value.is_null() || !body.contains_key(path) {
                body.insert(path.to_owned(), value);
            }
        }
        Some((head, rest)) => {
            let slot = body.entry(head).or_insert(Value::Null);
            if slot.is_null() {
                *slot = Value::Object(Map::new());
            }
            if let Value::Object(members) = slot {
                place(members, rest, value);
            }
        }
    }
}
