//! A complete configuration in flat tables.

use std::collections::BTreeMap;

use entities::Map;

/// Tables of complete entities by plural name; foreign keys are `{"id": "…"}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Rows by plural name. A kind without rows is absent.
    pub tables: BTreeMap<String, Vec<Map>>,
}

impl Config {
    /// The rows of a kind (plural name).
    #[must_use]
    pub fn rows(&self, kind: &str) -> &[Map] {
        self.tables.get(kind).map_or(&[], Vec::as_slice)
    }

    /// Whether a node with this configuration counts as not configured: nothing, or only
    /// workspaces.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables
            .iter()
            .all(|(kind, rows)| rows.is_empty() || kind == "workspaces")
    }
}
