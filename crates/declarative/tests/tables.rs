//! Wire tables and rendered texts, and that nothing is lost on the way.

mod common;

use common::{catalogue, config, packed, parse};
use gatehouse_declarative::{
    Config, Options, Surroundings, packed_table, render_json, render_yaml, yaml_text,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const RICH: &str = "_format_version: '3.0'\nservices:\n- name: s1\n  url: https://a.test/x\n  tags: [a, 'b c']\n  \
    routes:\n  - name: r1\n    paths: [/a, '~/b\\d+$']\n    headers: {x-a: ['1', '2']}\n    plugins:\n    - name: limit\n      \
    config: {minute: 5, redis_host: h}\nconsumers:\n- username: u\n  keyauth_credentials:\n  - {key: k, ttl: 1900000000}\n\
    upstreams:\n- name: u.test\n  targets:\n  - target: 1.1.1.1\nkey_sets:\n- name: ks\n";

#[test]
fn references_are_flat_on_the_wire() {
    let table = config(RICH).to_table(&catalogue());
    assert_eq!(table["_format_version"], json!("3.0"));
    assert_eq!(table["_transform"], json!(false));
    assert_eq!(table["routes"][0]["service"], table["services"][0]["id"]);
    assert_eq!(table["services"][0]["client_certificate"], Value::Null);
    assert_eq!(table["keyauth_credentials"][0]["ttl"], json!(1_900_000_000));
    assert!(table.get("acls").is_none());
}

/// Without moments and ids, some of which are random.
fn without_chance(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let by_chance = ["id", "created_at", "updated_at"];
            let members = members.into_iter();
            let members = members.filter(|(name, _)| !by_chance.contains(&name.as_str()));
            Value::Object(
                members
                    .map(|(name, value)| (name, without_chance(value)))
                    .collect(),
            )
        }
        Value::Array(items) => items.into_iter().map(without_chance).collect(),
        other => other,
    }
}

#[test]
fn packed_rows_say_what_open_rows_say() {
    let off = "consumer_groups:\n- name: g\n  plugins:\n  - {name: limit, enabled: false}\n";
    let text = format!("{RICH}{off}");
    let open = config(&text);
    let around = Surroundings::default();
    let rows = parse(&text).into_packed(&catalogue(), Options::default(), &around);
    let opened = |rows: &gatehouse_declarative::PackedRows| {
        let tables = rows.iter();
        let tables = tables.map(|(kind, rows)| (kind, rows.iter().map(|row| row.open()).collect()));
        json!(tables.collect::<std::collections::BTreeMap<_, Vec<_>>>())
    };
    assert_eq!(
        without_chance(opened(&rows.unwrap())),
        without_chance(json!(open.tables))
    );

    let (mut members, tables) = packed_table(packed(&open), &catalogue());
    for (name, rows) in tables {
        members.insert(
            name,
            rows.iter().map(|row| Value::Object(row.open())).collect(),
        );
    }
    assert_eq!(Value::Object(members), open.to_table(&catalogue()));
}

#[test]
fn old_names_are_sent_beside_the_new() {
    let table = config(RICH).to_table(&catalogue());
    assert_eq!(table["plugins"][0]["config"]["redis_host"], json!("h"));
    assert_eq!(table["plugins"][0]["config"]["redis"]["host"], json!("h"));
}

#[test]
fn what_is_disabled_is_left_out_with_what_hangs_on_it() {
    let config = config(
        "_format_version: '3.0'\nservices:\n- name: s1\n  host: h\n  enabled: false\n  routes:\n  - name: r\n    paths: [/]\n    \
         plugins:\n    - name: limit\n- name: s2\n  host: h\n  plugins:\n  - {name: limit, enabled: false}\n",
    );
    let table = config.to_table(&catalogue());
    assert_eq!(table["services"].as_array().map(Vec::len), Some(1));
    assert!(table.get("routes").is_none() && table.get("plugins").is_none());
    assert_eq!(config.rows("routes").len(), 1);
}

#[test]
fn a_table_reads_back_as_the_same_configuration() {
    let config = config(RICH);
    let table = config.to_table(&catalogue());
    assert_eq!(
        Config::from_table(&table, &catalogue()).expect("valid"),
        config
    );
}

