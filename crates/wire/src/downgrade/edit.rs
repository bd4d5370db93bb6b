//! Editing by dotted path, with notes of what was done.

use serde_json::{Map, Value};

use super::{Action, Change};
use crate::version::Version;

/// Collects what was changed about one entity after the other.
pub(super) struct Editor {
    node: Version,
    changes: Vec<Change>,
    table: String,
    id: String,
    plugin: Option<String>,
}

impl Editor {
    pub(super) fn new(node: Version) -> Self {
        Self {
            node,
            changes: Vec::new(),
            table: String::new(),
            id: String::new(),
            plugin: None,
        }
    }

    /// Whether the node is older than 3.`minor`.
    pub(super) fn is_before(&self, minor: u16) -> bool {
        self.node.is_before(3, minor)
    }

    /// Turns to another entity.
    pub(super) fn enter(&mut self, table: &str, row: &Map<String, Value>) {
        let text = |field: &str| row.get(field).and_then(Value::as_str).map(str::to_owned);
        table.clone_into(&mut self.table);
        self.id = text("id").unwrap_or_default();
        self.plugin = (table == "plugins").then(|| text("name")).flatten();
    }

    pub(super) fn removed(&mut self, minor: u16, field: &str) {
        self.note(minor, field, Action::Removed);
    }

    pub(super) fn replaced(&mut self, minor: u16, field: &str) {
        self.note(minor, field, Action::Replaced);
    }

    /// Leaves a field out where it is present; a null loses nothing, so it is not noted.
    pub(super) fn drop_field(&mut self, row: &mut Map<String, Value>, minor: u16, path: &str) {
        match remove(row, path) {
            None => {}
            Some(Value::Null) => self.note(minor, path, Action::Dropped),
            Some(_) => self.removed(minor, path),
        }
    }

    fn note(&mut self, minor: u16, field: &str, action: Action) {
        self.changes.push(Change {
            table: self.table.clone(),
            id: self.id.clone(),
            plugin: self.plugin.clone(),
            field: field.to_owned(),
            since: Version::new(3, minor, 0),
            action,
        });
    }

    pub(super) fn finish(self) -> Vec<Change> {
        self.changes
    }
}

pub(super) fn get<'a>(row: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => row.get(path),
        Some((first, rest)) => get(row.get(first)?.as_object()?, rest),
    }
}

/// Sets a value where its parent exists; a missing parent is left missing.
pub(super) fn set(row: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            row.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            if let Some(Value::Object(inner)) = row.get_mut(first) {
                set(inner, rest, value);
            }
        }
    }
}

pub(super) fn remove(row: &mut Map<String, Value>, path: &str) -> Option<Value> {
    match path.split_once('.') {
        None => row.shift_remove(path),
        Some((first, rest)) => remove(row.get_mut(first)?.as_object_mut()?, rest),
    }
}
