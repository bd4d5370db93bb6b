//! The short form: what people keep in files.

mod common;

use common::{catalogue, packed, parse};
use gatehouse_declarative::{Config, Document, Options, TextForm, render_minimal};
use proptest::prelude::*;
use serde_json::{Value, json};

fn deck() -> Options {
    Options {
        tolerate_deck: true,
        ..Options::default()
    }
}

fn read(document: &Value) -> Config {
    let config = Document::from_value(document.clone()).normalise(&catalogue(), deck());
    assert!(config.is_ok(), "{config:?}\n{document:#}");
    config.unwrap_or_default()
}

fn text(config: &Config) -> String {
    render_minimal(&packed(config), &catalogue(), &[], TextForm::Yaml)
}

/// Everything but moments, whatever the order of rows.
fn content(config: &Config) -> Value {
    let mut tables = json!(config.tables);
    let kinds = tables
        .as_object_mut()
        .into_iter()
        .flat_map(|kinds| kinds.values_mut());
    for rows in kinds.filter_map(Value::as_array_mut) {
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            row.remove("created_at");
            row.remove("updated_at");
        }
        rows.sort_by_key(|row| row["id"].to_string());
    }
    tables
}

#[test]
fn a_file_comes_back_as_people_write_it() {
    let file = "_format_version: '3.0'
_transform: false
consumers:
- username: ann
  keyauth_credentials:
  - id: a0000050-0050-4000-8000-000000000001
    key: secret
  basicauth_credentials:
  - password: e4fa71b8c6b7a2ed1ed9ab5b9b8a7fd5b2bd1f4e
    username: bob
  groups:
  - name: gold
services:
- host: orders.internal
  name: orders
  plugins:
  - config:
      minute: 5
    name: limit
  routes:
  - name: orders
    paths:
    - /orders
consumer_groups:
- name: gold
plugins:
- enabled: false
  name: limit
";
    let config = parse(file).normalise(&catalogue(), deck()).unwrap();
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text
            .lines()
            .map(|line| line.trim_start_matches(['-', ' ']).to_owned())
            .collect();
        lines.sort();
        lines
    };
    let rendered = text(&config);
    assert_eq!(sorted(&rendered), sorted(file), "{rendered}");
    assert_eq!(
        parse(&rendered)
            .normalise(&catalogue(), deck())
            .map(|it| content(&it)),
        Ok(content(&config))
    );
}

#[test]
fn names_that_look_like_ids_are_not_used_as_references() {
    let config = read(&json!({
        "_format_version": "3.0",
        "consumers": [{"username": "a0000050-0050-4000-8000-00000000004d"}],
        "plugins": [{"name": "limit", "consumer": "a0000050-0050-4000-8000-00000000004d"}],
    }));
    let again = parse(&text(&config))
        .normalise(&catalogue(), deck())
        .unwrap();
    assert_eq!(content(&again), content(&config));
}

#[test]
fn an_empty_configuration_is_a_document() {
    let rendered = text(&Config::default());
    assert_eq!(rendered, "_format_version: '3.0'\n");
    assert!(
        parse(&rendered)
            .normalise(&catalogue(), deck())
            .unwrap()
            .is_empty()
    );
}

fn name() -> impl Strategy<Value = String> {
    "[a-c]{1,3}"
}

fn tags() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        prop::collection::vec("[a-d ]{0,2}x", 1..3).prop_map(|tags| {
            let unique: std::collections::BTreeSet<_> =
                tags.into_iter().map(|tag| tag.trim().to_owned()).collect();
            json!(unique)
        }),
    ]
}

fn id() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => Just(Value::Null),
        1 => any::<u128>().prop_map(|number| json!(uuid::Uuid::from_u128(number).to_string())),
    ]
}

fn plugin() -> impl Strategy<Value = Value> {
    (
        id(),
        any::<bool>(),
        prop::option::of(1..100u32),
        tags(),
        prop::option::of(Just("h.test")),
    )
        .prop_map(|(id, enabled, minute, tags, host)| {
            json!({
                "name": "limit", "id": id, "enabled": enabled, "tags": tags,
                "config": {"minute": minute, "redis": {"host": host}},
            })
        })
}

fn route() -> impl Strategy<Value = Value> {
    (
        (id(), prop::option::of(name()), tags()),
        (
            prop::option::of(any::<bool>()),
            prop::option::of(0..20u32),
            prop::option::of(Just("v1")),
        ),
        prop::option::of(plugin()),
        prop_oneof![
            Just("/a"),
            Just("~/b/\\d+$"),
            Just("/long path with many words in it")
        ],
    )
        .prop_map(
            |((id, name, tags), (strip, priority, handling), plugin, path)| {
                let mut route = json!({
                    "id": id, "name": name, "tags": tags, "paths": [path.replace(' ', "")],
                    "headers": {"x-a": ["1", "yes"]},
                });
                if let Some(strip) = strip {
                    route["strip_path"] = json!(strip);
                }
                if let Some(priority) = priority {
                    route["regex_priority"] = json!(priority);
                }
                if let Some(handling) = handling {
                    route["path_handling"] = json!(handling);
                }
                if let Some(plugin) = plugin {
                    route["plugins"] = json!([plugin]);
                }
                route
            },
        )
}

