//! Stable text of a configuration.
//!
//! The same configuration always gives the same text: kinds in foreign-key order, rows as they
//! are stored, members in the order of their description.

mod yaml;

use entities::Catalogue;
use serde_json::Value;

use crate::config::Config;

/// Block-style YAML, flat, references as ids.
#[must_use]
pub fn render_yaml(config: &Config, catalogue: &Catalogue) -> String {
    yaml::text(&config.table(catalogue, true))
}

/// The same as indented JSON, with a line feed at the end.
#[must_use]
pub fn render_json(config: &Config, catalogue: &Catalogue) -> String {
    format!("{:#}\n", config.table(catalogue, true))
}

/// Any value as block-style YAML that reads back as the same value.
#[must_use]
pub fn yaml_text(value: &Value) -> String {
    yaml::text(value)
}
