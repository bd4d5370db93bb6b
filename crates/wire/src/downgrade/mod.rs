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

pub use stock::is_for_open_source;

use crate::version::Version;
use edit::Editor;
use table::{ENTITY_FIELDS, REMOVED, RENAMED};

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

/// Rewrites the rows of a configuration one by one for nodes that do not take it as it is.
pub struct Rewriter {
    editor: Option<Editor>,
    is_open_source: bool,
    left_out: Vec<Change>,
}

impl Rewriter {
    /// For nodes of a version; `is_open_source` leaves out what the open-source line lacks.
    #[must_use]
    pub fn new(node: Version, is_open_source: bool) -> Self {
        Self {
            editor: node.is_before(3, 10).then(|| Editor::new(node)),
            is_open_source,
            left_out: Vec::new(),
        }
    }

    /// Whether rows can go as they are.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.editor.is_none() && !self.is_open_source
    }

    /// The row as these nodes take it; `None` when they cannot.
    pub fn row(&mut self, table: &str, mut row: Map<String, Value>) -> Option<Map<String, Value>> {
        if self.is_open_source && !stock::is_known(table, &row) {
            self.left_out.extend(stock::left_out(table, &row));
            return None;
        }
        if self.is_open_source && table == "upstreams" {
            self.left_out.extend(stock::unstick(&mut row));
        }
        if let Some(editor) = &mut self.editor {
            editor.enter(table, &row);
            entity(editor, table, &mut row);
        }
        Some(row)
    }

    /// What was changed, what was left out first.
    #[must_use]
    pub fn finish(self) -> Vec<Change> {
        let mut changes = self.left_out;
        changes.extend(self.editor.map(Editor::finish).into_iter().flatten());
        changes
    }
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
