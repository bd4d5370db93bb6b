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

/// One entity of the document.
pub(super) struct Entry {
    /// Position of its kind in the catalogue.
    pub(super) kind: usize,
    /// Its members, without nested children; what is left of them once it is packed.
    pub(super) body: Map,
    /// All of it, if it is to be packed as soon as it is complete.
    pub(super) packed: Option<Packed>,
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
        body.retain(|name, _| !is_child(catalogue, kind, name));
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

impl<'a> Work<'a> {
    /// Collects the entities at the top level and everything nested in them.
    pub(super) fn collect(&mut self, members: &'a Map) {
        let kinds = self.catalogue.kinds();
        let mut known = Vec::new();
        for (name, value) in members {
            let steps = vec![Step::Member(name.clone())];
            let is_known = |kind: &EntityKind| {
                kind.name == name && (kind.exported || (self.options.is_table && kind.delivered))
            };
            match kinds.iter().position(is_known) {
                Some(kind) => known.push((kind, steps, value)),
                None if is_header(name, self.options) => {}
                None if self.options.ignore_unknown_nulls && value.is_null() => {}
                None => self.top(steps, "unknown field"),
            }
        }
        for (kind, steps, value) in known {
            self.list(kind, steps, value, None);
        }
    }

    fn list(&mut self, kind: usize, steps: Vec<Step>, value: &'a Value, parent: Option<&Parent>) {
        let items = match value {
            Value::Array(items) => items,
            Value::Null => return,
            Value::Object(members) if members.is_empty() => return,
            _ => return self.top(steps, "expected an array"),
        };
        for (position, item) in items.iter().enumerate() {
            let mut steps = steps.clone();
            steps.push(Step::Element(position));
            match item {
                Value::Object(members) => self.entity(kind, &steps, Some(members), parent),
                Value::Array(items) if items.is_empty() => self.entity(kind, &steps, None, parent),
                _ => self.top(steps, "expected a record"),
            }
        }
    }

    fn entity(
        &mut self,
        index: usize,
        steps: &[Step],
        members: Option<&'a Map>,
        parent: Option<&Parent>,
    ) {
        let catalogue = self.catalogue;
        let kind = &catalogue.kinds()[index];
        let (mut body, children) = self.split(index, members);
        let mut faults = Violations::new();
        if kind.name == "plugins" && self.options.tolerate_deck {
            self.shared_config(&mut body, &mut faults);
        }
        self.complete(kind, &mut body);
        if self.options.ignore_unknown_nulls {
            drop_nulls(catalogue, kind, &mut body);
        }
        judge_references(kind, &body, parent, &mut faults);
        let has_own_id = body.get("id").is_some_and(|id| !id.is_null());
        let id = identify(kind, &mut body, parent);
        if let Some(parent) = parent
            && faults.get(parent.field).is_none()
        {
            let key = serde_json::json!({"id": parent.id});
            body.insert(parent.field.to_owned(), key);
        }
        self.entries.push(Entry {
            kind: index,
            body,
            packed: None,
            steps: steps.to_vec(),
            parent: parent.cloned(),
            id: id.clone(),
            faults,
        });
        self.nested(index, steps, children, (&id, has_own_id));
    }

    fn nested(
        &mut self,
        index: usize,
        steps: &[Step],
        children: Vec<(usize, &'a Value)>,
        (id, is_given): (&str, bool),
    ) {
        let catalogue = self.catalogue;
        let kind = &catalogue.kinds()[index];
        for (child, value) in children {
            let child_kind = &catalogue.kinds()[child];
            let Some(field) = child_kind.field_to(kind.name) else {
                continue;
            };
            let below = Parent {
                field,
                id: id.to_owned(),
                is_given,
            };
            let mut steps = steps.to_vec();
            steps.push(Step::Member(child_kind.name.to_owned()));
            self.list(child, steps, value, Some(&below));
        }
    }

    /// An entity's own members, copied, and the lists nested in it.
    fn split(&self, index: usize, members: Option<&'a Map>) -> (Map, Vec<(usize, &'a Value)>) {
        let kinds = self.catalogue.kinds();
        let mut body = Map::new();
        let mut children = Vec::new();
        for (name, value) in members.into_iter().flatten() {
            let child = self.children[index]
                .iter()
                .find(|child| kinds[**child].name == name);
            match child {
                Some(child) => children.push((*child, value)),
                None if name == "_comment" || name == "_ignore" => {}
                None => {
                    body.insert(name.clone(), value.clone());
                }
            }
        }
        (body, children)
    }

    /// decK's `_config`: the named configuration, over which the plugin's own wins.
    fn shared_config(&self, body: &mut Map, faults: &mut Violations) {
        let Some(Value::String(name)) = body.shift_remove("_config") else {
            return;
        };
        let shared = self.plugin_configs.and_then(|configs| configs.get(&name));
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
