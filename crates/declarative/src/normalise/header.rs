//! The document's own members, besides its entities.

use entities::Map;
use serde_json::Value;

use super::{Work, migrate};
use crate::document::Step;

/// Formats that can be read.
const VERSIONS: [&str; 3] = ["1.1", "2.1", "3.0"];

/// Members of decK's dialect.
const DECK: [&str; 4] = ["_info", "_workspace", "_konnect", "_plugin_configs"];

impl Work<'_> {
    /// Judges and removes the members that are no entities.
    pub(super) fn header(&mut self, members: &mut Map) {
        let version = members.shift_remove("_format_version");
        if let Some(message) = version_fault(version.as_ref(), self.options.version_optional) {
            self.top(vec![Step::Member("_format_version".to_owned())], &message);
        }
        match members.shift_remove("_transform") {
            None | Some(Value::Null) => {}
            Some(Value::Bool(flag)) => self.transform = flag,
            Some(_) => {
                self.top(
                    vec![Step::Member("_transform".to_owned())],
                    "expected a boolean",
                );
            }
        }
        match members.shift_remove("_comment") {
            None | Some(Value::Null | Value::String(_)) => {}
            Some(_) => self.top(
                vec![Step::Member("_comment".to_owned())],
                "expected a string",
            ),
        }
        match members.shift_remove("_ignore") {
            None | Some(Value::Null | Value::Array(_)) => {}
            Some(Value::Object(empty)) if empty.is_empty() => {}
            Some(_) => self.top(
                vec![Step::Member("_ignore".to_owned())],
                "expected an array",
            ),
        }
        if self.options.tolerate_deck {
            for name in DECK {
                if let Some(Value::Object(value)) = members.shift_remove(name)
                    && name == "_plugin_configs"
                {
                    self.plugin_configs = value;
                }
            }
        }
        if matches!(
            version.as_ref().and_then(Value::as_str),
            Some("1.1" | "2.1")
        ) {
            migrate::paths(members);
        }
    }
}

fn version_fault(version: Option<&Value>, optional: bool) -> Option<String> {
    match version {
        None | Some(Value::Null) if optional => None,
        None | Some(Value::Null) => Some("required field missing".to_owned()),
        Some(Value::String(text)) if VERSIONS.contains(&text.as_str()) => None,
        Some(Value::String(_)) => Some(format!("expected one of: {}", VERSIONS.join(", "))),
        Some(_) => Some("expected a string".to_owned()),
    }
}
