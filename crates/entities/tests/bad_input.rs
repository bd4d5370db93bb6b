//! Hostile bodies: whatever comes in, the answer is an entity or violations, and quickly.

mod common;

use common::{catalogue, map};
use gatehouse_entities::{Map, Mode};
use proptest::prelude::*;
use serde_json::{Value, json};

const ID: &str = "a0000000-0000-4000-8000-000000000001";

fn refusal(kind: &str, body: Value) -> Value {
    let mut body = map(body);
    let violations = catalogue()
        .validate(kind, &mut body, Mode::Insert)
        .expect_err("it was accepted");
    assert!(violations.message().contains("schema violation"));
    violations.fields()
}

fn accepted(kind: &str, body: Value) -> Map {
    let mut body = map(body);
    catalogue()
        .validate(kind, &mut body, Mode::Insert)
        .expect("it is accepted");
    body
}

#[test]
fn numbers_beyond_all_limits_are_refused_where_a_limit_is() {
    let numbers = [
        json!(i64::MAX),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(-1e300),
    ];
    for number in numbers {
        let fields = refusal("services", json!({"host": "a", "port": number}));
        let said = fields["port"].as_str().expect("a text");
        assert!(
            said == "value should be between 0 and 65535" || said == "expected an integer",
            "{number}: {said}"
        );
    }
    let fields = refusal("services", json!({"host": "a", "retries": 0.5}));
    assert_eq!(fields["retries"], json!("expected an integer"));
}

