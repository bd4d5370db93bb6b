//! A complete configuration in flat tables.

use std::collections::BTreeMap;

use entities::Map;
use serde_json::Value;

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

    /// The value that a vault of type `konnect` (a row of `vaults`) reads under `key`: a secret of
    /// the config store that the vault names. Nodes get both with their configuration.
    #[must_use]
    pub fn config_store_secret(&self, vault: &Map, key: &str) -> Option<&str> {
        let store = vault.get("config")?.get("config_store_id")?.as_str()?;
        let is_it = |row: &&Map| {
            let of = row
                .get("config_store")
                .and_then(|of| of.get("id")?.as_str());
            of == Some(store) && row.get("key").and_then(Value::as_str) == Some(key)
        };
        let row = self.rows("config_store_secrets").iter().find(is_it)?;
        row.get("value")?.as_str()
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
