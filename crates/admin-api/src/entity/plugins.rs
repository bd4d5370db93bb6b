//! Plugins that a control plane's callers brought along.

use std::sync::Arc;

use entities::{Catalogue, EntityKind};
use schema::{Map, Mode, Violations};
use serde_json::Value;
use store::{ListQuery, StoreError};
use uuid::Uuid;

use super::error::EntityError;
use super::{Condition, Entities, Listing, Source, Test, keys};
use crate::scope::Scope;
use entities::brought::{self as custom, CustomPlugin};

/// Where descriptions lie: the kind, and the member that holds the text.
const PLACES: [(&str, &str); 2] = [
    ("plugin_schemas", "lua_schema"),
    (custom::UPLOADED, "schema"),
];

/// Descriptions read at a time.
const PAGE: usize = 1000;

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

    /// All plugins that the control plane's callers brought along. A description that cannot be
    /// read any more is passed over: nothing can be configured by it.
    pub(crate) async fn brought(&self, scope: &Scope) -> Result<Vec<CustomPlugin>, EntityError> {
        let Source::Store(store) = self.source() else {
            return Ok(Vec::new());
        };
        let mut found: Vec<CustomPlugin> = Vec::new();
        for (kind, member) in PLACES {
            let mut query = ListQuery {
                size: PAGE,
                ..ListQuery::default()
            };
            loop {
                let page = store.list(scope.control_plane, kind, query.clone()).await?;
                let texts = page.rows.iter().filter_map(|row| row.get(member)?.as_str());
                let plugins = texts.filter_map(|text| CustomPlugin::read(text).ok());
                found.extend(plugins.map(|plugin| plugin.of(kind)));
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// The catalogue that knows every plugin which can be configured in the control plane.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn catalogue_for(&self, scope: &Scope) -> Result<Arc<Catalogue>, EntityError> {
        Ok(custom::beside(self.catalogue(), self.brought(scope).await?))
    }

    /// The text of an uploaded plugin has to be a description of a plugin of its name.
    pub(super) fn check_uploaded(&self, kind: &EntityKind, body: &Map) -> Result<(), EntityError> {
        if kind.name != custom::UPLOADED {
            return Ok(());
        }
        let reason = custom::uploaded_fault(body, self.catalogue());
        reason.map_or(
            Ok(()),
            |reason| Err(Violations::of("schema", reason).into()),
        )
    }

    /// A description stays while plugins are configured by it.
    pub(super) async fn check_unused(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        (id, stored): (Uuid, &Map),
    ) -> Result<(), EntityError> {
        let is_description = PLACES.iter().any(|(place, _)| *place == kind.name);
        let name = stored.get("name").and_then(Value::as_str);
        let plugins = self.catalogue().kind("plugins");
        let (true, Some(name), Some(plugins)) = (is_description, name, plugins) else {
            return Ok(());
        };
        let listing = Listing {
            size: 1,
            conditions: vec![Condition {
                field: "name".to_owned(),
                test: Test::Equals,
                value: name.to_owned(),
            }],
            ..Listing::default()
        };
        let users = self.list(scope, plugins, &listing).await?;
        let Some(by_id) = users.rows.first().and_then(keys::id) else {
            return Ok(());
        };
        Err(EntityError::Store(StoreError::Referenced {
            kind: kind.name.to_owned(),
            id,
            by: plugins.name.to_owned(),
            by_id,
        }))
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
