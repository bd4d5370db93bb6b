//! Flattening: every entity of the document, its parent before its children, with its id.

use std::str::FromStr;
use std::sync::Arc;

use entities::{Catalogue, EntityKind, IdContext, Map, Violations};
use serde_json::Value;
use uuid::Uuid;

use super::Work;
use super::nulls::drop_unknown;
use crate::document::{Step, path_text};
use crate::problem::{Place, Problem, ProblemEntity};

/// One entity of the document.
pub(super) struct Entry {
    /// Position of its kind in the catalogue.
    pub(super) kind: usize,
    /// Its members, without nested children.
    pub(super) body: Map,
    /// Where it stands.
    pub(super) steps: Vec<Step>,
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
    /// The field that refers to it.
    pub(super) field: &'static str,
    /// Its id.
    pub(super) id: String,
    /// Whether that id was written down.
    pub(super) is_given: bool,
}

impl Entry {
    /// The entity as submitted, for reports: without nested children, with the id of the entity
    /// it is nested in if that was written down, and with its own made-up id only if asked.
    pub(super) fn report(
        &self,
        catalogue: &Catalogue,
        original: &Value,
        with_id: bool,
    ) -> Arc<ProblemEntity> {
        let kind = &catalogue.kinds()[self.kind];
        let mut body = match find(original, &self.steps) {
            Some(Value::Object(body)) => body.clone(),
            _ => Map::new(),
        };
        take_children(catalogue.kinds(), kind, &mut body);
        if with_id && !body.contains_key("id") {
            body.insert("id".to_owned(), Value::String(self.id.clone()));
        }
        if let Some(parent) = &self.parent
            && (parent.is_given || with_id)
            && body.get(parent.field).is_none_or(Value::is_null)
        {
            body.insert(
                parent.field.to_owned(),
                serde_json::json!({"id": parent.id}),
            );
        }
        Arc::new(ProblemEntity {
            kind: kind.name.to_owned(),
            path: path_text(&self.steps),
            depth: self.steps.len(),
            body: Value::Object(body),
        })
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
        let mut known = Vec::new();
        for (name, value) in members {
            let kind = self
                .catalogue
                .kinds()
                .iter()
                .position(|k| k.name == name && k.exported);
            match kind {
                Some(kind) => known.push((kind, name, value)),
                None if self.options.ignore_unknown_nulls && value.is_null() => {}
                None => self.top(vec![Step::Member(name)], "unknown field"),
            }
        }
        for (kind, name, value) in known {
            self.list(kind, vec![Step::Member(name)], value, None);
        }
    }

    fn list(&mut self, kind: usize, steps: Vec<Step>, value: Value, parent: Option<&Parent>) {
        let items = match value {
            Value::Array(items) => items,
            Value::Null => return,
            Value::Object(members) if members.is_empty() => return,
            _ => return self.top(steps, "expected an array"),
        };
        for (position, item) in items.into_iter().enumerate() {
            let mut steps = steps.clone();
            steps.push(Step::Element(position));
            match item {
                Value::Object(body) => self.entity(kind, steps, body, parent),
                Value::Array(items) if items.is_empty() => {
                    self.entity(kind, steps, Map::new(), parent);
                }
                _ => {
                    self.problems
                        .push(Problem::new(steps, "expected a record", Place::Field, None))
                }
            }
        }
    }

    fn entity(&mut self, index: usize, steps: Vec<Step>, mut body: Map, parent: Option<&Parent>) {
        let catalogue = self.catalogue;
        let kind = &catalogue.kinds()[index];
        body.shift_remove("_comment");
        body.shift_remove("_ignore");
        if kind.name == "plugins" && self.options.tolerate_deck {
            self.shared_config(&mut body);
        }
        let children = take_children(catalogue.kinds(), kind, &mut body);
        if self.options.ignore_unknown_nulls {
            drop_nulls(catalogue, kind, &mut body);
        }
        let mut faults = Violations::new();
        judge_references(kind, &mut body, parent, &mut faults);
        let has_own_id = body.get("id").is_some_and(|id| !id.is_null());
        let id = identify(kind, &mut body, parent);
        if let Some(parent) = parent
            && faults.get(parent.field).is_none()
        {
            body.insert(
                parent.field.to_owned(),
                serde_json::json!({"id": parent.id}),
            );
        }
        self.entries.push(Entry {
            kind: index,
            body,
            steps,
            parent: parent.cloned(),
            id: id.clone(),
            faults,
        });
        let at = self.entries.len() - 1;
        for (child, value) in children {
            let child_kind = &catalogue.kinds()[child];
            let Some(field) = child_kind.field_to(kind.name) else {
                continue;
            };
            let parent = Parent {
                field,
                id: id.clone(),
                is_given: has_own_id,
            };
            let mut steps = self.entries[at].steps.clone();
            steps.push(Step::Member(child_kind.name.to_owned()));
            self.list(child, steps, value, Some(&parent));
        }
    }

    /// decK's `_config`: the named configuration, over which the plugin's own wins.
    fn shared_config(&self, body: &mut Map) {
        let Some(Value::String(name)) = body.shift_remove("_config") else {
            return;
        };
        let Some(Value::Object(shared)) = self.plugin_configs.get(&name) else {
            return;
        };
        let mut config = shared.clone();
        if let Some(Value::Object(own)) = body.get_mut("config") {
            config.extend(std::mem::take(own));
        }
        body.insert("config".to_owned(), Value::Object(config));
    }
}

/// Takes the members that are lists of entities which refer to this one.
fn take_children(kinds: &[EntityKind], kind: &EntityKind, body: &mut Map) -> Vec<(usize, Value)> {
    let mut children = Vec::new();
    for (index, child) in kinds.iter().enumerate() {
        if child.exported
            && body.contains_key(child.name)
            && child.field_to(kind.name).is_some()
            && kind
                .schema
                .find(child.name)
                .is_none_or(|field| field.transient)
            && let Some(value) = body.shift_remove(child.name)
        {
            children.push((index, value));
        }
    }
    children
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
    body: &mut Map,
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

/// The id of an entity, written into its body if it had none.
fn identify(kind: &EntityKind, body: &mut Map, parent: Option<&Parent>) -> String {
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
    let id = kind
        .generated_id(body, context)
        .unwrap_or_else(clock::new_uuid)
        .to_string();
    body.insert("id".to_owned(), Value::String(id.clone()));
    id
}