#[test]
fn numbers_too_large_for_json_do_not_parse() {
    assert!(serde_json::from_str::<Value>(r#"{"port": 1e400}"#).is_err());
    assert!(serde_json::from_str::<Value>(r#"{"host": "\ud800"}"#).is_err());
    assert!(serde_json::from_slice::<Value>(b"{\"host\": \"\xff\"}").is_err());
}

#[test]
fn control_characters_do_not_get_into_names_hosts_paths_and_tags() {
    for bad in ["a\u{0}b", "a\nb", "a\rb", "a\u{7f}b", "a\u{1b}[31m"] {
        let cases = [
            ("services", json!({"host": bad}), "host"),
            ("services", json!({"host": "a", "name": bad}), "name"),
            (
                "services",
                json!({"host": "a", "path": format!("/{bad}")}),
                "path",
            ),
            ("services", json!({"host": "a", "tags": [bad]}), "tags"),
            ("routes", json!({"hosts": [bad]}), "hosts"),
            (
                "routes",
                json!({"paths": ["/"], "methods": [bad]}),
                "methods",
            ),
            ("routes", json!({"headers": {bad: ["x"]}}), "headers"),
            ("upstreams", json!({"name": bad}), "name"),
            (
                "upstreams",
                json!({"name": "a", "hash_on_header": bad}),
                "hash_on_header",
            ),
            (
                "upstreams",
                json!({"name": "a", "hash_on_cookie": bad}),
                "hash_on_cookie",
            ),
            (
                "targets",
                json!({"upstream": {"id": ID}, "target": bad}),
                "target",
            ),
            (
                "snis",
                json!({"certificate": {"id": ID}, "name": bad}),
                "name",
            ),
            ("vaults", json!({"name": "env", "prefix": bad}), "prefix"),
        ];
        for (kind, body, member) in cases {
            let fields = refusal(kind, body);
            assert!(
                !fields[member].is_null(),
                "{kind}.{member} took {bad:?}: {fields}"
            );
        }
    }
}

#[test]
fn tags_cannot_carry_what_separates_tags() {
    for bad in ["a,b", "a/b", ",", "/", "a\tb"] {
        let fields = refusal("consumers", json!({"username": "u", "tags": ["good", bad]}));
        assert_eq!(fields["tags"][0], Value::Null, "{bad:?}");
        assert_eq!(
            fields["tags"][1],
            json!(format!(
                "invalid tag '{bad}': expected printable ascii (except `,` and `/`) or valid \
                 utf-8 sequences"
            ))
        );
    }
    let kept = accepted(
        "consumers",
        json!({"username": "u", "tags": ["a b", "ž", "%2c", "'\""]}),
    );
    assert_eq!(kept["tags"], json!(["a b", "ž", "%2c", "'\""]));
}

#[test]
fn names_of_people_are_kept_as_they_are() {
    for name in [
        "../../etc/passwd",
        "a%00b",
        "<script>",
        "' OR 1=1 --",
        "\u{202e}evil",
        "%",
    ] {
        let consumer = accepted("consumers", json!({"username": name}));
        assert_eq!(consumer["username"], json!(name));
    }
}

#[test]
fn paths_that_would_be_read_in_two_ways_are_refused() {
    for path in [
        "/a/../b",
        "/a/./b",
        "/a//b",
        "/%2e%2e/a",
        "/a%zz",
        "/a%2",
        "a",
        "~a",
        "~/[",
        "~/(",
    ] {
        let fields = refusal("routes", json!({"paths": [path]}));
        assert!(!fields["paths"][0].is_null(), "{path}: {fields}");
    }
}

#[test]
fn long_texts_are_judged_without_harm() {
    let long = "x".repeat(1 << 20);
    let consumer = accepted("consumers", json!({"username": long}));
    assert_eq!(consumer["username"].as_str().map(str::len), Some(1 << 20));
    let host = refusal("services", json!({"host": format!("{long} ")}));
    assert!(host["host"].is_string());
    let many: Vec<String> = (0..20_000).map(|number| format!("t{number}")).collect();
    let tags = accepted("consumers", json!({"username": "u", "tags": many}));
    assert_eq!(tags["tags"].as_array().map(Vec::len), Some(20_000));
}

#[test]
fn a_document_nested_beyond_reason_is_refused_by_the_parser() {
    let bomb = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(serde_json::from_str::<Value>(&bomb).is_err());
    let mut nested = json!({});
    for _ in 0..100 {
        nested = json!({"healthchecks": nested});
    }
    let mut body = map(nested);
    body.insert("name".to_owned(), json!("u"));
    let fields = refusal("upstreams", Value::Object(body));
    assert_eq!(
        fields["healthchecks"]["healthchecks"],
        json!("unknown field")
    );
}

#[test]
fn times_and_ends_out_of_range_are_refused() {
    for ttl in [json!(-1), json!(100_000_001), json!(1e300)] {
        let fields = refusal(
            "keyauth_credentials",
            json!({"consumer": {"id": ID}, "ttl": ttl}),
        );
        assert_eq!(
            fields["ttl"],
            json!("value should be between 0 and 100000000")
        );
    }
    let fields = refusal(
        "keyauth_credentials",
        json!({"consumer": {"id": ID}, "ttl": "x"}),
    );
    assert_eq!(fields["ttl"], json!("expected a number"));
    let fields = refusal("services", json!({"host": "a", "created_at": -5}));
    assert_eq!(fields["created_at"], json!("expected a valid timestamp"));
}

/// Any JSON value, with the members that records here have.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::String),
        Just(json!(ID)),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::hash_map("[a-z_]{1,8}|id|@entity|", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_stands_in_a_member_is_judged(seed in any::<u64>(), value in any_value()) {
        let catalogue = catalogue();
        for kind in catalogue.kinds() {
            let fields = &kind.schema.fields;
            let at = usize::try_from(seed % 1000).unwrap_or(0) % fields.len();
            let mut body = Map::new();
            body.insert(fields[at].name.to_owned(), value.clone());
            if let Err(violations) = catalogue.validate(kind.name, &mut body, Mode::Insert) {
                prop_assert!(violations.fields().is_object());
                prop_assert!(violations.message().contains("schema violation"));
                prop_assert!(violations.iter().count() > 0);
            }
        }
    }
}
