//! Plugins in Lua that an operator brings along: a folder with `handler.lua` and `schema.lua`, found
//! by `lua_package_path` and named in `plugins`.
//!
//! Everything is read when the node starts; a plugin that cannot be run is refused then, with what
//! it lacks. Nothing is read from the disk while requests run, and nothing native is loaded.

mod find;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use entities::brought::{CustomPlugin, keep};
use entities::{PluginCatalogue, Scope};
use parking_lot::RwLock;
use plugin_api::{Definition, HTTP_PROTOCOLS, Phases, Scopes};
use schema::Schema;

use self::find::Finder;
#[cfg(test)]
pub(crate) use self::find::GIVEN;

/// Most plugins that a node brings along.
const PLUGINS_MAX: usize = 200;

/// The texts of a plugin.
#[derive(Debug)]
pub(crate) struct Texts {
    pub(crate) name: &'static str,
    /// Modules by name.
    pub(crate) modules: HashMap<String, String>,
}

impl Texts {
    /// The module with the phases.
    pub(crate) fn handler(&self) -> String {
        format!("kong.plugins.{}.handler", self.name)
    }

    /// The module with the description.
    pub(crate) fn schema(&self) -> String {
        format!("kong.plugins.{}.schema", self.name)
    }
}

/// What the code of a plugin says of itself.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) priority: i32,
    pub(crate) version: String,
    pub(crate) phases: Phases,
    /// What it does that this node does otherwise.
    pub(crate) notices: Vec<String>,
}

/// A plugin.
#[derive(Debug)]
pub(crate) struct Plugin {
    pub(crate) definition: &'static Definition,
    description: CustomPlugin,
    #[cfg_attr(
        not(feature = "lua"),
        expect(dead_code, reason = "without Lua nothing is run")
    )]
    pub(crate) texts: Arc<Texts>,
}

/// The plugins that a node brings along.
#[derive(Debug, Default)]
pub struct Brought {
    plugins: BTreeMap<&'static str, Plugin>,
    notices: Vec<String>,
}

impl Brought {
    /// Reads the plugins of these names by the patterns of `lua_package_path`.
    ///
    /// # Errors
    ///
    /// For each plugin that cannot be run: what it lacks, and where it was looked for.
    pub fn load(names: &[String], templates: &[String]) -> Result<Self, Vec<String>> {
        let mut brought = Self::default();
        let mut faults = Vec::new();
        if names.len() > PLUGINS_MAX {
            return Err(vec![format!(
                "a node has at most {PLUGINS_MAX} such plugins"
            )]);
        }
        for name in names {
            match brought.add(name, templates) {
                Ok(()) => {}
                Err(reason) => faults.push(format!("plugin `{name}`: {reason}")),
            }
        }
        match faults.is_empty() {
            true => Ok(brought),
            false => Err(faults),
        }
    }

    fn add(&mut self, name: &str, templates: &[String]) -> Result<(), String> {
        let name = keep(name).map_err(|fault| fault.to_string())?;
        let mut finder = Finder::new(templates);
        let texts = finder.plugin(name)?;
        let description = describe(&texts)?;
        let about = inspect(&texts)?;
        let version = keep(&about.version).map_err(|fault| fault.to_string())?;
        let of = |text: String| format!("plugin `{name}`: {text}");
        self.notices.extend(finder.notices.into_iter().map(of));
        self.notices.extend(about.notices.iter().cloned().map(of));
        let description = description.with_version(version);
        let definition = definition(name, version, &about, &description);
        let plugin = Plugin {
            definition: Box::leak(Box::new(definition)),
            description,
            texts: Arc::new(texts),
        };
        self.plugins.insert(name, plugin);
        Ok(())
    }

    /// Their descriptions, for the catalogue of entities.
    #[must_use]
    pub fn descriptions(&self) -> Vec<CustomPlugin> {
        let plugins = self.plugins.values();
        plugins.map(|plugin| plugin.description.clone()).collect()
    }

    /// What works differently than their code may expect, for the operator.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// All of them, by name.
    pub fn definitions(&self) -> impl Iterator<Item = &'static Definition> + '_ {
        self.plugins.values().map(|plugin| plugin.definition)
    }

