//! Values printed as the reference prints tables inside its messages.
//!
//! Compat: two notations appear on the wire, an indented one for deep errors and a one-line one
//! (`{key="value",other={id="…"}}`) for keys. Both are Lua table constructors.

use serde_json::Value;

use crate::rule::number_text;

/// The one-line notation with sorted keys: `{name="orders",route=null}`.
#[must_use]
pub fn table_text(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut keys: Vec<&String> = members.keys().collect();
            keys.sort();
            let parts: Vec<String> = keys
                .into_iter()
                .map(|key| format!("{}={}", key_text(key), table_text(&members[key.as_str()])))
                .collect();
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(items) => {
            let mut gap = false;
            let mut parts = Vec::new();
            for (position, item) in items.iter().enumerate() {
                if item.is_null() {
                    gap = true;
                } else if gap {
                    parts.push(format!("[{}]={}", position + 1, table_text(item)));
                } else {
                    parts.push(table_text(item));
                }
            }
            format!("{{{}}}", parts.join(","))
        }
        other => scalar(other),
    }
}

/// The entries of a table: list positions first (from 1), then sorted members.
pub(crate) fn entries(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .filter(|(_, item)| !item.is_null())
            .map(|(position, item)| ((position + 1).to_string(), item))
            .collect(),
        Value::Object(members) => {
            let mut list: Vec<_> = members
                .iter()
                .map(|(name, value)| (name.clone(), value))
                .collect();
            list.sort_by(|left, right| left.0.cmp(&right.0));
            list
        }
        _ => Vec::new(),
    }
}

/// A value as part of a message: text plain, tables indented.
pub(crate) fn inner(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(_) | Value::Array(_) => indented(value, 0),
        other => scalar(other),
    }
}

fn indented(value: &Value, depth: usize) -> String {
    let pad = "  ".repeat(depth + 1);
    let mut lines = Vec::new();
    let mut next = 1;
    for (key, entry) in entries(value) {
        let text = match entry {
            Value::Object(_) | Value::Array(_) => indented(entry, depth + 1),
            other => scalar(other),
        };
        let position = value.is_array();
        if position && key == next.to_string() {
            next += 1;
            lines.push(format!("{pad}{text}"));
        } else if position {
            lines.push(format!("{pad}[{key}] = {text}"));
        } else {
            lines.push(format!("{pad}{} = {text}", key_text(&key)));
        }
    }
    if lines.is_empty() {
        return "{}".to_owned();
    }
    format!("{{\n{}\n{}}}", lines.join(",\n"), "  ".repeat(depth))
}

fn key_text(key: &str) -> String {
    let mut bytes = key.bytes();
    let identifier = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if identifier {
        key.to_owned()
    } else {
        format!("[{}]", quoted(key))
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Number(number) => number_text(number),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    for char in text.chars() {
        match char {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            // Compat: other control characters stand as their number.
            control if control.is_ascii_control() => {
                escaped.push_str(&format!("\\{}", u32::from(control)));
            }
            other => escaped.push(other),
        }
    }
    format!("\"{escaped}\"")
}
