//! What differs between two states of a row, without secrets.

use schema::{Field, Map};
use serde_json::{Value, json};

use super::mask::{MASK, Secrets, element, is_secret, mask, member};

/// Differences told of one row.
const MAX_TOLD: usize = 100;

/// Members that say when, not what.
pub(crate) const MOMENTS: [&str; 2] = ["created_at", "updated_at"];

/// Whether two bodies say the same, apart from moments.
pub(crate) fn is_same(left: &Map, right: &Map) -> bool {
    let within = |left: &Map, right: &Map| {
        left.iter().all(|(name, value)| {
            MOMENTS.contains(&name.as_str()) || right.get(name).unwrap_or(&Value::Null) == value
        })
    };
    within(left, right) && within(right, left)
}

/// `{"path", "before", "after"}` of every value that differs, at most [`MAX_TOLD`].
pub(crate) fn differences(secrets: &Secrets<'_>, before: &Map, after: &Map) -> Vec<Value> {
    let mut found = Vec::new();
    for name in names(before, after) {
        if MOMENTS.contains(&name) {
            continue;
        }
        let place = Place {
            path: name.to_owned(),
            name,
            field: secrets.find(name),
            is_secret: secrets.is_sealed(name),
        };
        let (left, right) = (before.get(name), after.get(name));
        walk(
            &place,
            left.unwrap_or(&Value::Null),
            right.unwrap_or(&Value::Null),
            &mut found,
        );
    }
    found.truncate(MAX_TOLD);
    found
}

struct Place<'a> {
    path: String,
    name: &'a str,
    field: Option<&'a Field>,
    is_secret: bool,
}

fn names<'a>(before: &'a Map, after: &'a Map) -> impl Iterator<Item = &'a str> {
    let new = after.keys().filter(|name| !before.contains_key(*name));
    before.keys().chain(new).map(String::as_str)
}

fn walk(place: &Place<'_>, before: &Value, after: &Value, found: &mut Vec<Value>) {
    if before == after {
        return;
    }
    if place.is_secret || is_secret(place.field, place.name) {
        let shown = |value: &Value| match value {
            Value::Null => Value::Null,
            _ => json!(MASK),
        };
        found.push(json!({
            "path": place.path, "before": shown(before), "after": shown(after), "secret": true,
        }));
        return;
    }
    match (before, after) {
        (Value::Object(left), Value::Object(right)) => {
            for name in names(left, right) {
                let inner = Place {
                    path: format!("{}.{name}", place.path),
                    name,
                    field: member(place.field, name),
                    is_secret: false,
                };
                let null = Value::Null;
                let (left, right) = (left.get(name), right.get(name));
                walk(&inner, left.unwrap_or(&null), right.unwrap_or(&null), found);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (position, (left, right)) in left.iter().zip(right).enumerate() {
                let inner = Place {
                    path: format!("{}[{position}]", place.path),
                    name: place.name,
                    field: element(place.field),
                    is_secret: false,
                };
                walk(&inner, left, right, found);
            }
        }
        _ => {
            let shown = |value: &Value| {
                let mut value = value.clone();
                mask(place.field, place.name, &mut value);
                value
            };
            found.push(json!({
                "path": place.path, "before": shown(before), "after": shown(after),
            }));
        }
    }
}