    /// The plugin of a name.
    #[must_use]
    pub fn definition(&self, name: &str) -> Option<&'static Definition> {
        self.plugins.get(name).map(|plugin| plugin.definition)
    }

    /// The description of the configuration of a plugin.
    #[must_use]
    pub fn schema(&self, name: &str) -> Option<&Schema> {
        let plugin = self.plugins.get(name)?;
        Some(plugin.description.config())
    }

    #[cfg(feature = "lua")]
    pub(crate) fn plugin(&self, name: &str) -> Option<&Plugin> {
        self.plugins.get(name)
    }
}

/// The plugins that the node brought along; state of the node.
#[derive(Debug, Default)]
pub struct Installed(RwLock<Arc<Brought>>);

impl Installed {
    /// Takes them into use.
    pub fn set(&self, brought: Arc<Brought>) {
        *self.0.write() = brought;
    }

    /// Those in use.
    #[must_use]
    pub fn get(&self) -> Arc<Brought> {
        Arc::clone(&self.0.read())
    }
}

fn definition(
    name: &'static str,
    version: &'static str,
    about: &About,
    description: &CustomPlugin,
) -> Definition {
    let is_allowed = |scope: &Scope| !description.forbidden().contains(scope);
    let scopes = [
        (Scope::Service, Scopes::SERVICE),
        (Scope::Route, Scopes::ROUTE),
        (Scope::Consumer, Scopes::CONSUMER),
        (Scope::ConsumerGroup, Scopes::CONSUMER_GROUP),
    ];
    let scopes = scopes.iter().filter(|(scope, _)| is_allowed(scope));
    let scopes = scopes.fold(Scopes::NONE, |all, (_, one)| all | *one);
    let mut definition = Definition::described(name, about.priority, no_schema)
        // An instance may want these beside the phases of its code.
        .phases(about.phases | Phases::RESPONSE | Phases::HEADER_FILTER)
        .scopes(scopes)
        .protocols(protocols(description, name))
        .default_protocols(HTTP_PROTOCOLS);
    definition.version = version;
    made_runnable(&mut definition);
    definition
}

fn protocols(description: &CustomPlugin, name: &str) -> &'static [&'static str] {
    match description.protocols(name).map(<[_]>::len) {
        Some(2) => &["http", "https"],
        Some(4) => HTTP_PROTOCOLS,
        _ => plugin_api::ALL_PROTOCOLS,
    }
}

/// Stands where the description is not asked for: that of such a plugin is [`Brought::schema`].
fn no_schema() -> Schema {
    Schema::new("")
}

#[cfg(feature = "lua")]
fn made_runnable(definition: &mut Definition) {
    definition.needs = plugin_api::Needs::REQUEST_BODY.and(plugin_api::Needs::RESPONSE_BODY);
    definition.build = Some(crate::lua::build_plugin);
}

#[cfg(not(feature = "lua"))]
fn made_runnable(_: &mut Definition) {}

/// The description: read as it stands, or run where it is put together by code.
fn describe(texts: &Texts) -> Result<CustomPlugin, String> {
    let text = texts.modules.get(&texts.schema());
    let text = text.map(String::as_str).unwrap_or_default();
    let plugin = match CustomPlugin::read(text) {
        Ok(plugin) => plugin,
        Err(fault) => run_schema(texts)
            .map_err(|reason| format!("schema.lua: {fault}, and running it: {reason}"))?,
    };
    match plugin.name() == texts.name {
        true => Ok(plugin),
        false => Err(format!("schema.lua describes `{}`", plugin.name())),
    }
}

#[cfg(feature = "lua")]
use crate::lua::{inspect, run_schema};

#[cfg(not(feature = "lua"))]
fn run_schema(_: &Texts) -> Result<CustomPlugin, String> {
    Err("this build runs no Lua".to_owned())
}

#[cfg(not(feature = "lua"))]
fn inspect(_: &Texts) -> Result<About, String> {
    Err("this build runs no Lua".to_owned())
}
