//! Stable text of a configuration.
//!
//! The same configuration always gives the same text: kinds in foreign-key order, rows as they
//! are stored, members in the order of their description.

mod minimal;
mod yaml;

use entities::Catalogue;
use serde_json::Value;

use crate::config::Config;
use crate::table::PackedRows;

/// Block-style YAML, flat, references as ids.
#[must_use]
pub fn render_yaml(config: &Config, catalogue: &Catalogue) -> String {
    yaml::text(&complete(config, catalogue))
}

/// The same as indented JSON, with a line feed at the end.
#[must_use]
pub fn render_json(config: &Config, catalogue: &Catalogue) -> String {
    format!("{:#}\n", complete(config, catalogue))
}

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextForm {
    /// Block-style YAML.
    Yaml,
    /// Indented JSON, with a line feed at the end.
    Json,
}

/// The shortest document that means the same: nested, by names, without what follows by itself.
/// Read again, it gives the same configuration but for moments. `tags` are those that all its
/// rows were selected by; the document then says so.
#[must_use]
pub fn render_minimal(
    rows: &PackedRows,
    catalogue: &Catalogue,
    tags: &[String],
    form: TextForm,
) -> String {
    let document = minimal::document(rows, catalogue, tags);
    match form {
        TextForm::Yaml => document.yaml(),
        TextForm::Json => document.json(),
    }
}

/// Compat: the reference shows certificates with a member for their names, without the names.
fn complete(config: &Config, catalogue: &Catalogue) -> Value {
    let mut table = config.table(catalogue, true);
    if let Some(Value::Array(rows)) = table.get_mut("certificates") {
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            row.entry("snis").or_insert(Value::Null);
        }
    }
    table
}

/// Any value as block-style YAML that reads back as the same value.
#[must_use]
pub fn yaml_text(value: &Value) -> String {
    yaml::text(value)
}