#[test]
fn tables_of_other_planes_are_understood() {
    let table = json!({
        "_format_version": "3.0", "_transform": false,
        "workspaces": [{"id": "0dc6f45b-8f8d-40d2-a504-473544ee190b", "name": "default", "comment": null,
            "meta": {}, "config": [], "created_at": 1_700_000_000, "updated_at": 1.7e9}],
        "services": [{"id": "5fd1b3f7-0b0e-4e0b-9a0d-0d8a0b6c7e01", "host": "h", "port": 80.0,
            "tags": {}, "unknown_to_us": null, "created_at": 1_700_000_000, "updated_at": 1_700_000_001}],
        "plugins": [{"id": "5fd1b3f7-0b0e-4e0b-9a0d-0d8a0b6c7e03", "name": "limit", "ordering": null,
            "config": {"minute": 5, "redis_host": null, "newer": null, "redis": {"newest": null, "host": "h"}},
            "service": "5fd1b3f7-0b0e-4e0b-9a0d-0d8a0b6c7e01"}],
        "parameters": [{"key": "cluster_id", "value": "x", "created_at": null}],
        "unknown_table": null,
    });
    let config = Config::from_table(&table, &catalogue()).expect("valid");
    let service = &config.rows("services")[0];
    assert_eq!(service["port"], json!(80));
    assert_eq!(service["tags"], json!([]));
    assert_eq!(service["updated_at"], json!(1_700_000_001));
    assert_eq!(
        config.rows("plugins")[0]["config"]["redis"]["host"],
        json!("h")
    );
    assert_eq!(config.rows("parameters")[0]["key"], json!("cluster_id"));
    assert!(!config.is_empty());
}

#[test]
fn one_wrong_member_refuses_the_whole_table() {
    let table =
        json!({"_format_version": "3.0", "services": [{"host": "h"}, {"host": "h", "new": 5}]});
    let problems = Config::from_table(&table, &catalogue()).expect_err("unknown and not null");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].to_string(), "services[1].new: unknown field");
}

#[test]
fn workspaces_alone_are_no_configuration() {
    let table = json!({"_format_version": "3.0", "workspaces": [{"name": "default"}]});
    assert!(
        Config::from_table(&table, &catalogue())
            .expect("valid")
            .is_empty()
    );
    assert!(Config::default().is_empty());
}

#[test]
fn rendered_texts_read_back_as_the_same_configuration() {
    let config = config(RICH);
    for text in [
        render_yaml(&config, &catalogue()),
        render_json(&config, &catalogue()),
    ] {
        let options = Options::default();
        let again = parse(&text)
            .normalise(&catalogue(), options)
            .expect("valid");
        assert_eq!(again, config, "{text}");
    }
}

#[test]
fn yaml_is_in_block_style_and_stable() {
    let config = config(RICH);
    let text = render_yaml(&config, &catalogue());
    assert!(
        text.starts_with("_format_version: '3.0'\n_transform: false\n"),
        "{text}"
    );
    assert!(text.contains("\nservices:\n- id: "), "{text}");
    assert!(text.contains("\n  tags:\n  - a\n  - b c\n"), "{text}");
    assert!(text.contains("\n  client_certificate: ~\n"), "{text}");
    assert!(
        text.contains("\n  headers:\n    x-a:\n    - '1'\n    - '2'\n"),
        "{text}"
    );
    assert_eq!(text, render_yaml(&config, &catalogue()));
}

