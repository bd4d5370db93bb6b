//! A JSON body as members of an entity.

use std::collections::BTreeMap;

use schema::{Map, Violation, Violations};
use serde_json::Value;

use super::Fault;

/// Stands where bytes were no text.
const BROKEN: char = char::REPLACEMENT_CHARACTER;

/// The members of a body.
///
/// Compat: the places of a list count as names, as a table has nothing else, so an empty list is an
/// empty object. Other values that are no objects are refused, where the reference breaks.
pub(super) fn read(bytes: &[u8]) -> Result<Map, Fault> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(Value::Array(items)) => {
            let numbered = items.into_iter().enumerate();
            Ok(numbered
                .map(|(at, item)| ((at + 1).to_string(), item))
                .collect())
        }
        Ok(_) => Err(unreadable()),
        Err(_) => Err(no_text(bytes).unwrap_or_else(unreadable)),
    }
}

fn unreadable() -> Fault {
    Fault::bad_request("Cannot parse JSON body")
}

/// Where the bytes of a text are none. `None` when something else is wrong with the body.
///
/// Compat: the reference says so of tags alone and takes other texts as they are.
fn no_text(bytes: &[u8]) -> Option<Fault> {
    if std::str::from_utf8(bytes).is_ok() {
        return None;
    }
    let replaced = String::from_utf8_lossy(bytes);
    let body: Map = serde_json::from_str(&replaced).ok()?;
    let found = broken_members(&body)?;
    (!found.is_empty()).then(|| Fault::schema(&found))
}

/// `None` when a name is no text.
fn broken_members(members: &Map) -> Option<Violations> {
    let mut found = Violations::new();
    for (name, value) in members {
        if name.contains(BROKEN) {
            return None;
        }
        if let Some(violation) = broken(value) {
            found.set_member(name, violation);
        }
    }
    Some(found)
}

fn broken(value: &Value) -> Option<Violation> {
    match value {
        Value::String(text) => {
            let at = text.find(BROKEN)? + 1;
            let said = format!("invalid utf-8 character sequence detected at position {at}");
            Some(Violation::Text(said))
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            let found: BTreeMap<_, _> = items
                .filter_map(|(at, item)| Some((at, broken(item)?)))
                .collect();
            (!found.is_empty()).then_some(Violation::Elements(found))
        }
        Value::Object(members) => {
            let found = broken_members(members)?;
            (!found.is_empty()).then_some(Violation::Record(found))
        }
        _ => None,
    }
}
