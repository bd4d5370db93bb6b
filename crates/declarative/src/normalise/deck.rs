//! decK's dialect: defaults, select tags, groups and shared parts in its own shapes.
//!
//! What steers decK itself (`_workspace`, `_konnect`, lookup tags) is read over.

use std::borrow::Cow;

use entities::{EntityKind, Map};
use serde_json::{Value, json};

use super::Work;
use crate::document::Document;

impl Document {
    /// decK's `_info.select_tags`: the tags of the rows that the file manages.
    #[must_use]
    pub fn select_tags(&self) -> Vec<String> {
        let tags = self
            .root
            .get("_info")
            .and_then(|info| info.get("select_tags"));
        let tags = tags.and_then(Value::as_array).into_iter().flatten();
        tags.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// decK's `_konnect.control_plane_name`: the control plane that the file is meant for.
    #[must_use]
    pub fn control_plane_name(&self) -> Option<&str> {
        let target = self.root.get("_konnect")?;
        let name = target.get("control_plane_name");
        name.or_else(|| target.get("runtime_group_name"))?.as_str()
    }
}

/// Writes memberships and rows of `custom_entities` as the rows they are, if the document has any in
/// decK's shape: groups below consumers and consumers below groups, each by name, and rows that
/// name their kind.
pub(super) fn plain(mut document: Cow<'_, Value>) -> Cow<'_, Value> {
    let has = |list: &str, member: &str| {
        let rows = document.get(list).and_then(Value::as_array);
        rows.into_iter()
            .flatten()
            .any(|row| row.get(member).is_some_and(Value::is_array))
    };
    let has_custom = document.get(CUSTOM).is_some_and(Value::is_array);
    if has_custom || has("consumers", "groups") || has("consumer_groups", "consumers") {
        let document = document.to_mut();
        custom_entities(document);
        memberships(document, "consumers", "groups", "consumer_group");
        memberships(document, "consumer_groups", "consumers", "consumer");
    }
    document
}

/// Rows of kinds that decK has no list for: `{id, type, fields}`.
const CUSTOM: &str = "custom_entities";

/// Moves every row that names a kind and its fields to the list of that kind; the others stay, and
/// with them the list, which is no kind and refused.
fn custom_entities(document: &mut Value) {
    let Some(Value::Array(rows)) = document
        .as_object_mut()
        .and_then(|all| all.shift_remove(CUSTOM))
    else {
        return;
    };
    let mut left = Vec::new();
    for row in rows {
        let (Some(kind), Some(fields)) = (row["type"].as_str(), row["fields"].as_object()) else {
            left.push(row);
            continue;
        };
        let mut body: Map = fields
            .iter()
            .map(|(name, value)| (name.clone(), named(value)))
            .collect();
        if let Some(id) = row.get("id") {
            body.insert("id".to_owned(), id.clone());
        }
        match document.get_mut(kind) {
            None if !kind.starts_with('_') => document[kind] = json!([body]),
            Some(Value::Array(list)) => list.push(Value::Object(body)),
            _ => left.push(row),
        }
    }
    if !left.is_empty() {
        document[CUSTOM] = Value::Array(left);
    }
}

/// A reference by the one name that is in it, which documents write as a text.
fn named(value: &Value) -> Value {
    let only = value.as_object().filter(|members| members.len() == 1);
    let name = only.and_then(|members| {
        ["id", "name", "username"]
            .iter()
            .find_map(|key| members.get(*key))
    });
    name.unwrap_or(value).clone()
}

fn memberships(document: &mut Value, list: &str, member: &str, field: &str) {
    let rows = document.get_mut(list).and_then(Value::as_array_mut);
    for row in rows.into_iter().flatten().filter_map(Value::as_object_mut) {
        let Some(Value::Array(items)) = row.get_mut(member) else {
            continue;
        };
        for item in items {
            let name = ["id", "name", "username", "custom_id"]
                .iter()
                .find_map(|key| item.get(*key)?.as_str())
                .or_else(|| item.as_str());
            if let Some(name) = name {
                *item = json!({ field: name });
            }
        }
        if let Some(items) = row.shift_remove(member) {
            row.insert("consumer_group_consumers".to_owned(), items);
        }
    }
}

impl Work<'_> {
    /// Whether the passwords of basic-auth in the file are hashes already
    /// (`_info.skip_hash_for_basic_auth`).
    pub(super) fn has_hashes(&self) -> bool {
        let info = self.info.as_ref();
        info.and_then(|info| info.get("skip_hash_for_basic_auth")) == Some(&Value::Bool(true))
    }

    /// Completes an entity by `_info.defaults` and the tags of the selection.
    pub(super) fn complete(&self, kind: &EntityKind, body: &mut Map) {
        let info = self.info.as_ref();
        let defaults = info.and_then(|info| info.get("defaults")?.get(kind.singular));
        if let Some(Value::Object(defaults)) = defaults {
            fill(body, defaults);
        }
        if kind.has_tags {
            let own = info.and_then(|info| info.get("select_tags")?.as_array());
            let own = own.into_iter().flatten().filter_map(Value::as_str);
            let given = self.around.tags().iter().map(String::as_str);
            for tag in own.chain(given) {
                add_tag(body, tag);
            }
        }
    }

    /// Parts that a plugin names are referred to by id.
    pub(super) fn partial_ids(&mut self) {
        let kinds = self.catalogue.kinds();
        let position = |name: &str| kinds.iter().position(|kind| kind.name == name);
        let (Some(plugins), Some(partials)) = (position("plugins"), position("partials")) else {
            return;
        };
        let mut ids = std::collections::HashMap::new();
        for entry in self.entries.iter().filter(|entry| entry.kind == partials) {
            if let Some(name) = entry.body.get("name").and_then(Value::as_str) {
                ids.insert(name.to_owned(), entry.id.clone());
            }
        }
        for entry in self
            .entries
            .iter_mut()
            .filter(|entry| entry.kind == plugins)
        {
            let named = entry.body.get_mut("partials").and_then(Value::as_array_mut);
            for part in named.into_iter().flatten().filter_map(Value::as_object_mut) {
                let (None, Some(Value::String(name))) = (part.get("id"), part.get("name")) else {
                    continue;
                };
                let outside = || self.around.find("partials", name).map(str::to_owned);
                if let Some(id) = ids.get(name).cloned().or_else(outside) {
                    part.insert("id".to_owned(), Value::String(id));
                }
            }
        }
    }
}

/// Members that are missing, at every depth.
fn fill(body: &mut Map, defaults: &Map) {
    for (name, value) in defaults {
        match (body.get_mut(name), value) {
            (None, _) => {
                body.insert(name.clone(), value.clone());
            }
            (Some(Value::Object(own)), Value::Object(inner)) => fill(own, inner),
            (Some(_), _) => {}
        }
    }
}

fn add_tag(body: &mut Map, tag: &str) {
    let tags = body.entry("tags").or_insert(Value::Null);
    if tags.is_null() {
        *tags = Value::Array(Vec::new());
    }
    if let Value::Array(tags) = tags
        && !tags.iter().any(|own| own == tag)
    {
        tags.push(Value::from(tag));
    }
}
