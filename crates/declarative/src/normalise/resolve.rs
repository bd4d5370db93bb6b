//! References and uniqueness within the document.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;

use entities::EntityKind;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Work;
use super::collect::Entry;
use crate::document::Step;
use crate::problem::{Place, Problem};

/// A reference that was written as a text or an object, and the id that it means.
struct Reference {
    entry: usize,
    field: &'static str,
    id: Option<String>,
    message: String,
}

impl Work<'_> {
    /// Replaces references by name or id by `{"id": "…"}`.
    pub(super) fn resolve(&mut self) {
        for reference in self.references() {
            let Reference {
                entry: index,
                field,
                id,
                message,
            } = reference;
            if id.is_none() {
                let entry = &self.entries[index];
                let (kind, key) = entry_key(entry, &self.catalogue.kinds()[entry.kind]);
                let mut steps = self.steps(entry);
                steps.push(Step::Member(field.to_owned()));
                let place = Place::Dangling { kind, key };
                self.problems
                    .push(Problem::new(steps, &message, place, None));
            }
            let id = id.unwrap_or_else(|| Uuid::nil().to_string());
            let body = &mut self.entries[index].body;
            body.insert(field.to_owned(), json!({"id": id}));
        }
    }

    /// All references but those to what an entity is nested in.
    fn references(&self) -> Vec<Reference> {
        let kinds = self.catalogue.kinds();
        let mut found = Vec::new();
        // Made when the first one is met: a nested document may have none.
        let mut index = None;
        for (position, entry) in self.entries.iter().enumerate() {
            for (field, target) in kinds[entry.kind].foreign_fields() {
                let nested_in = entry.parent.as_ref().map(|parent| parent.field);
                if entry.faults.get(field.name).is_some() || nested_in == Some(field.name) {
                    continue;
                }
                let Some(text) = entry.body.get(field.name).and_then(reference_text) else {
                    continue;
                };
                let index = index.get_or_insert_with(|| Index::of(self));
                let outside = self.options.is_partial && Uuid::parse_str(text).is_ok();
                let id = index
                    .find(target, text)
                    .or_else(|| self.around.find(target, text))
                    .or_else(|| outside.then_some(text));
                let message = match id {
                    Some(_) => String::new(),
                    None => format!(
                        "invalid reference '{}: {text}' (no such entry in '{target}')",
                        field.name
                    ),
                };
                found.push(Reference {
                    entry: position,
                    field: field.name,
                    id: id.map(str::to_owned),
                    message,
                });
            }
        }
        found
    }

    /// Reports what exists twice.
    pub(super) fn tell_clashes(&mut self, clashes: Vec<(usize, (String, Place))>) {
        for (index, (what, place)) in clashes {
            let entry = &self.entries[index];
            let name = self.catalogue.kinds()[entry.kind].name;
            let message =
                format!("uniqueness violation: '{name}' entity with {what} already declared");
            let (steps, report) = (self.steps(entry), self.report(entry, true));
            self.problems
                .push(Problem::new(steps, &message, place, report));
        }
    }
}

/// What the entities of a document are found by: kind and text.
struct Index<'e> {
    ids: HashSet<(&'static str, &'e str)>,
    names: HashMap<(&'static str, &'e str), &'e str>,
}

impl<'e> Index<'e> {
    fn of(work: &'e Work<'_>) -> Self {
        let mut ids = HashSet::with_capacity(work.entries.len());
        let mut names = HashMap::new();
        for entry in &work.entries {
            let kind = &work.catalogue.kinds()[entry.kind];
            ids.insert((kind.name, entry.id.as_str()));
            let name = kind.endpoint_key.and_then(|key| entry.body.get(key));
            if let Some(name) = name.and_then(Value::as_str) {
                names.entry((kind.name, name)).or_insert(entry.id.as_str());
            }
        }
        Self { ids, names }
    }

    fn find(&self, kind: &'static str, text: &'e str) -> Option<&'e str> {
        let by_id = self.ids.get(&(kind, text)).map(|(_, id)| *id);
        by_id.or_else(|| self.names.get(&(kind, text)).copied())
    }
}

/// What has been met: kind, fields and values, as two digests with keys that are made up each
/// time, so that nobody can write two values that look the same.
#[derive(Default)]
pub(super) struct Seen {
    hashers: [RandomState; 2],
    digests: HashSet<[u64; 2]>,
}

impl Seen {
    /// Whether it has been met before.
    fn knows(&mut self, kind: usize, fields: &[&str], value: &str) -> bool {
        let digest = |hasher: &RandomState| hasher.hash_one((kind, fields, value));
        !self.digests.insert(self.hashers.each_ref().map(digest))
    }
}

/// What an entity has in common with an earlier one. Compat: single fields first, then the primary
/// key, then fields that are unique together.
pub(super) fn clash(entry: &Entry, kind: &EntityKind, seen: &mut Seen) -> Option<(String, Place)> {
    let mut first = None;
    let twice = seen.knows(entry.kind, &[kind.primary_key], &entry.id);
    for key in kind.unique_keys(&entry.body) {
        let together = key.fields.len() > 1;
        if seen.knows(entry.kind, &key.fields, &key.value) && !(together && twice) {
            let shown = key.value.replace('\u{1f}', ":");
            let what = format!("{} set to '{shown}'", key.fields.join(","));
            let place = Place::Unique {
                kind: kind.name,
                index: entry.position,
                nested: entry.parent.is_some(),
            };
            first.get_or_insert((what, place));
        }
    }
    if twice {
        first.get_or_insert_with(|| (format!("primary key set to '{}'", entry.id), Place::Twice));
    }
    first
}

/// Kind and key under which the reference reports a dangling reference of an entity.
fn entry_key(entry: &Entry, kind: &EntityKind) -> (&'static str, String) {
    let name = kind
        .endpoint_key
        .filter(|key| *key == "name" || *key == "username");
    let name = name
        .and_then(|key| entry.body.get(key))
        .and_then(Value::as_str);
    (
        kind.name,
        name.map_or_else(|| entry.id.clone(), str::to_owned),
    )
}

/// The text of a reference: an id or name, or the id in `{"id": "…"}`.
fn reference_text(value: &Value) -> Option<&str> {
    value
        .as_str()
        .or_else(|| value.get("id").and_then(Value::as_str))
}
