//! What is known about kinds: names, uniqueness, references, derived ids.

mod common;

use common::{catalogue, map};
use gatehouse_entities::{IdContext, Mode, OnDelete};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

const ID: &str = "a0000000-0000-4000-8000-000000000001";

#[test]
fn kinds_are_found_by_name_and_by_path() {
    let catalogue = catalogue();
    assert_eq!(
        catalogue.kind("keyauth_credentials").map(|kind| kind.path),
        Some("key-auths")
    );
    assert_eq!(
        catalogue.kind("key-auths").map(|kind| kind.name),
        Some("keyauth_credentials")
    );
    assert!(catalogue.kind("bogus").is_none());
}

#[test]
fn parents_come_before_their_children() {
    let catalogue = catalogue();
    let position = |name: &str| {
        catalogue
            .kinds()
            .iter()
            .position(|kind| kind.name == name)
            .unwrap_or(99)
    };
    for (at, kind) in catalogue.kinds().iter().enumerate() {
        for (field, target) in kind.foreign_fields() {
            assert!(
                position(target) < at,
                "{}.{} refers to a later kind",
                kind.name,
                field.name
            );
        }
    }
}

#[test]
fn every_kind_describes_its_keys_and_publishes_documents() {
    for kind in catalogue().kinds() {
        assert!(
            kind.schema.find(kind.primary_key).is_some(),
            "{}",
            kind.name
        );
        for field in kind.endpoint_key.iter().chain(kind.cache_key) {
            assert!(kind.schema.find(field).is_some(), "{}.{field}", kind.name);
        }
        assert!(
            kind.schema.admin_form()["fields"].is_array(),
            "{}",
            kind.name
        );
        assert_eq!(kind.schema.json_schema()["title"], json!(kind.name));
        if let Some((parent, _)) = kind.nested {
            assert!(
                kind.field_to(parent).is_some(),
                "{} below {parent}",
                kind.name
            );
        }
    }
}