#[test]
fn texts_that_look_like_something_else_are_quoted() {
    let texts = [
        "",
        "yes",
        "No",
        "~",
        "null",
        "12",
        "1.5",
        "0x1F",
        "1e3",
        "a: b",
        "a #b",
        "- a",
        "'q'",
        "\"q\"",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "{a",
        "[a",
        "a:",
        " a",
        "a ",
        "#",
        "?",
        "|",
        ">",
        "\t",
        "a\tb",
        "a\nb",
        "a\nb\n",
        "a\n\nb\n\n",
        "\n",
        " x\ny",
        "\u{85}",
        "\u{feff}x",
        "é",
        "2024-01-01",
        "12:30",
        "<<",
        "...",
        "---",
        "=",
        ".inf",
        "on",
        "y",
        "\u{7f}",
        "a\r\nb",
        "~/re$",
        "+1",
        "-",
        "-1",
        ".5",
    ];
    for text in texts {
        let value = json!({ "k": text, "list": [text], "nested": [{ text: text }] });
        let rendered = yaml_text(&value);
        assert_eq!(parse(&rendered).value(), &value, "{text:?} as\n{rendered}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(Value::from),
        (-1e6f64..1e6).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::String),
        "[ -~\n\t]{0,16}".prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::btree_map("[ -~]{1,8}", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

prop_compose! {
    fn any_route()(
        name in "[a-z]{1,6}[0-9]{1,6}",
        paths in prop::collection::vec("/[a-z]{1,8}", 1..4),
        tags in prop::option::of(prop::collection::vec("[ -+.0-9a-z]{1,8}", 0..3)),
        strip in any::<bool>(),
        priority in any::<i16>(),
    ) -> Value {
        json!({"name": name, "paths": paths, "tags": tags, "strip_path": strip, "regex_priority": priority})
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_value_survives_yaml(value in any_value()) {
        let value = json!({ "root": value });
        let text = yaml_text(&value);
        let document = gatehouse_declarative::Document::parse(
            text.as_bytes(),
            gatehouse_declarative::Format::Yaml,
            gatehouse_declarative::Limits::default(),
        );
        match document {
            Ok(document) => prop_assert_eq!(document.value(), &value, "{}", text),
            Err(error) => prop_assert!(false, "{}\n{}", error, text),
        }
    }

    #[test]
    fn any_configuration_survives_wire_and_text(routes in prop::collection::vec(any_route(), 0..6)) {
        let mut names = std::collections::HashSet::new();
        let routes: Vec<Value> =
            routes.into_iter().filter(|route| names.insert(route["name"].to_string())).collect();
        let document = json!({
            "_format_version": "3.0",
            "services": [{"name": "s", "host": "h", "routes": routes}],
        });
        let config = gatehouse_declarative::Document::from_value(document)
            .normalise(&catalogue(), Options::default());
        prop_assert!(config.is_ok());
        let config = config.unwrap();
        let table = config.to_table(&catalogue());
        prop_assert_eq!(&Config::from_table(&table, &catalogue()).unwrap(), &config);
        let text = render_yaml(&config, &catalogue());
        prop_assert_eq!(&parse(&text).normalise(&catalogue(), Options::default()).unwrap(), &config);
    }

    #[test]
    fn no_text_makes_the_reader_fall_over(text in "[-a-z:{}\\[\\],&*!|>'\"#~?% \n\t0-9<.]{0,60}") {
        let _ = gatehouse_declarative::Document::parse(
            text.as_bytes(),
            gatehouse_declarative::Format::Auto,
            gatehouse_declarative::Limits::default(),
        );
    }
}

#[test]
fn only_texts_that_could_be_something_else_are_quoted() {
    for plain in [
        "27667a42-60c3-58a6-98a9-1ce7ab79e2d7",
        "4add49ad-f75d-577a-86fb-a51c9e63fd66",
        "50c3a95e544d67eb",
        "1.1.1.1:1",
        "10.0.0.0/8",
        "/a",
    ] {
        assert_eq!(yaml_text(&json!({"k": plain})), format!("k: {plain}\n"));
    }
    for other in [
        "12",
        "-1.5",
        "1e3",
        "0x1f",
        "1_000",
        "12:30",
        "1:2.5",
        "2026-01-02",
        "yes",
        "~",
        ".5",
    ] {
        assert_eq!(yaml_text(&json!({"k": other})), format!("k: '{other}'\n"));
    }
}

#[test]
fn long_texts_are_broken_at_spaces_and_read_back() {
    let words = "word ".repeat(40);
    for text in [
        words.trim().to_owned(),
        format!("{{\"a\": {}}}", words.trim()),
        format!("a  b {words}  c"),
    ] {
        let value = json!({"list": [{"k": text}]});
        let rendered = yaml_text(&value);
        assert_eq!(parse(&rendered).value(), &value, "{rendered}");
    }
    let rendered = yaml_text(&json!({"k": words.trim()}));
    assert!(rendered.lines().count() > 2, "{rendered}");
    assert!(rendered.lines().all(|line| line.len() <= 90), "{rendered}");
}

#[test]
fn an_accepted_configuration_is_shown_as_it_was_sent() {
    let document = parse(
        "_format_version: \"3.0\"\nconsumers:\n- username: u\n  basicauth_credentials:\n  - username: bob\n    password: plain\n",
    );
    let accepted = gatehouse_declarative::Accepted::of(&document);
    let config = document
        .normalise(&catalogue(), Options::default())
        .unwrap();
    let stored = &config.rows("basicauth_credentials")[0]["password"];
    assert_ne!(stored, "plain");
    let body = accepted.body(&config);
    let shown = body["basicauth_credentials"].as_object().unwrap();
    assert_eq!(shown.values().next().unwrap()["password"], "plain");
    assert!(!format!("{accepted:?}").contains("plain"));
}
