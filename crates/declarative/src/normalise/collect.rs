//! Flattening: every entity of the document, its parent before its children, with its id.

use std::str::FromStr;
use std::sync::Arc;

use entities::{Catalogue, EntityKind, IdContext, Map, Packed, Violations};
use serde_json::Value;
use uuid::Uuid;

use super::Work;
use super::header::is_header;
use super::nulls::drop_unknown;
use crate::document::{Step, path_text};
use crate::problem::ProblemEntity;

/// Members of an entity that mean nothing.
const REMARKS: [&str; 2] = ["_comment", "_ignore"];

/// One entity of the document.
pub(super) struct Entry {
    /// Position of its kind in the catalogue.
    pub(super) kind: usize,
    /// Its members, without nested children; what is left of them once it is packed.
    pub(super) body: Map,
    /// All of it, if it is to be packed as soon as it is complete.
    pub(super) packed: Option<Packed>,
    /// Its place in the list that it stands in.
    pub(super) position: usize,
    /// What it is nested in.
    pub(super) parent: Option<Parent>,
    /// Its id.
    pub(super) id: String,
    /// What was found before its schema has looked at it.
    pub(super) faults: Violations,
}

/// What an entity is nested in.
#[derive(Clone)]
pub(super) struct Parent {
    /// Its place among the entries.
    pub(super) entry: usize,
    /// The field that refers to it.
    pub(super) field: &'static str,
    /// Its id.
    pub(super) id: String,
    /// Whether that id was written down.
    pub(super) is_given: bool,
}

impl Work<'_> {
    /// Where an entity stands.
    pub(super) fn steps(&self, entry: &Entry) -> Vec<Step> {
        let mut steps = self.steps_of_list(entry.kind, entry.parent.as_ref());
        steps.push(Step::Element(entry.position));
        steps
    }

    fn steps_of_list(&self, kind: usize, parent: Option<&Parent>) -> Vec<Step> {
        let around = parent.map(|parent| self.steps(&self.entries[parent.entry]));
        let mut steps = around.unwrap_or_default();
        steps.push(Step::Member(self.catalogue.kinds()[kind].name.to_owned()));
        steps
    }

    /// The entity as submitted, for reports: without nested children, with the id of the entity
    /// it is nested in if that was written down, and with its own made-up id only if asked.
    /// `None` when the document is gone.
    pub(super) fn report(&self, entry: &Entry, with_id: bool) -> Option<Arc<ProblemEntity>> {
        let kind = &self.catalogue.kinds()[entry.kind];
        let steps = self.steps(entry);
        let mut body = match find(self.original?, &steps) {
            Some(Value::Object(body)) => body.clone(),
            _ => Map::new(),
        };
        body.retain(|name, _| !is_child(self.catalogue, kind, name));
        if with_id && !body.contains_key("id") {
            body.insert("id".to_owned(), Value::String(entry.id.clone()));
        }
        if let Some(parent) = &entry.parent
            && (parent.is_given || with_id)
            && body.get(parent.field).is_none_or(Value::is_null)
        {
            body.insert(
                parent.field.to_owned(),
                serde_json::json!({"id": parent.id}),
            );
        }
        Some(Arc::new(ProblemEntity {
            kind: kind.name.to_owned(),
            path: path_text(&steps),
            depth: steps.len(),
            body: Value::Object(body),
        }))
    }
}

fn find<'a>(value: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.get(name),
        Step::Element(position) => value.get(*position),
    })
}

impl Work<'_> {
    /// Collects the entities at the top level and everything nested in them.
    pub(super) fn collect(&mut self, members: Map) {
        let kinds = self.catalogue.kinds();
        let mut known = Vec::new();
        for (name, value) in members {
            let is_known = |kind: &EntityKind| {
                kind.name == name && (kind.exported || (self.options.is_table && kind.delivered))
            };
            match kinds.iter().position(is_known) {
                Some(kind) => known.push((kind, value)),
                None if is_header(&name, self.options) => {}
                None if self.options.ignore_unknown_nulls && value.is_null() => {}
                None => self.top(vec![Step::Member(name)], "unknown field"),
            }
        }
        for (kind, value) in known {
            self.list(kind, value, None);
        }
    }

    fn list(&mut self, kind: usize, value: Value, parent: Option<&Parent>) {
        let items = match value {
            Value::Array(items) => items,
            Value::Null => return,
            Value::Object(members) if members.is_empty() => return,
            _ => return self.top(self.steps_of_list(kind, parent), "expected an array"),
        };
        for (position, item) in items.into_iter().enumerate() {
            match item {
                Value::Object(members) => self.entity(kind, position, members, parent),
                Value::Array(items) if items.is_empty() => {
                    self.entity(kind, position, Map::new(), parent);
                }
                _ => {
                    let mut steps = self.steps_of_list(kind, parent);
                    steps.push(Step::Element(position));
                    self.top(steps, "expected a record");
                }
            }
        }
    }

    fn entity(&mut self, index: usize, position: usize, mut body: Map, parent: Option<&Parent>) {
        let catalogue = self.catalogue;
        let kind = &catalogue.kinds()[index];
        let children = self.split(index, &mut body);
        let mut faults = Violations::new();
        if kind.name == "plugins" && self.options.tolerate_deck {
            self.shared_config(&mut body, &mut faults);
        }
        self.complete(kind, &mut body);
        if self.options.ignore_unknown_nulls {
            drop_nulls(catalogue, kind, &mut body);
        }
        judge_references(kind, &body, parent, &mut faults);
        let is_given = body.get("id").is_some_and(|id| !id.is_null());
        let id = identify(kind, &body, parent);
        let entry = self.entries.len();
        self.entries.push(Entry {
            kind: index,
            body,
            packed: None,
            position,
            parent: parent.cloned(),
            id,
            faults,
        });
        for (child, value) in children {
            let Some(field) = catalogue.kinds()[child].field_to(kind.name) else {
                continue;
            };
            let below = Parent {
                entry,
                field,
                id: self.entries[entry].id.clone(),
                is_given,
            };
            self.list(child, value, Some(&below));
        }
    }

    /// Takes the lists that are nested in an entity out of its members, in their order.
    fn split(&self, index: usize, members: &mut Map) -> Vec<(usize, Value)> {
        let kinds = self.catalogue.kinds();
        members.retain(|name, _| !REMARKS.contains(&name.as_str()));
        let child = |name: &String| {
            let mut children = self.children[index].iter();
            children.find(|child| kinds[**child].name == name).copied()
        };
        let found: Vec<usize> = members.keys().filter_map(child).collect();
        let take = |child: usize| Some((child, members.shift_remove(kinds[child].name)?));
        found.into_iter().filter_map(take).collect()
    }

    /// decK's `_config`: the named configuration, over which the plugin's own wins.
    fn shared_config(&self, body: &mut Map, faults: &mut Violations) {
        let Some(Value::String(name)) = body.shift_remove("_config") else {
            return;
        };
        let shared = self
            .plugin_configs
            .as_ref()
            .and_then(|configs| configs.get(&name));
        let Some(Value::Object(shared)) = shared else {
            faults.add(
                "_config",
                format!("no such entry in '_plugin_configs': {name}"),
            );
            return;
        };
        let mut config = shared.clone();
        if let Some(Value::Object(own)) = body.get_mut("config") {
            config.extend(std::mem::take(own));
        }
        body.insert("config".to_owned(), Value::Object(config));
    }
}