#[test]
fn only_what_is_kept_goes_into_files_and_only_what_is_in_files_to_nodes() {
    // Secrets for vaults: nodes need them, files never hold them.
    let secrets = ["config_stores", "config_store_secrets"];
    let mut counts = [0; 3];
    for kind in catalogue().kinds() {
        assert_eq!(
            kind.delivered && !kind.exported,
            secrets.contains(&kind.name),
            "{}",
            kind.name
        );
        assert!(!kind.exported || kind.stored, "{}", kind.name);
        assert!(!kind.in_admin_api || kind.stored, "{}", kind.name);
        counts[0] += usize::from(!kind.stored);
        counts[1] += usize::from(kind.stored && !kind.exported);
        counts[2] += usize::from(kind.exported && !kind.delivered);
    }
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

#[test]
fn ids_follow_from_what_an_entity_is() {
    let cases = [
        (
            "services",
            json!({"name": "orders"}),
            "580c8aca-d632-5804-b307-a24326e1e2d5",
        ),
        (
            "services",
            json!({"name": "some.service.name"}),
            "d9bee1f8-db6e-5a37-9281-fd4aca16dc00",
        ),
        (
            "routes",
            json!({"name": "orders-api"}),
            "ad8c0783-913e-5973-8644-9005db910cd0",
        ),
        (
            "consumers",
            json!({"username": "alice"}),
            "b32379d9-3d28-5683-a79c-72139be6e34f",
        ),
        (
            "upstreams",
            json!({"name": "orders.internal"}),
            "77cfedb0-bfd8-5856-bf03-35d687191170",
        ),
        (
            "snis",
            json!({"name": "api.example.com"}),
            "b54c6249-fd30-52e3-b452-5400f6ff60b8",
        ),
        (
            "plugins",
            json!({"name": "key-auth"}),
            "6b4f38d1-e026-540b-a5ea-8634739dd2a7",
        ),
        (
            "plugins",
            json!({"name": "rate-limiting", "service": "orders"}),
            "71af1c92-b2ac-54ee-b96f-c1a67cbc842c",
        ),
        (
            "basicauth_credentials",
            json!({"username": "bob"}),
            "c32b532d-e1e7-5040-b7d6-c426e350866b",
        ),
        (
            "vaults",
            json!({"prefix": "my-env"}),
            "3dc3bf8d-e9b4-576c-af74-01619966a0d0",
        ),
    ];
    let catalogue = catalogue();
    for (kind, body, id) in cases {
        let kind = catalogue.kind(kind).expect("a kind");
        let made = kind.generated_id(&map(body), IdContext::default());
        assert_eq!(
            made.map(|id| id.to_string()).as_deref(),
            Some(id),
            "{}",
            kind.name
        );
    }
}

#[test]
fn ids_of_nested_entities_use_the_id_of_the_parent() {
    let catalogue = catalogue();
    let plugins = catalogue.kind("plugins").expect("plugins");
    let service = uuid!("580c8aca-d632-5804-b307-a24326e1e2d5");
    let body = map(json!({"name": "cors"}));
    let nested = plugins.generated_id(
        &body,
        IdContext {
            parent: Some(("service", service)),
        },
    );
    let written = map(json!({"name": "cors", "service": service.to_string()}));
    assert_eq!(nested, plugins.generated_id(&written, IdContext::default()));
    assert_ne!(nested, plugins.generated_id(&body, IdContext::default()));
}

#[test]
fn what_is_made_up_or_incomplete_has_no_derived_id() {
    let catalogue = catalogue();
    let made = |kind: &str, body: Value| {
        catalogue
            .kind(kind)
            .and_then(|k| k.generated_id(&map(body), IdContext::default()))
    };
    assert_eq!(made("keyauth_credentials", json!({"key": "k"})), None);
    assert_eq!(made("acls", json!({"group": "g"})), None);
    assert_eq!(made("services", json!({"host": "a"})), None);
    assert_eq!(made("certificates", json!({"cert": "x"})), None);
}

#[test]
fn uniqueness_is_by_field_and_by_fields_together() {
    let catalogue = catalogue();
    let keys = |kind: &str, body: Value| {
        catalogue
            .kind(kind)
            .map(|kind| kind.unique_keys(&map(body)))
            .unwrap_or_default()
    };
    assert!(keys("services", json!({"name": null})).is_empty());
    let service = keys("services", json!({"name": "a"}));
    assert_eq!(
        (service[0].fields.as_slice(), service[0].value.as_str()),
        (&["name"][..], "a")
    );
    assert!(!service[0].is_global);
    assert!(keys("snis", json!({"name": "a"}))[0].is_global);
    let one = keys("plugins", json!({"name": "cors", "route": null}));
    let two = keys(
        "plugins",
        json!({"name": "cors", "route": null, "service": null}),
    );
    assert_eq!(one, two);
    let other = keys("plugins", json!({"name": "cors", "service": {"id": ID}}));
    assert_ne!(one, other);
    let target = keys("targets", json!({"target": "a:80", "upstream": {"id": ID}}));
    assert_eq!(target[0].fields, ["upstream", "target"]);
    assert_eq!(
        keys("keys", json!({"kid": "x", "set": null})),
        keys("keys", json!({"kid": "x"}))
    );
}

#[test]
fn references_say_what_deletion_does() {
    let catalogue = catalogue();
    let references = |kind: &str, body: Value| {
        catalogue
            .kind(kind)
            .map(|kind| kind.references(&map(body)))
            .unwrap_or_default()
    };
    let id = Uuid::parse_str(ID).expect("a UUID");
    let route = references("routes", json!({"service": {"id": ID}}));
    assert_eq!(
        (route[0].kind, route[0].id, route[0].on_delete),
        ("services", id, OnDelete::Restrict)
    );
    let target = references("targets", json!({"upstream": {"id": ID}}));
    assert_eq!(target[0].on_delete, OnDelete::Cascade);
    let sni = references("snis", json!({"certificate": {"id": ID}}));
    assert_eq!(sni[0].on_delete, OnDelete::Cascade);
    assert!(references("plugins", json!({"service": null})).is_empty());
}

#[test]
fn the_form_of_a_plugin_names_what_it_forbids() {
    let catalogue = catalogue();
    let form = catalogue.plugin_form("auth").expect("a plugin");
    assert_eq!(
        form["fields"][0],
        json!({"consumer": {"type": "foreign", "reference": "consumers", "eq": null}})
    );
    assert_eq!(
        form["fields"][1]["protocols"]["elements"]["one_of"][0],
        json!("grpc")
    );
    assert_eq!(form["fields"][2]["config"]["required"], json!(true));
    let form = catalogue.plugin_form("limit").expect("a plugin");
    assert_eq!(form["fields"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        form["entity_checks"],
        json!([
            {"at_least_one_of": ["config.minute", "config.hour"]},
            {"conditional": {
                "if_field": "config.backend", "if_match": {"eq": "redis"},
                "then_field": "config.redis.host", "then_match": {"required": true},
            }},
        ])
    );
    assert!(catalogue.plugin_form("nope").is_none());
}

#[test]
fn a_group_is_part_of_the_key_of_a_plugin_only_while_there_is_one() {
    let catalogue = catalogue();
    let plugins = catalogue.kind("plugins").expect("plugins");
    let alone = map(json!({"name": "limit"}));
    let grouped = map(json!({"name": "limit", "consumer_group": {"id": ID}}));
    assert_eq!(
        plugins.unique_keys(&alone)[0].fields,
        ["name", "route", "service", "consumer"]
    );
    assert_eq!(
        plugins.unique_keys(&grouped)[0].fields,
        ["name", "route", "service", "consumer", "consumer_group"]
    );
    let id = |body: &_| plugins.generated_id(body, IdContext::default());
    assert_ne!(id(&alone), id(&grouped));
}

#[test]
fn members_unknown_to_the_reference_are_absent_while_they_have_no_value() {
    let catalogue = catalogue();
    let mut body = map(json!({"name": "limit", "config": {"minute": 1}, "consumer_group": null}));
    catalogue
        .validate("plugins", &mut body, Mode::Insert)
        .expect("valid");
    assert!(!body.contains_key("consumer_group") && !body.contains_key("partials"));
    let stored = body;
    let mut patch = map(json!({"consumer_group": {"id": ID}}));
    let mode = Mode::Update { stored: &stored };
    catalogue
        .validate("plugins", &mut patch, mode)
        .expect("valid");
    assert_eq!(patch["consumer_group"], json!({"id": ID}));
    let stored = patch;
    let mut patch = map(json!({"consumer_group": null}));
    let mode = Mode::Update { stored: &stored };
    catalogue
        .validate("plugins", &mut patch, mode)
        .expect("valid");
    assert!(!patch.contains_key("consumer_group"));
}

#[test]
fn a_plugin_keeps_the_partials_it_names_and_nodes_get_it_with_them_worked_in() {
    let catalogue = catalogue();
    let mut partial = map(json!({"type": "redis-ce", "config": {"host": "redis.test"}}));
    catalogue
        .validate("partials", &mut partial, Mode::Insert)
        .expect("valid");
    assert_eq!(partial["config"]["port"], json!(6379));
    let mut plugin = map(json!({
        "name": "limit",
        "config": {"minute": 1},
        "partials": [{"id": ID}],
    }));
    catalogue
        .validate("plugins", &mut plugin, Mode::Insert)
        .expect("valid");
    let references = catalogue
        .kind("plugins")
        .expect("plugins")
        .references(&plugin);
    assert_eq!(references.len(), 1);
    assert_eq!(references[0].kind, "partials");
    assert_eq!(references[0].on_delete, OnDelete::Restrict);
    catalogue.with_partials(&mut plugin, |id| (id == ID).then_some(&partial));
    assert_eq!(plugin["config"]["redis"]["host"], json!("redis.test"));
    assert_eq!(plugin["config"]["minute"], json!(1));
    assert!(!plugin.contains_key("partials"));
}

#[test]
fn what_a_partial_brings_is_judged_with_the_partial_in_its_place() {
    let catalogue = catalogue();
    let body = |path: &str| {
        map(json!({
            "name": "limit",
            "config": {"minute": 1, "backend": "redis"},
            "partials": [{"id": ID, "path": path}],
        }))
    };
    let mut without = map(json!({"name": "limit", "config": {"minute": 1, "backend": "redis"}}));
    let refused = catalogue.validate("plugins", &mut without, Mode::Insert);
    assert!(refused.is_err());
    let mut plugin = body("config.redis");
    catalogue
        .validate("plugins", &mut plugin, Mode::Insert)
        .expect("the partial may bring what lacks");
    let whole = map(json!({"type": "redis-ce", "config": {"host": "redis.test"}}));
    let empty = map(json!({"type": "redis-ce", "config": {"database": 1}}));
    assert_eq!(
        catalogue.check_with_partials(&plugin, |_| Some(&whole)),
        Ok(())
    );
    let violations = catalogue
        .check_with_partials(&plugin, |_| Some(&empty))
        .expect_err("nothing brings the host");
    assert!(violations.get("config.redis.host").is_some());
    let mut elsewhere = body("config.other");
    let refused = catalogue.validate("plugins", &mut elsewhere, Mode::Insert);
    assert!(refused.is_err());
}
