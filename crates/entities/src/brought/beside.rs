//! Plugins that callers brought along, beside those that everybody has.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Catalogue, PluginCatalogue, Scope};
use schema::{Map, Schema};
use serde_json::Value;

use super::CustomPlugin;

/// Plural name of the kind whose rows hold descriptions with their code.
pub const UPLOADED: &str = "custom_plugins";

/// A catalogue with these plugins beside the usual ones; the usual one when there are none.
#[must_use]
pub fn beside(usual: &Arc<Catalogue>, brought: Vec<CustomPlugin>) -> Arc<Catalogue> {
    let mut new = BTreeMap::new();
    for plugin in brought {
        if usual.plugins().schema(plugin.name()).is_none() {
            // The first description of a name counts, as where single plugins are written.
            new.entry(plugin.name()).or_insert(plugin);
        }
    }
    if new.is_empty() {
        return Arc::clone(usual);
    }
    let usual = Arc::clone(usual);
    Arc::new(Catalogue::new(Arc::new(Beside {
        usual,
        brought: new,
    })))
}

/// What is wrong with the text of an uploaded plugin; other rules are the description's.
#[must_use]
pub fn uploaded_fault(body: &Map, usual: &Catalogue) -> Option<String> {
    let text = body.get("schema").and_then(Value::as_str)?;
    let plugin = match CustomPlugin::read(text) {
        Ok(plugin) => plugin,
        Err(fault) => return Some(fault.to_string()),
    };
    let name = plugin.name();
    if usual.plugins().schema(name).is_some() {
        return Some(format!("`{name}` is a plugin that everybody has"));
    }
    let given = body.get("name").and_then(Value::as_str);
    let is_other = given.is_some_and(|given| given != name);
    is_other.then(|| format!("the description is one of `{name}`"))
}

struct Beside {
    usual: Arc<Catalogue>,
    brought: BTreeMap<&'static str, CustomPlugin>,
}

impl Beside {
    /// The plugins among which this one is.
    fn of(&self, name: &str) -> &dyn PluginCatalogue {
        match self.brought.get(name) {
            Some(plugin) => plugin,
            None => self.usual.plugins(),
        }
    }
}

impl PluginCatalogue for Beside {
    fn schema(&self, name: &str) -> Option<&Schema> {
        self.of(name).schema(name)
    }

    fn names(&self) -> Vec<&str> {
        let mut names = self.usual.plugins().names();
        names.extend(self.brought.keys());
        names.sort_unstable();
        names
    }

    fn allows_scope(&self, name: &str, scope: Scope) -> bool {
        self.of(name).allows_scope(name, scope)
    }

    fn is_runnable(&self, name: &str) -> bool {
        self.of(name).is_runnable(name)
    }

    fn protocols(&self, name: &str) -> Option<&[&'static str]> {
        self.of(name).protocols(name)
    }

    fn default_protocols(&self, name: &str) -> &[&'static str] {
        self.of(name).default_protocols(name)
    }

    fn version(&self, name: &str) -> Option<&str> {
        self.of(name).version(name)
    }
}
