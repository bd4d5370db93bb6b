//! References and uniqueness within the document.

use std::collections::{HashMap, HashSet};

use entities::EntityKind;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Work;
use super::collect::Entry;
use crate::document::Step;
use crate::problem::{Place, Problem};

/// What a reference is found by: kind and text.
type Names = HashMap<(usize, String), String>;

impl Work<'_> {
    /// Replaces references by name or id by `{"id": "…"}`.
    pub(super) fn resolve(&mut self) {
        let catalogue = self.catalogue;
        let positions: HashMap<&str, usize> = catalogue
            .kinds()
            .iter()
            .enumerate()
            .map(|(at, kind)| (kind.name, at))
            .collect();
        let (ids, names) = self.index();
        let mut dangling = Vec::new();
        for entry in &mut self.entries {
            let kind = &catalogue.kinds()[entry.kind];
            for (field, target) in kind.foreign_fields() {
                if entry.faults.get(field.name).is_some() {
                    continue;
                }
                let Some(text) = entry.body.get(field.name).and_then(reference_text) else {
                    continue;
                };
                if entry
                    .parent
                    .as_ref()
                    .is_some_and(|parent| parent.field == field.name)
                {
                    continue;
                }
                let key = (
                    positions.get(target).copied().unwrap_or(usize::MAX),
                    text.to_owned(),
                );
                let found = ids.get(&key).or_else(|| names.get(&key)).cloned();
                let outside = self.options.is_partial && Uuid::parse_str(text).is_ok();
                let id = found
                    .or_else(|| self.around.find(target, text).map(str::to_owned))
                    .or_else(|| outside.then(|| text.to_owned()));
                if id.is_none() {
                    let message = format!(
                        "invalid reference '{}: {text}' (no such entry in '{target}')",
                        field.name
                    );
                    dangling.push((
                        entry.steps.clone(),
                        field.name,
                        message,
                        entry_key(entry, kind),
                    ));
                }
                let id = id.unwrap_or_else(|| Uuid::nil().to_string());
                entry.body.insert(field.name.to_owned(), json!({"id": id}));
            }
        }
        for (mut steps, field, message, (kind, key)) in dangling {
            steps.push(Step::Member(field.to_owned()));
            self.problems.push(Problem::new(
                steps,
                &message,
                Place::Dangling { kind, key },
                None,
            ));
        }
    }

    fn index(&self) -> (Names, Names) {
        let mut ids = HashMap::with_capacity(self.entries.len());
        let mut names = HashMap::new();
        for entry in &self.entries {
            let kind = &self.catalogue.kinds()[entry.kind];
            ids.insert((entry.kind, entry.id.clone()), entry.id.clone());
            let name = kind.endpoint_key.and_then(|key| entry.body.get(key));
            if let Some(Value::String(name)) = name {
                names
                    .entry((entry.kind, name.clone()))
                    .or_insert_with(|| entry.id.clone());
            }
        }
        (ids, names)
    }

    /// Reports what exists twice. Compat: single fields first, then the primary key, then fields
    /// that are unique together.
    pub(super) fn check_unique(&mut self) {
        let mut seen = Seen::new();
        let mut found = Vec::new();
        for entry in &self.entries {
            let kind = &self.catalogue.kinds()[entry.kind];
            let Some((what, place)) = clash(entry, kind, &mut seen) else {
                continue;
            };
            let name = kind.name;
            let message =
                format!("uniqueness violation: '{name}' entity with {what} already declared");
            let report = entry.report(self.catalogue, self.original, true);
            found.push(Problem::new(
                entry.steps.clone(),
                &message,
                place,
                Some(report),
            ));
        }
        self.problems.append(&mut found);
    }
}

/// What has been met: kind, fields, values.
type Seen = HashSet<(usize, Vec<&'static str>, String)>;

fn clash(entry: &Entry, kind: &EntityKind, seen: &mut Seen) -> Option<(String, Place)> {
    let index = match entry.steps.last() {
        Some(Step::Element(position)) => *position,
        _ => 0,
    };
    let nested = entry.steps.len() > 2;
    let mut first = None;
    let primary = (entry.kind, vec![kind.primary_key], entry.id.clone());
    let twice = !seen.insert(primary);
    for key in kind.unique_keys(&entry.body) {
        let together = key.fields.len() > 1;
        let shown = key.value.replace('\u{1f}', ":");
        let what = format!("{} set to '{shown}'", key.fields.join(","));
        let known = !seen.insert((entry.kind, key.fields, key.value));
        if known && !(together && twice) {
            let place = Place::Unique {
                kind: kind.name,
                index,
                nested,
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
