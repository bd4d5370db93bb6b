//! What this room needs to know about plugins, without knowing any.

use schema::Schema;

/// Where a plugin may be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// For everything.
    Global,
    /// On a service.
    Service,
    /// On a route.
    Route,
    /// On a consumer.
    Consumer,
    /// On a group of consumers.
    ConsumerGroup,
}

/// The plugins that are there, by name.
pub trait PluginCatalogue: Send + Sync {
    /// The description of the plugin's `config`; `None` if there is no such plugin.
    fn schema(&self, name: &str) -> Option<&Schema>;

    /// All names, sorted.
    fn names(&self) -> Vec<&str>;

    /// Whether the plugin may be configured there.
    fn allows_scope(&self, name: &str, scope: Scope) -> bool {
        let _ = (name, scope);
        true
    }

    /// The protocols the plugin accepts; `None` means all.
    fn protocols(&self, name: &str) -> Option<&[&'static str]> {
        let _ = name;
        None
    }

    /// The protocols a plugin row gets when it names none.
    fn default_protocols(&self, name: &str) -> &[&'static str] {
        let _ = name;
        &["grpc", "grpcs", "http", "https"]
    }

    /// Whether nodes of this program can run it; one that they cannot is only kept and checked.
    fn is_runnable(&self, name: &str) -> bool {
        let _ = name;
        true
    }

    /// The version of the plugin.
    fn version(&self, name: &str) -> Option<&str> {
        let _ = name;
        None
    }
}

/// A catalogue without plugins.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPlugins;

impl PluginCatalogue for NoPlugins {
    fn schema(&self, _name: &str) -> Option<&Schema> {
        None
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
    }
}
