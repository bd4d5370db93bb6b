use std::sync::Arc;

use entities::{Catalogue, NoPlugins};

use super::target::{Nest, Target, resolve, segments};
use super::*;

fn catalogue() -> Catalogue {
    Catalogue::new(Arc::new(NoPlugins))
}

fn meaning(path: &str) -> String {
    let catalogue = catalogue();
    let Some(segments) = segments(path) else {
        return "malformed".to_owned();
    };
    let inside = |nest: &Nest<'_>| match nest {
        Nest::Top { is_writable: true } => String::new(),
        Nest::Top { is_writable: false } => " to read".to_owned(),
        Nest::Inside {
            kind, key, field, ..
        } => format!(" of {} {key} by {field}", kind.name),
    };
    match resolve(&segments, &catalogue) {
        None => "nothing".to_owned(),
        Some(Target::Collection(kind, nest)) => format!("all {}{}", kind.name, inside(&nest)),
        Some(Target::Item(kind, key, nest)) => format!("{} {key}{}", kind.name, inside(&nest)),
        Some(Target::JsonSchema(kind)) => format!("json schema of {}", kind.name),
        Some(Target::Form(kind)) => format!("form of {}", kind.name),
        Some(Target::PluginForm(name)) => format!("form of plugin {name}"),
        Some(Target::Validate(kind)) => format!("validate {}", kind.name),
    }
}

#[test]
fn paths_mean_collections_entities_and_descriptions() {
    for (path, expected) in [
        ("services", "all services"),
        ("services/", "all services"),
        ("services/orders", "services orders"),
        ("services/a%2Fb", "services a/b"),
        (
            "services/orders/routes",
            "all routes of services orders by service",
        ),
        (
            "services/orders/routes/r",
            "routes r of services orders by service",
        ),
        ("routes/r/plugins", "all plugins of routes r by route"),
        (
            "consumers/c/plugins/p",
            "plugins p of consumers c by consumer",
        ),
        (
            "consumers/c/key-auth",
            "all keyauth_credentials of consumers c by consumer",
        ),
        ("key-auths", "all keyauth_credentials to read"),
        ("targets", "all targets to read"),
        (
            "upstreams/u/targets/t",
            "targets t of upstreams u by upstream",
        ),
        (
            "certificates/c/snis",
            "all snis of certificates c by certificate",
        ),
        ("ca_certificates", "all ca_certificates"),
        ("v1/schemas/json/service", "json schema of services"),
        (
            "v1/schemas/json/key-auth",
            "json schema of keyauth_credentials",
        ),
        ("schemas/routes", "form of routes"),
        ("schemas/plugins/cors", "form of plugin cors"),
        ("schemas/plugins/validate", "validate plugins"),
        ("schemas/services/validate", "validate services"),
    ] {
        assert_eq!(meaning(path), expected, "{path}");
    }
}

#[test]
fn paths_of_nothing_mean_nothing() {
    for path in [
        "vaults",
        "workspaces",
        "parameters",
        "keyauth_credentials",
        "key-auth",
        "services/a/b",
        "services/a/routes/b/c",
        "routes/r/services",
        "oauth2",
        "v1/schemas/json/consumer_group",
        "schemas/partials/redis-ce",
        "v1/consumer-groups",
    ] {
        assert_eq!(meaning(path), "nothing", "{path}");
    }
    for path in [
        "",
        "services//routes",
        "services/%zz",
        "services/%f",
        "services/%ff",
    ] {
        assert_eq!(meaning(path), "malformed", "{path}");
    }
}

#[test]
fn every_described_endpoint_resolves() {
    let catalogue = catalogue();
    for endpoint in endpoints(&catalogue) {
        let path = endpoint
            .path
            .strip_prefix(BASE)
            .unwrap()
            .trim_start_matches('/');
        let path = path.replace("{entity}", "service").replace(['{', '}'], "");
        assert!(
            resolve(&segments(&path).unwrap(), &catalogue).is_some(),
            "{path}"
        );
    }
}
