//! Plugins that leave a part of their configuration to partials.

use std::collections::HashMap;

use entities::{Catalogue, EntityKind};
use schema::Map;
use serde_json::Value;

use super::Entities;
use super::error::EntityError;
use crate::scope::Scope;

impl Entities {
    /// Judges a plugin with the partials that it names in their places, as nodes get it.
    pub(super) async fn check_partials(
        &self,
        scope: &Scope,
        catalogue: &Catalogue,
        kind: &EntityKind,
        body: &Map,
    ) -> Result<(), EntityError> {
        let named = body.get("partials").and_then(Value::as_array);
        let (Some(named), Some(partials)) = (named, catalogue.kind("partials")) else {
            return Ok(());
        };
        if kind.name != "plugins" || named.is_empty() {
            return Ok(());
        }
        let mut found = HashMap::new();
        for id in named.iter().filter_map(|item| item.get("id")?.as_str()) {
            match self.find(scope, partials, id, None).await? {
                Some(partial) => drop(found.insert(id.to_owned(), partial)),
                // The store refuses references to what is not there.
                None => return Ok(()),
            }
        }
        catalogue.check_with_partials(body, |id| found.get(id))?;
        Ok(())
    }
}
