//! Down-conversion: rewriting a configuration so that an older node accepts it.
//!
//! A node refuses a whole configuration for one field it does not know, so what its version
//! lacks is left out or expressed in older terms, and noted. The hash stays that of the
//! original, so that "in sync" does not depend on versions. Newer nodes get everything as it is.
//!
//! Compat: rules of Kong Gateway 3.0 to 3.10, checked against recorded payloads.

mod edit;
mod steps;
mod stock;
mod table;

use serde_json::{Map, Value};

pub use stock::for_open_source;

use crate::version::Version;
use edit::Editor;
use table::{ENTITY_FIELDS, REMOVED, RENAMED};

/// A configuration for an older node.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The rewritten table.
    pub table: Value,
    /// What was changed, entity by entity.
    pub changes: Vec<Change>,
}

/// One thing that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Plural name of the entity.
    pub table: String,
    /// The entity's id; empty when it has none.
    pub id: String,
    /// The plugin's name, for plugins.
    pub plugin: Option<String>,
    /// Dotted path of the field; inside `config` for plugins' settings.
    pub field: String,
    /// First version that knows the field or value.
    pub since: Version,
    /// What was done.
    pub action: Action,
}

/// What down-conversion did to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It had a value, which the node cannot honour.
    Removed,
    /// It was empty; nothing is lost.
    Dropped,
    /// It is expressed in other terms.
    Replaced,
}

impl Change {
    /// Whether the node behaves differently for want of the field.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        self.action == Action::Removed
    }
}

/// Rewrites `table` for a node of version `node`; `None` when the node takes it as it is.
#[must_use]
pub fn convert(table: &Value, node: Version) -> Option<Converted> {
    if !node.is_before(3, 10) {
        return None;
    }
    let mut table = table.as_object()?.clone();
    let mut editor = Editor::new(node);
    for (name, rows) in &mut table {
        let Value::Array(rows) = rows else { continue };
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            editor.enter(name, row);
            entity(&mut editor, name, row);
        }
    }
    let changes = editor.finish();
    (!changes.is_empty()).then(|| Converted {
        table: Value::Object(table),
        changes,
    })
}

fn entity(editor: &mut Editor, table: &str, row: &mut Map<String, Value>) {
    steps::entity(editor, table, row);
    for (minor, of, field) in ENTITY_FIELDS {
        if *of == table && editor.is_before(*minor) {
            editor.drop_field(row, *minor, field);
        }
    }
    if table != "plugins" {
        return;
    }
    let Some(name) = row.get("name").and_then(Value::as_str).map(str::to_owned) else {
        return;
    };
    if let Some(Value::Object(config)) = row.get_mut("config") {
        steps::plugin(editor, &name, config);
        rename(editor, &name, config);
        drop_unknown(editor, &name, config);
    }
}

fn rename(editor: &mut Editor, plugin: &str, config: &mut Map<String, Value>) {
    for (minor, of, new, old) in RENAMED {
        if *of != plugin || !editor.is_before(*minor) {
            continue;
        }
        if let Some(mut value) = config.shift_remove(*new) {
            if *old == "cookie_samesite" && value == "Default" {
                value = Value::from("Lax");
            }
            config.insert((*old).to_owned(), value);
            editor.replaced(*minor, new);
        }
    }
}

fn drop_unknown(editor: &mut Editor, plugin: &str, config: &mut Map<String, Value>) {
    for removed in REMOVED {
        if removed.plugins.contains(&plugin) && editor.is_before(removed.minor) {
            for field in removed.fields {
                editor.drop_field(config, removed.minor, field);
            }
        }
    }
}
