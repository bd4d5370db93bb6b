//! Plugins that a control plane's callers brought along.

use std::sync::Arc;

use entities::{Catalogue, EntityKind};
use schema::{Map, Mode, Violations};
use serde_json::Value;

use super::error::EntityError;
use super::{Entities, Source};
use crate::custom::CustomPlugin;
use crate::scope::Scope;

/// Where descriptions lie: the kind, and the member that holds the text.
const PLACES: [(&str, &str); 2] = [
    ("plugin_schemas", "lua_schema"),
    ("custom_plugins", "schema"),
];

impl Entities {
    /// The catalogue that knows the plugin which a body is about.
    pub(crate) async fn catalogue_of(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        body: &Map,
        stored: Option<&Map>,
    ) -> Result<Arc<Catalogue>, EntityError> {
        let name = body.get("name").or_else(|| stored?.get("name"));
        match name {
            Some(Value::String(name)) if kind.name == "plugins" => {
                self.catalogue_with(scope, name).await
            }
            _ => Ok(Arc::clone(self.catalogue())),
        }
    }

    /// The catalogue that knows the plugin of that name, if any does: the usual one, or one with
    /// only the plugin that the control plane's callers brought along.
    pub(crate) async fn catalogue_with(
        &self,
        scope: &Scope,
        plugin: &str,
    ) -> Result<Arc<Catalogue>, EntityError> {
        let custom = self.custom_plugin(scope, plugin).await?;
        let usual = || Arc::clone(self.catalogue());
        Ok(custom.map_or_else(usual, |custom| Arc::new(custom.catalogue())))
    }

    /// The plugin of that name which the control plane's callers brought along, if it is not one
    /// that everybody has.
    async fn custom_plugin(
        &self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<CustomPlugin>, EntityError> {
        if self.catalogue().plugins().schema(name).is_some() {
            return Ok(None);
        }
        let Source::Store(store) = self.source() else {
            return Ok(None);
        };
        for (kind, member) in PLACES {
            if self.catalogue().kind(kind).is_none() {
                continue;
            }
            let row = store.find(scope.control_plane, kind, "name", name).await?;
            let text = row.as_ref().and_then(|row| row.get(member)?.as_str());
            if let Some(text) = text {
                let read = CustomPlugin::read(text);
                return read.map(Some).map_err(|fault| {
                    Violations::of("name", format!("the description of `{name}`: {fault}")).into()
                });
            }
        }
        Ok(None)
    }

    /// Checks a body as [`Self::create`] would, without writing, with the plugins of its control
    /// plane.
    ///
    /// # Errors
    ///
    /// All violations of its description.
    pub async fn check(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        mut body: Map,
    ) -> Result<(), EntityError> {
        let catalogue = self.catalogue_of(scope, kind, &body, None).await?;
        Ok(catalogue.validate(kind.name, &mut body, Mode::Insert)?)
    }
}
