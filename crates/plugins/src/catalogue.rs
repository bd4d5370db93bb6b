//! The list of plugins as the entity catalogue sees it: schemas, scopes, protocols, versions.

use std::sync::Arc;

use entities::{PluginCatalogue, Scope};
use plugin_api::{Definition, Scopes};
use schema::Schema;

use crate::DEFINITIONS;

/// The plugins of this build, with their schemas prepared.
#[derive(Debug)]
pub struct Catalogue {
    /// Sorted by name.
    plugins: Vec<(&'static Definition, Schema)>,
}

/// The plugins of this build for [`entities::Catalogue::new`].
#[must_use]
pub fn catalogue() -> Arc<Catalogue> {
    catalogue_of(|_| true)
}

/// The same, without those that are switched off on a node.
#[must_use]
pub fn catalogue_of(is_enabled: impl Fn(&str) -> bool) -> Arc<Catalogue> {
    let mut plugins: Vec<_> = DEFINITIONS
        .iter()
        .filter(|definition| is_enabled(definition.name))
        .map(|definition| (*definition, (definition.schema)()))
        .collect();
    plugins.sort_by_key(|(definition, _)| definition.name);
    Arc::new(Catalogue { plugins })
}

impl Catalogue {
    fn find(&self, name: &str) -> Option<&(&'static Definition, Schema)> {
        let at = self
            .plugins
            .binary_search_by(|(definition, _)| definition.name.cmp(name))
            .ok()?;
        self.plugins.get(at)
    }
}

impl PluginCatalogue for Catalogue {
    fn schema(&self, name: &str) -> Option<&Schema> {
        self.find(name).map(|(_, schema)| schema)
    }

    fn names(&self) -> Vec<&str> {
        self.plugins
            .iter()
            .map(|(definition, _)| definition.name)
            .collect()
    }

    fn allows_scope(&self, name: &str, scope: Scope) -> bool {
        let Some((definition, _)) = self.find(name) else {
            return false;
        };
        match scope {
            Scope::Global => true,
            Scope::Service => definition.scopes.contains(Scopes::SERVICE),
            Scope::Route => definition.scopes.contains(Scopes::ROUTE),
            Scope::Consumer => definition.scopes.contains(Scopes::CONSUMER),
            Scope::ConsumerGroup => definition.scopes.contains(Scopes::CONSUMER_GROUP),
        }
    }

    fn protocols(&self, name: &str) -> Option<&[&'static str]> {
        self.find(name).map(|(definition, _)| definition.protocols)
    }

    fn version(&self, name: &str) -> Option<&str> {
        self.find(name).map(|(definition, _)| definition.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_execution_order_with_distinct_priorities() {
        let priorities: Vec<_> = DEFINITIONS.iter().map(|d| (d.priority, d.name)).collect();
        assert_eq!(
            priorities,
            [
                (100_001, "correlation-id"),
                (1250, "key-auth"),
                (910, "rate-limiting"),
                (2, "request-termination"),
            ]
        );
    }

    #[test]
    fn the_catalogue_knows_what_is_there_and_nothing_else() {
        let catalogue = catalogue();
        assert_eq!(
            catalogue.names(),
            [
                "correlation-id",
                "key-auth",
                "rate-limiting",
                "request-termination"
            ]
        );
        for name in catalogue.names() {
            assert!(catalogue.schema(name).is_some(), "{name}");
            assert_eq!(catalogue.version(name), Some("3.9.3"), "{name}");
        }
        assert!(catalogue.schema("acl").is_none());
        assert!(!catalogue.allows_scope("acl", Scope::Global));
    }

    #[test]
    fn a_plugin_that_is_switched_off_is_unknown() {
        let catalogue = catalogue_of(|name| name != "key-auth");
        assert!(catalogue.schema("key-auth").is_none());
        assert!(catalogue.schema("rate-limiting").is_some());
    }

    #[test]
    fn key_auth_may_not_be_put_on_a_consumer() {
        let catalogue = catalogue();
        assert!(!catalogue.allows_scope("key-auth", Scope::Consumer));
        assert!(catalogue.allows_scope("key-auth", Scope::Route));
        assert!(catalogue.allows_scope("rate-limiting", Scope::Consumer));
    }
}
