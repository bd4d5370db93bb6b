//! The document's own members, besides its entities.

use entities::Map;
use serde_json::Value;

use super::{Options, Work};
use crate::document::Step;

/// Formats that can be read.
const VERSIONS: [&str; 3] = ["1.1", "2.1", "3.0"];

/// Members of decK's dialect.
const DECK: [&str; 4] = ["_info", "_workspace", "_konnect", "_plugin_configs"];

/// Whether a member of the document is none of its entities.
pub(super) fn is_header(name: &str, options: Options) -> bool {
    matches!(
        name,
        "_format_version" | "_transform" | "_comment" | "_ignore"
    ) || (options.tolerate_deck && DECK.contains(&name))
}

impl Work<'_> {
    /// Judges the members that are no entities, and keeps what other members are read with.
    pub(super) fn header(&mut self, members: &mut Map) {
        let version = members.get("_format_version");
        if let Some(message) = version_fault(version, self.options.version_optional) {
            self.at("_format_version", &message);
        }
        match members.get("_transform") {
            None | Some(Value::Null) => {}
            Some(Value::Bool(flag)) => self.transform = *flag,
            Some(_) => self.at("_transform", "expected a boolean"),
        }
        match members.get("_comment") {
            None | Some(Value::Null | Value::String(_)) => {}
            Some(_) => self.at("_comment", "expected a string"),
        }
        match members.get("_ignore") {
            None | Some(Value::Null | Value::Array(_)) => {}
            Some(Value::Object(empty)) if empty.is_empty() => {}
            Some(_) => self.at("_ignore", "expected an array"),
        }
        if self.options.tolerate_deck {
            if let Some(Value::Object(configs)) = members.get_mut("_plugin_configs") {
                self.plugin_configs = Some(std::mem::take(configs));
            }
            self.info = members.get_mut("_info").map(Value::take);
        }
    }

    fn at(&mut self, member: &str, message: &str) {
        self.top(vec![Step::Member(member.to_owned())], message);
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
