//! The list of plugins as the entity catalogue sees it: schemas, scopes, protocols, versions.

use std::sync::Arc;

use entities::{PluginCatalogue, Scope};
use plugin_api::{Definition, HTTP_PROTOCOLS, Scopes};
use schema::Schema;

use crate::{Brought, DEFINITIONS};

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
    catalogue_with(is_enabled, &Brought::default())
}

/// The same, with the plugins that a node brings along.
#[must_use]
pub fn catalogue_with(is_enabled: impl Fn(&str) -> bool, brought: &Brought) -> Arc<Catalogue> {
    let mut plugins: Vec<_> = DEFINITIONS
        .iter()
        .filter(|definition| is_enabled(definition.name))
        .map(|definition| (*definition, (definition.schema)()))
        .collect();
    let described = brought.definitions().filter_map(|definition| {
        let schema = brought.schema(definition.name)?;
        Some((definition, schema.clone()))
    });
    plugins.extend(described);
    plugins.sort_by_key(|(definition, _)| definition.name);
    Arc::new(Catalogue { plugins })
}

/// Plugins that may be limited to a group of consumers.
///
/// Compat: those whose documentation says so; the open-source line has no groups.
const GROUPED: [&str; 14] = [
    "ai-prompt-decorator",
    "ai-prompt-guard",
    "ai-prompt-template",
    "ai-proxy",
    "ai-request-transformer",
    "ai-response-transformer",
    "ip-restriction",
    "proxy-cache",
    "rate-limiting",
    "redirect",
    "request-termination",
    "request-transformer",
    "response-transformer",
    "standard-webhooks",
];

/// Whether a plugin may be limited to a group of consumers.
#[must_use]
pub fn takes_groups(definition: &Definition) -> bool {
    definition.scopes.contains(Scopes::CONSUMER_GROUP) || GROUPED.contains(&definition.name)
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
            Scope::ConsumerGroup => takes_groups(definition),
        }
    }

    fn is_runnable(&self, name: &str) -> bool {
        self.find(name)
            .is_some_and(|(definition, _)| definition.is_runnable())
    }

    fn protocols(&self, name: &str) -> Option<&[&'static str]> {
        self.find(name).map(|(definition, _)| definition.protocols)
    }

    fn default_protocols(&self, name: &str) -> &[&'static str] {
        self.find(name).map_or(HTTP_PROTOCOLS, |(definition, _)| {
            definition.default_protocols
        })
    }

    fn version(&self, name: &str) -> Option<&str> {
        self.find(name).map(|(definition, _)| definition.version)
    }
}

#[cfg(test)]
mod tests {
    use schema::FieldKind;

    use super::*;

    #[test]
    fn the_list_is_in_execution_order() {
        let order: Vec<_> = DEFINITIONS.iter().map(|d| (d.priority, d.name)).collect();
        assert_eq!(
            order,
            [
                (1_000_000, "pre-function"),
                (100_001, "correlation-id"),
                (100_000, "zipkin"),
                (2500, "bot-detection"),
                (2000, "cors"),
                (1900, "session"),
                (1705, "acme"),
                (1450, "jwt"),
                (1400, "oauth2"),
                (1250, "key-auth"),
                (1200, "ldap-auth"),
                (1100, "basic-auth"),
                (1030, "hmac-auth"),
                (998, "grpc-gateway"),
                (990, "ip-restriction"),
                (951, "request-size-limiting"),
                (950, "acl"),
                (910, "rate-limiting"),
                (900, "response-ratelimiting"),
                (801, "request-transformer"),
                (800, "response-transformer"),
                (779, "redirect"),
                (777, "ai-request-transformer"),
                (773, "ai-prompt-template"),
                (772, "ai-prompt-decorator"),
                (771, "ai-prompt-guard"),
                (770, "ai-proxy"),
                (768, "ai-response-transformer"),
                (760, "standard-webhooks"),
                (750, "aws-lambda"),
                (749, "azure-functions"),
                (100, "proxy-cache"),
                (14, "opentelemetry"),
                (13, "prometheus"),
                (12, "http-log"),
                (11, "statsd"),
                (10, "datadog"),
                (9, "file-log"),
                (8, "udp-log"),
                (7, "tcp-log"),
                (6, "loggly"),
                (4, "syslog"),
                (3, "grpc-web"),
                (2, "request-termination"),
                (-1000, "post-function"),
            ]
        );
    }

    #[test]
    fn the_catalogue_knows_what_is_there_and_nothing_else() {
        let catalogue = catalogue();
        let names = catalogue.names();
        assert_eq!(names.len(), 45);
        assert!(names.is_sorted());
        for name in names {
            assert!(catalogue.schema(name).is_some(), "{name}");
            assert_eq!(catalogue.version(name), Some("3.9.3"), "{name}");
        }
        assert!(catalogue.schema("no-such").is_none());
        assert!(!catalogue.allows_scope("no-such", Scope::Global));
    }

    #[test]
    fn every_field_says_what_it_is_for() {
        fn silent(schema: &Schema, path: &str, found: &mut Vec<String>) {
            for field in &schema.fields {
                let path = format!("{path}.{}", field.name);
                if field.description.is_empty() {
                    found.push(path.clone());
                }
                let inner = match &field.kind {
                    FieldKind::Array(inner) | FieldKind::Set(inner) => &inner.kind,
                    FieldKind::Map { values, .. } => &values.kind,
                    kind => kind,
                };
                if let FieldKind::Record(schema) = inner {
                    silent(schema, &path, found);
                }
            }
        }
        let mut found = Vec::new();
        for definition in DEFINITIONS {
            silent(&(definition.schema)(), definition.name, &mut found);
        }
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn where_and_for_which_protocols_a_plugin_may_be_configured() {
        let catalogue = catalogue();
        let scopes = |name| {
            [Scope::Service, Scope::Route, Scope::Consumer]
                .map(|scope| catalogue.allows_scope(name, scope))
        };
        assert_eq!(scopes("acme"), [false, false, false]);
        assert_eq!(scopes("acl"), [true, true, false]);
        assert_eq!(scopes("file-log"), [true, true, true]);
        assert_eq!(catalogue.protocols("cors").map(<[_]>::len), Some(4));
        assert_eq!(catalogue.protocols("file-log").map(<[_]>::len), Some(8));
        assert_eq!(
            catalogue.default_protocols("file-log"),
            ["grpc", "grpcs", "http", "https"]
        );
        assert_eq!(
            catalogue.default_protocols("ip-restriction"),
            ["http", "https", "tcp", "tls", "grpc", "grpcs"]
        );
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