/// For each kind, the kinds that can be nested in it.
pub(super) fn children_of(catalogue: &Catalogue) -> Vec<Vec<usize>> {
    let kinds = catalogue.kinds();
    let nested_in = |kind: &EntityKind| {
        let nests = |(_, child): &(usize, &EntityKind)| is_child(catalogue, kind, child.name);
        kinds
            .iter()
            .enumerate()
            .filter(nests)
            .map(|(index, _)| index)
            .collect()
    };
    kinds.iter().map(nested_in).collect()
}

/// Whether a member of an entity is a list of entities that refer to it.
fn is_child(catalogue: &Catalogue, kind: &EntityKind, name: &str) -> bool {
    catalogue.kind(name).is_some_and(|child| {
        child.name == name
            && child.exported
            && child.field_to(kind.name).is_some()
            && kind.schema.find(name).is_none_or(|field| field.transient)
    })
}

fn drop_nulls(catalogue: &Catalogue, kind: &EntityKind, body: &mut Map) {
    let plugin = body.get("name").and_then(Value::as_str);
    let schema = plugin
        .filter(|_| kind.name == "plugins")
        .and_then(|name| catalogue.plugin_schema(name))
        .unwrap_or(&kind.schema);
    if kind.has_ttl && body.get("ttl").is_some_and(Value::is_null) {
        body.shift_remove("ttl");
    }
    drop_unknown(schema, body);
}

/// References are texts at the top level; the one to the surrounding entity must be absent.
fn judge_references(
    kind: &EntityKind,
    body: &Map,
    parent: Option<&Parent>,
    faults: &mut Violations,
) {
    for (field, _) in kind.foreign_fields() {
        let Some(value) = body.get(field.name) else {
            continue;
        };
        if value.is_null() {
            continue;
        }
        if parent.is_some_and(|parent| parent.field == field.name) {
            faults.add(field.name, "value must be null");
        } else if value.is_object() && value.get("id").and_then(Value::as_str).is_none() {
            faults.add(&format!("{}.id", field.name), "missing primary key");
        } else if !value.is_string() && !value.is_object() {
            faults.add(field.name, "expected a string");
        }
    }
}

impl Entry {
    /// Writes the id and what the entity is nested in into its body. Late, because a body becomes
    /// several times larger by that.
    pub(super) fn fill(&mut self, kind: &EntityKind) {
        let has_id = self.body.get("id").is_some_and(|id| !id.is_null());
        if kind.primary_key == "id" && !has_id {
            let id = Value::String(self.id.clone());
            self.body.insert("id".to_owned(), id);
        }
        if let Some(parent) = &self.parent
            && self.faults.get(parent.field).is_none()
        {
            let key = serde_json::json!({"id": parent.id});
            self.body.insert(parent.field.to_owned(), key);
        }
    }
}

/// The id of an entity, made up if it has none.
fn identify(kind: &EntityKind, body: &Map, parent: Option<&Parent>) -> String {
    if kind.primary_key != "id" {
        let key = body.get(kind.primary_key).and_then(Value::as_str);
        return key.unwrap_or_default().to_owned();
    }
    match body.get("id") {
        Some(Value::String(id)) => return id.to_ascii_lowercase(),
        Some(Value::Null) | None => {}
        Some(_) => return String::new(),
    }
    let context = IdContext {
        parent: parent.and_then(|parent| Some((parent.field, Uuid::from_str(&parent.id).ok()?))),
    };
    kind.generated_id(body, context)
        .unwrap_or_else(clock::new_uuid)
        .to_string()
}
