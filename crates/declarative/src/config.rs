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

    /// The value that a vault of type `konnect` (a row of `vaults`) reads under `key`: a secret of
    /// the config store that the vault names. Nodes get both with their configuration.
    #[must_use]
    pub fn config_store_secret(&self, vault: &Map, key: &str) -> Option<&str> {
        let found = self
            .config_store_secrets(vault)
            .find(|(own, _)| *own == key);
        found.map(|(_, value)| value)
    }

    /// Keys and values of all secrets that a vault of type `konnect` (a row of `vaults`) reads.
    pub fn config_store_secrets<'a>(
        &'a self,
        vault: &Map,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let store = vault
            .get("config")
            .and_then(|config| config.get("config_store_id")?.as_str())
            .map(str::to_owned);
        let rows = self.rows("config_store_secrets").iter();
        rows.filter_map(move |row| {
            let of = row.get("config_store")?.get("id")?.as_str()?;
            (store.as_deref() == Some(of))
                .then_some((row.get("key")?.as_str()?, row.get("value")?.as_str()?))
        })
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
