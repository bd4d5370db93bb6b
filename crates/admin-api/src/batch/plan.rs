//! What would change: every row with what differs, and a name for exactly that.

use std::collections::HashMap;

use entities::{Catalogue, EntityKind, Packed};
use schema::Map;
use serde_json::{Value, json};
use store::Tables;

use super::desired::{Desired, hex};
use super::difference::{differences, is_same};
use super::mask::Masks;

/// Changes told one by one; the numbers are always complete.
pub const MAX_TOLD: usize = 10_000;

/// A plan.
pub(crate) struct Plan {
    /// Names exactly this plan: base version, document, changes.
    pub(crate) id: String,
    /// The version that it starts from.
    pub(crate) base_version: u64,
    counts: Counts,
    changes: Vec<Value>,
    /// Told besides.
    pub(crate) warnings: Vec<Value>,
}

#[derive(Default)]
struct Counts {
    created: usize,
    updated: usize,
    deleted: usize,
    unchanged: usize,
}

impl Plan {
    /// Compares what is stored with what a document leads to. Changes are only told if it is
    /// shown to somebody.
    pub(crate) fn of(
        stored: &Tables,
        desired: &Desired,
        catalogue: &Catalogue,
        (base_version, is_shown): (u64, bool),
    ) -> Self {
        let mut maker = Maker {
            masks: Masks::new(catalogue),
            hash: Vec::new(),
            counts: Counts::default(),
            changes: Vec::new(),
            most: if is_shown { MAX_TOLD } else { 0 },
        };
        for kind in catalogue.kinds().iter().filter(|kind| kind.exported) {
            maker.kind(kind, stored, desired);
        }
        let text = format!("{base_version}\n{}\n", desired.digest);
        let mut all = text.into_bytes();
        all.append(&mut maker.hash);
        let digest = hex(&pki::sha256(&all)[..16]);
        Self {
            id: format!("{base_version}-{}-{digest}", desired.digest),
            base_version,
            counts: maker.counts,
            changes: maker.changes,
            warnings: Vec::new(),
        }
    }

    /// Whether nothing would change.
    pub(crate) fn is_empty(&self) -> bool {
        self.total() == 0
    }

    fn total(&self) -> usize {
        self.counts.created + self.counts.updated + self.counts.deleted
    }

    /// The numbers.
    pub(crate) fn summary(&self) -> Value {
        json!({
            "create": self.counts.created,
            "update": self.counts.updated,
            "delete": self.counts.deleted,
            "unchanged": self.counts.unchanged,
        })
    }

    /// The whole plan as it is answered.
    pub(crate) fn body(self, tags: &[String]) -> Value {
        json!({
            "plan": self.id,
            "base_version": self.base_version,
            "summary": self.summary(),
            "changes_omitted": self.total() - self.changes.len(),
            "changes": self.changes,
            "warnings": self.warnings,
            "select_tags": tags,
        })
    }
}

/// The document and the selection for which a plan with this id was made.
pub(crate) fn document_of(plan: &str) -> Option<&str> {
    plan.split('-').nth(1)
}

struct Maker<'a> {
    masks: Masks<'a>,
    /// What the id is made of.
    hash: Vec<u8>,
    counts: Counts,
    changes: Vec<Value>,
    /// Changes that are told.
    most: usize,
}

impl<'a> Maker<'a> {
    fn kind(&mut self, kind: &'a EntityKind, stored: &Tables, desired: &Desired) {
        let key = |row: &Packed| row.text_of(kind.primary_key).unwrap_or_default();
        let old = stored.get(kind.name).into_iter().flatten();
        let mut old: HashMap<String, &Packed> = old.map(|row| (key(row), row)).collect();
        for packed in desired.tables.get(kind.name).into_iter().flatten() {
            let row = packed.open();
            let key = key_of(kind, &row).to_owned();
            let Some(before) = old.remove(&key) else {
                self.counts.created += 1;
                self.note("create", kind, &row, None);
                continue;
            };
            let before = before.open();
            if !is_same(&before, &row) {
                self.counts.updated += 1;
                self.note("update", kind, &row, Some(&before));
            } else if desired.managed.contains(&(kind.name, key)) {
                self.counts.unchanged += 1;
            }
        }
        let mut gone: Vec<_> = old.into_iter().collect();
        gone.sort_by(|left, right| left.0.cmp(&right.0));
        for (_, row) in gone {
            self.counts.deleted += 1;
            self.note("delete", kind, &row.open(), None);
        }
    }

    fn note(&mut self, action: &str, kind: &'a EntityKind, row: &Map, before: Option<&Map>) {
        let id = key_of(kind, row);
        self.hash
            .extend(format!("{action} {} {id}\n", kind.name).into_bytes());
        if self.changes.len() < self.most {
            let change = change(&self.masks, action, kind, (before, row));
            self.changes.push(change);
        }
    }
}

/// One change as it is told: `create` and `delete` with the row, `update` with what differs.
pub(crate) fn change<'a>(
    masks: &Masks<'a>,
    action: &str,
    kind: &'a EntityKind,
    (before, row): (Option<&Map>, &Map),
) -> Value {
    let secrets = masks.of(kind, row);
    let mut change = Map::new();
    change.insert("action".to_owned(), json!(action));
    change.insert("kind".to_owned(), json!(kind.name));
    change.insert("id".to_owned(), json!(key_of(kind, row)));
    change.insert("name".to_owned(), json!(name_of(kind, row)));
    match (action, before) {
        ("update", Some(before)) => {
            let told = differences(&secrets, before, row);
            change.insert("differences".to_owned(), json!(told));
        }
        ("delete", _) => {
            change.insert("before".to_owned(), json!(secrets.masked(row)));
        }
        _ => {
            change.insert("after".to_owned(), json!(secrets.masked(row)));
        }
    }
    Value::Object(change)
}

fn key_of<'r>(kind: &EntityKind, row: &'r Map) -> &'r str {
    let key = row.get(kind.primary_key).and_then(Value::as_str);
    key.unwrap_or_default()
}

/// How people call a row. A key that is a secret is no name.
fn name_of<'r>(kind: &EntityKind, row: &'r Map) -> Option<&'r str> {
    let is_open = |key: &&str| kind.schema.find(key).is_none_or(|field| !field.encrypted);
    let key = kind
        .endpoint_key
        .filter(is_open)
        .filter(|key| *key != "key");
    let name = key.and_then(|key| row.get(key)?.as_str());
    name.or_else(|| row.get("name")?.as_str())
}
