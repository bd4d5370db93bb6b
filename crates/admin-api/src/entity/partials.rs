//! Partials and the plugins that leave a part of their configuration to them.

use std::collections::HashMap;

use entities::{Catalogue, EntityKind};
use schema::{Map, Violations};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::EntityError;
use super::{Entities, Listing, keys};
use crate::scope::Scope;

/// Plugins read at a time.
const PAGE: usize = 1000;

/// Some of the plugins that use a partial.
#[derive(Clone, Debug)]
pub(crate) struct Users {
    /// `{id, name, instance_name}` of each.
    pub(crate) page: Vec<Value>,
    /// How many there are on all pages.
    pub(crate) count: usize,
    /// The last of them when there are more.
    pub(crate) next: Option<Uuid>,
}

impl Entities {
    /// Judges a plugin with the partials that it names in their places, as nodes get it.
    pub(super) async fn check_partials(
        &self,
        scope: &Scope,
        catalogue: &Catalogue,
        kind: &EntityKind,
        body: &Map,
    ) -> Result<(), EntityError> {
        if kind.name == "plugins"
            && let Some(found) = self.partials_of(scope, body).await?
        {
            catalogue.check_with_partials(body, |id| found.get(id))?;
        }
        Ok(())
    }

    /// Judges the plugins that use a partial with what it shall be. One that was wrong before
    /// holds up no change.
    pub(super) async fn check_users(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        (stored, body): (&Map, &Map),
    ) -> Result<(), EntityError> {
        if kind.name != "partials" {
            return Ok(());
        }
        let plugins = self.catalogue().kind("plugins");
        let plugins = plugins.ok_or(EntityError::NotFound)?;
        let id = text(stored, "id").unwrap_or_default();
        let mut violations = Violations::new();
        for plugin in self.users(scope, stored).await? {
            let Some(found) = self.partials_of(scope, &plugin).await? else {
                continue;
            };
            let catalogue = self.catalogue_of(scope, plugins, &plugin, None).await?;
            let judge = |partial| {
                let find = |named: &str| {
                    (named == id)
                        .then_some(partial)
                        .or_else(|| found.get(named))
                };
                catalogue.check_with_partials(&plugin, find)
            };
            if let Err(why) = judge(body)
                && judge(stored).is_ok()
            {
                violations.add_entity(broken(&plugin, &why));
            }
        }
        if violations.is_empty() {
            Ok(())
        } else {
            Err(violations.into())
        }
    }

    /// A page of the plugins that use a partial, in ascending order of id.
    pub(crate) async fn users_page(
        &self,
        scope: &Scope,
        partial: &Map,
        (size, after): (usize, Option<Uuid>),
    ) -> Result<Users, EntityError> {
        let users = self.users(scope, partial).await?;
        let is_before = |row: &&Map| after.is_some() && keys::id(row) <= after;
        let rest: Vec<_> = users.iter().skip_while(is_before).collect();
        let shown = rest.get(..size).unwrap_or(&rest);
        let has_more = rest.len() > shown.len();
        Ok(Users {
            page: shown.iter().map(|row| link(row)).collect(),
            count: users.len(),
            next: shown
                .last()
                .filter(|_| has_more)
                .and_then(|row| keys::id(row)),
        })
    }

    /// The plugins that use a partial, as stored, in ascending order of id.
    async fn users(&self, scope: &Scope, partial: &Map) -> Result<Vec<Map>, EntityError> {
        let kind = self.catalogue().kind("plugins");
        let kind = kind.ok_or(EntityError::NotFound)?;
        let (mut users, mut after) = (Vec::new(), None);
        loop {
            let place = (PAGE, after);
            let page = self.page(scope, kind, &Listing::default(), place).await?;
            users.extend(page.rows.into_iter().filter(|row| uses(row, partial)));
            after = page.next;
            if after.is_none() {
                return Ok(users);
            }
        }
    }

    /// The partials that a plugin names, by id; `None` when it names none, or one that is not
    /// there: the store refuses references to what is not there.
    async fn partials_of(
        &self,
        scope: &Scope,
        plugin: &Map,
    ) -> Result<Option<HashMap<String, Map>>, EntityError> {
        let named = plugin.get("partials").and_then(Value::as_array);
        let (Some(named), Some(partials)) = (named, self.catalogue().kind("partials")) else {
            return Ok(None);
        };
        let mut found = HashMap::new();
        for id in named.iter().filter_map(|item| item.get("id")?.as_str()) {
            match self.find(scope, partials, id, None).await? {
                Some(partial) => drop(found.insert(id.to_owned(), partial)),
                None => return Ok(None),
            }
        }
        Ok(Some(found).filter(|found| !found.is_empty()))
    }
}

/// Says which plugin a change would break, and how.
fn broken(plugin: &Map, why: &Violations) -> String {
    let faults: Vec<_> = why
        .iter()
        .map(|(path, message)| match path.as_str() {
            "" => message.to_owned(),
            path => format!("{path}: {message}"),
        })
        .collect();
    let text = |member| text(plugin, member).unwrap_or_default();
    format!(
        "the plugin `{}` with the id `{}` uses it and would be wrong ({}); change the plugin first",
        text("name"),
        text("id"),
        faults.join("; ")
    )
}

fn uses(plugin: &Map, partial: &Map) -> bool {
    let used = plugin.get("partials").and_then(Value::as_array);
    used.into_iter()
        .flatten()
        .any(|one| one.get("id").is_some() && one.get("id") == partial.get("id"))
}

fn link(plugin: &Map) -> Value {
    json!({
        "id": plugin.get("id"),
        "name": plugin.get("name"),
        "instance_name": plugin.get("instance_name"),
    })
}

fn text<'r>(row: &'r Map, member: &str) -> Option<&'r str> {
    row.get(member)?.as_str()
}
