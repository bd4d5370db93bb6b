//! Whether a value fits a JSON Schema: the part of the dialect that documents here use. Nothing
//! fits any other word.

use regex::Regex;
use serde_json::{Map, Value};

/// Words that say nothing about values.
const NOTES: [&str; 14] = [
    "$schema",
    "title",
    "description",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "format",
    "x-secret",
    "x-referenceable",
    "x-immutable",
    "x-unique",
    "x-reference",
    "x-replaced-by",
];

/// What does not fit, with its path; empty if everything does.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, value, "", &mut found);
    found
}

fn fits(schema: &Value, value: &Value) -> bool {
    faults(schema, value).is_empty()
}

fn check(schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let Value::Object(words) = schema else {
        if schema == &Value::Bool(false) {
            found.push(format!("{path}: nothing fits"));
        }
        return;
    };
    for (word, says) in words {
        if NOTES.contains(&word.as_str()) {
            continue;
        }
        let holds = match word.as_str() {
            "properties" | "items" | "additionalProperties" | "propertyNames" => {
                inside(word, says, words, value, path, found);
                true
            }
            "allOf" => {
                let list = says.as_array().expect("a list");
                list.iter().for_each(|one| check(one, value, path, found));
                true
            }
            "then" => true,
            "if" => {
                if fits(says, value) {
                    check(&words["then"], value, path, found);
                }
                true
            }
            _ => holds(word, says, value),
        };
        if !holds {
            found.push(format!("{path}: {word} {says} does not hold for {value}"));
        }
    }
}

fn inside(
    word: &str,
    says: &Value,
    words: &Map<String, Value>,
    value: &Value,
    path: &str,
    found: &mut Vec<String>,
) {
    if let ("items", Value::Array(items)) = (word, value) {
        for (at, item) in items.iter().enumerate() {
            check(says, item, &format!("{path}[{at}]"), found);
        }
    }
    let Value::Object(members) = value else {
        return;
    };
    let known = words.get("properties");
    for (name, member) in members {
        let below = format!("{path}.{name}");
        match word {
            "properties" => {
                if let Some(schema) = says.get(name) {
                    check(schema, member, &below, found);
                }
            }
            "additionalProperties" if known.is_none_or(|known| known.get(name).is_none()) => {
                check(says, member, &below, found);
            }
            "propertyNames" => check(says, &Value::String(name.clone()), &below, found),
            _ => {}
        }
    }
}

fn holds(word: &str, says: &Value, value: &Value) -> bool {
    let list = || says.as_array().expect("a list").iter();
    let length = || {
        says.as_u64()
            .and_then(|length| usize::try_from(length).ok())
    };
    let limit = || says.as_f64().expect("a number");
    let size = match value {
        Value::String(text) => Some(("Length", text.chars().count())),
        Value::Array(items) => Some(("Items", items.len())),
        Value::Object(members) => Some(("Properties", members.len())),
        _ => None,
    };
    match word {
        "type" if says.is_array() => list().any(|kind| is_a(kind, value)),
        "type" => is_a(says, value),
        "enum" => list().any(|one| one == value),
        "const" => says == value,
        "not" => !fits(says, value),
        "anyOf" => list().any(|one| fits(one, value)),
        "required" => list()
            .all(|name| !value.is_object() || value.get(name.as_str().expect("a name")).is_some()),
        "contains" => value
            .as_array()
            .is_none_or(|items| items.iter().any(|item| fits(says, item))),
        "pattern" => {
            let pattern = Regex::new(says.as_str().expect("a text")).expect("a pattern");
            value.as_str().is_none_or(|text| pattern.is_match(text))
        }
        "minimum" => value.as_f64().is_none_or(|number| number >= limit()),
        "maximum" => value.as_f64().is_none_or(|number| number <= limit()),
        "exclusiveMinimum" => value.as_f64().is_none_or(|number| number > limit()),
        word if word.starts_with("min") || word.starts_with("max") => {
            let (least, of) = word.split_at(3);
            size.is_none_or(|(name, size)| {
                let length = length().expect("a length");
                name != of
                    || if least == "min" {
                        size >= length
                    } else {
                        size <= length
                    }
            })
        }
        _ => false,
    }
}

fn is_a(kind: &Value, value: &Value) -> bool {
    match kind.as_str().expect("a kind") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => false,
    }
}
