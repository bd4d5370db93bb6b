use std::sync::Arc;

use entities::{Catalogue, NoPlugins};

use super::table::Access;
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
        Nest::Top {
            access: Access::Full,
            ..
        } => String::new(),
        Nest::Top { .. } => " to read".to_owned(),
        Nest::Inside {
            kind, key, field, ..
        } => format!(" of {} {key} by {field}", kind.name),
    };
    match resolve(&segments, &catalogue) {
        None => "nothing".to_owned(),
        Some(Target::Collection(kind, nest)) => format!("all {}{}", kind.name, inside(&nest)),
        Some(Target::Item(kind, key, nest)) => format!("{} {key}{}", kind.name, inside(&nest)),
        Some(Target::Members(one, key)) => format!("all {} in {} {key}", one.member, one.owner),
        Some(Target::Member(one, key, member)) => {
            format!("{} {member} in {} {key}", one.member, one.owner)
        }
        Some(Target::Links(key)) => format!("links of {key}"),
        Some(Target::PluginSchemas) => "all plugin schemas".to_owned(),
        Some(Target::PluginSchema(name)) => format!("plugin schema {name}"),
        Some(Target::PartialForm(name)) => format!("form of partial {name}"),
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
        ("vaults/my-env", "vaults my-env"),
        ("key-sets/s/keys/k", "keys k of key_sets s by set"),
        ("keys", "all keys"),
        ("consumers/c/acls", "all acls of consumers c by consumer"),
        (
            "consumers/c/basic-auth",
            "all basicauth_credentials of consumers c by consumer",
        ),
        (
            "consumers/c/hmac-auth/h",
            "hmacauth_credentials h of consumers c by consumer",
        ),
        (
            "consumers/c/jwt/j",
            "jwt_secrets j of consumers c by consumer",
        ),
        ("jwts/j", "jwt_secrets j to read"),
        ("plugin-schemas", "all plugin schemas"),
        ("plugin-schemas/mine", "plugin schema mine"),
        ("schemas/partials/redis-ce", "form of partial redis-ce"),
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
        "workspaces",
        "parameters",
        "keyauth_credentials",
        "key-auth",
        "services/a/b",
        "services/a/routes/b/c",
        "routes/r/services",
        "services/a/degraphql",
        "oauth2",
        "oauth2_tokens",
        "plugin-schemas/a/b",
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
fn every_described_operation_resolves_at_both_mounts() {
    let catalogue = catalogue();
    for mount in [Mount::CoreEntities, Mount::IngressController] {
        let operations = operations(&catalogue, mount);
        let mut ids: Vec<String> = operations.iter().map(|one| one.id.clone()).collect();
        for operation in operations {
            let path = operation.path.replace("{entity}", "service");
            let path = path.replace(['{', '}'], "");
            let below = below_base(&path);
            assert!(
                resolve(&segments(below).unwrap(), &catalogue).is_some(),
                "{path}"
            );
        }
        ids.sort();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all, "ids are unique");
    }
}

#[test]
fn every_schema_that_an_operation_refers_to_is_described() {
    let catalogue = catalogue();
    let schemas = components(&catalogue);
    for operation in operations(&catalogue, Mount::CoreEntities) {
        let text = format!("{:?} {:?}", operation.body, operation.answer);
        for part in text.split("#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name} of {}", operation.id);
        }
    }
}

#[test]
fn an_encoded_slash_stays_inside_its_segment() {
    assert_eq!(
        below_base("/v2/control-planes/1/core-entities/services/a%2Fb"),
        "services/a%2Fb"
    );
    assert_eq!(
        below_base("/kic/api/control-planes/1/v1/kic-nodes"),
        "v1/kic-nodes"
    );
    assert_eq!(below_base("/kic/api/control-planes/1"), "");
}

/// A path made of the segments that the catalogue knows is described exactly when it is served.
#[test]
fn every_served_collection_is_described() {
    let catalogue = catalogue();
    let described: std::collections::HashSet<_> = operations(&catalogue, Mount::CoreEntities)
        .into_iter()
        .map(|one| below_base(&one.path).replace("{name}", "{key}"))
        .collect();
    let mut words: Vec<String> = Vec::new();
    for kind in catalogue.kinds() {
        words.extend([kind.path.to_owned(), kind.name.to_owned()]);
        words.extend(kind.nested.map(|(_, segment)| segment.to_owned()));
    }
    let more = ["consumers", "consumer_groups", "degraphql/routes", "links"];
    words.extend(more.map(str::to_owned));
    let is_served = |path: &str| resolve(&segments(path).unwrap(), &catalogue).is_some();
    let mut found = 0;
    for word in &words {
        let nested = words.iter().flat_map(|child| {
            [
                format!("{{parent}}/{child}"),
                format!("{{parent}}/{child}/{{key}}"),
            ]
        });
        let paths = nested
            .chain(["{key}".to_owned()])
            .map(|rest| format!("{word}/{rest}"));
        for path in paths.chain([word.clone()]) {
            let is_described = described.contains(&path);
            assert_eq!(is_served(&path), is_described, "{path}");
            found += usize::from(is_described);
        }
    }
    assert!(found > 50, "{found}");
}
