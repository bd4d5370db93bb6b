//! Which tags contradict each other.

use serde_json::Value;

/// Refuses two tags of one name.
pub(super) fn distinct_names(tags: &Value) -> Result<(), String> {
    let tags = tags.as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<&str> = tags
        .iter()
        .filter_map(|tag| tag.get("name").and_then(Value::as_str))
        .collect();
    let repeated = names
        .iter()
        .enumerate()
        .find(|(at, name)| names[..*at].contains(name));
    match repeated {
        Some((_, name)) => Err(format!("repeated tags are not allowed: {name}")),
        None => Ok(()),
    }
}
