//! The configuration hash against published vectors and recorded frames of Kong Gateway 3.9.3.

use gatehouse_wire::PackedTable;
use gatehouse_wire::hash::{EMPTY_HASH, Hashes, config_hash, packed_hash, section_hash, serialise};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn scalars_have_their_known_digests() {
    for (value, digest) in [
        (json!(null), "5bf07a8b7343015026657d1108d8206e"),
        (json!(10), "d3d9446802a44259755d38e6d163e820"),
        (json!(10.0), "d3d9446802a44259755d38e6d163e820"),
        (json!(0.9), "a894124cc6d5c5c71afe060d5dde0762"),
        (json!(""), "d41d8cd98f00b204e9800998ecf8427e"),
        (json!(true), "b326b5062b2f0e69046810717534cb09"),
        (json!(false), "68934a3e9455fa72420237eb05902327"),
        (json!({}), "99914b932bd37a50b983c5e7c90ae93b"),
        (json!([]), "99914b932bd37a50b983c5e7c90ae93b"),
    ] {
        assert_eq!(section_hash(&value), digest, "{value}");
    }
}

#[test]
fn empty_configurations_have_their_known_digests() {
    let nothing = config_hash(&json!({}));
    assert_eq!(nothing.config, "2da3c26e4dbd6dd6ea3ab60a3dd7fb3e");
    assert_eq!(nothing.routes, EMPTY_HASH);
    let three = config_hash(&json!({"routes": [], "services": [], "plugins": []}));
    assert_eq!(three.config, "81aac97a81ad03c0cf0b36663806488e");
    let two = config_hash(&json!({"upstreams": [], "targets": []}));
    assert_eq!(two.config, "4d60dd9998ea4314039da5ca2f1db96f");
}

fn worked_example() -> Value {
    json!({
        "_format_version": "3.0", "_transform": false,
        "workspaces": [{"id": "0dc6f45b-8f8d-40d2-a504-473544ee190b", "name": "default"}],
        "services": [{
            "id": "5fd1b3f7-0b0e-4e0b-9a0d-0d8a0b6c7e01", "name": "s1", "host": "example.test",
            "port": 80, "protocol": "http", "enabled": true, "tags": null,
            "connect_timeout": 60000,
        }],
        "routes": [{
            "id": "5fd1b3f7-0b0e-4e0b-9a0d-0d8a0b6c7e02", "name": "r1", "paths": ["/a", "/b"],
            "protocols": ["http", "https"], "service": "5fd1b3f7-0b0e-4e0b-9a0d-0d8a0b6c7e01",
        }],
    })
}

#[test]
fn worked_example_agrees() {
    let table = worked_example();
    let mut text = Vec::new();
    serialise(&mut text, &table["services"]);
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "connect_timeout:60000;enabled:true;host:example.test;\
         id:5fd1b3f7-0b0e-4e0b-9a0d-0d8a0b6c7e01;name:s1;port:80;protocol:http;tags:/null/;"
    );
    let hashes = config_hash(&table);
    assert_eq!(hashes.services, "9cfce14cde5f629b1a273e573885b5b4");
    assert_eq!(hashes.routes, "a08b036c8b94e8732bae04ff27204817");
    assert_eq!(hashes.config, "4189813980db50dc45d3289032e4a647");
}

#[test]
fn arrays_of_six_end_in_a_separator_and_of_five_do_not() {
    let write = |value: Value| {
        let mut text = Vec::new();
        serialise(&mut text, &value);
        String::from_utf8(text).unwrap()
    };
    assert_eq!(write(json!([1, 2, 3, 4, 5])), "1;2;3;4;5");
    assert_eq!(write(json!([1, 2, 3, 4, 5, 6])), "1;2;3;4;5;6;");
}

#[test]
fn every_recorded_frame_agrees() {
    let lines = include_str!("data/recorded-hashes.jsonl");
    let mut count = 0;
    for line in lines.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let expected: Hashes = serde_json::from_value(vector["hashes"].clone()).unwrap();
        assert_eq!(
            config_hash(&vector["config_table"]),
            expected,
            "{}",
            vector["name"]
        );
        let packed = PackedTable::of(&vector["config_table"]);
        assert_eq!(packed_hash(&packed), expected, "{}", vector["name"]);
        count += 1;
    }
    assert_eq!(count, 17);
}

#[test]
fn text_beyond_a_million_bytes_is_replaced_by_its_digest() {
    let long = "x".repeat(1_000_001);
    let mut text = Vec::new();
    serialise(&mut text, &json!([long, "y"]));
    let mut expected = gatehouse_wire::md5(format!("{long};").as_bytes()).to_vec();
    expected.push(b'y');
    assert_eq!(text, expected);
    let just_fits = "x".repeat(999_999);
    let mut text = Vec::new();
    serialise(&mut text, &json!([just_fits, "y"]));
    assert_eq!(text.len(), 1_000_001);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{0,6}", inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .rev()
                .map(|(key, value)| (key.clone(), reversed(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(reversed).collect()),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn order_of_members_does_not_matter(value in any_json()) {
        prop_assert_eq!(config_hash(&value), config_hash(&reversed(&value)));
        prop_assert_eq!(config_hash(&value), packed_hash(&PackedTable::of(&value)));
        prop_assert_eq!(section_hash(&value), section_hash(&reversed(&value)));
    }

    #[test]
    fn hashes_are_32_lower_case_hexadecimal_characters(value in any_json()) {
        let hash = config_hash(&value).config;
        prop_assert_eq!(hash.len(), 32);
        prop_assert!(hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    }
}