fn service() -> impl Strategy<Value = Value> {
    (
        (id(), prop::option::of(name()), tags()),
        (
            prop::option::of(0..5u32),
            prop::option::of(1..65535u32),
            any::<bool>(),
        ),
        (
            prop::collection::vec(route(), 0..3),
            prop::option::of(plugin()),
        ),
    )
        .prop_map(
            |((id, name, tags), (retries, port, enabled), (routes, plugin))| {
                let mut service = json!({
                    "id": id, "name": name, "tags": tags, "host": "h.test", "enabled": enabled,
                    "routes": routes,
                });
                if let Some(retries) = retries {
                    service["retries"] = json!(retries);
                }
                if let Some(port) = port {
                    service["port"] = json!(port);
                }
                if let Some(plugin) = plugin {
                    service["plugins"] = json!([plugin]);
                }
                service
            },
        )
}

fn consumer() -> impl Strategy<Value = Value> {
    (
        (id(), name(), prop::option::of("[x-z]{1,2}"), tags()),
        (
            prop::option::of("[a-z0-9]{8}"),
            prop::option::of(1_900_000_000..2_000_000_000u64),
        ),
        (
            prop::option::of(name()),
            prop::option::of(name()),
            prop::option::of(plugin()),
        ),
        any::<bool>(),
    )
        .prop_map(
            |((id, name, custom, tags), (key, ttl), (user, group, plugin), in_group)| {
                let mut consumer =
                    json!({"id": id, "username": name, "custom_id": custom, "tags": tags});
                if let Some(key) = key {
                    consumer["keyauth_credentials"] = json!([{"key": key, "ttl": ttl}]);
                }
                if let Some(user) = user {
                    consumer["basicauth_credentials"] =
                        json!([{"username": user, "password": "p w: #1"}]);
                    consumer["jwt_secrets"] = json!([{"key": user}]);
                }
                if let Some(group) = group {
                    consumer["acls"] = json!([{"group": group}]);
                }
                if let Some(plugin) = plugin {
                    consumer["plugins"] = json!([plugin]);
                }
                if in_group {
                    consumer["groups"] = json!([{"name": "gold"}]);
                }
                consumer
            },
        )
}

fn upstream() -> impl Strategy<Value = Value> {
    (id(), name(), prop::option::of(10..100u32), prop::collection::btree_set(1..9u8, 0..3)).prop_map(
        |(id, name, slots, targets)| {
            let targets: Vec<_> = targets
                .into_iter()
                .map(|n| json!({"target": format!("10.0.0.{n}"), "weight": u32::from(n) * 10}))
                .collect();
            let mut upstream = json!({
                "id": id, "name": name, "targets": targets,
                "healthchecks": {"active": {"healthy": {"interval": 5}, "headers": {"x-h": ["~", "null"]}}},
            });
            if let Some(slots) = slots {
                upstream["slots"] = json!(slots);
            }
            upstream
        },
    )
}

fn document() -> impl Strategy<Value = Value> {
    (
        prop::collection::vec(service(), 0..3),
        prop::collection::vec(consumer(), 0..3),
        prop::collection::vec(upstream(), 0..2),
        prop::option::of(plugin()),
        prop::option::of(("[a-z]{3}", any::<bool>())),
    )
        .prop_map(|(services, consumers, upstreams, plugin, vault)| {
            let mut document = json!({
                "_format_version": "3.0", "services": services, "consumers": consumers,
                "upstreams": upstreams, "consumer_groups": [{"name": "gold"}],
                "key_sets": [{"name": "ks"}],
            });
            document["plugins"] = plugin.map_or(json!([]), |plugin| json!([plugin]));
            if let Some((prefix, _)) = vault {
                document["vaults"] = json!([{"name": "env", "prefix": format!("my-{prefix}"), "config": {"prefix": "A_"}}]);
            }
            document
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_written_reads_back_as_the_same(document in document()) {
        // Random names may clash; such documents are no configurations.
        let Ok(config) = Document::from_value(document).normalise(&catalogue(), deck()) else {
            return Ok(());
        };
        let first = text(&config);
        let again = parse(&first).normalise(&catalogue(), deck());
        prop_assert!(again.is_ok(), "{:?}\n{}", again, first);
        let again = again.unwrap();
        prop_assert_eq!(content(&again), content(&config), "{}", first);
        prop_assert_eq!(text(&again), first);
        let tags = ["a".to_owned()];
        let [yaml, json] = [TextForm::Yaml, TextForm::Json]
            .map(|form| render_minimal(&packed(&config), &catalogue(), &tags, form));
        let [yaml, json] = [yaml, json].map(|text| parse(&text));
        prop_assert_eq!(yaml.value(), json.value());
        prop_assert_eq!(json.select_tags(), tags);
    }
}
