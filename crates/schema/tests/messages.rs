//! The three renderings of violations.

use gatehouse_schema::{Violation, Violations, table_text};
use serde_json::json;
use std::collections::BTreeMap;

#[test]
fn one_violation_is_singular() {
    let violations = Violations::of("host", "required field missing");
    assert_eq!(
        violations.message(),
        "schema violation (host: required field missing)"
    );
}

#[test]
fn several_are_counted_entity_first_then_by_name() {
    let mut violations = Violations::new();
    violations.add("port", "value should be between 0 and 65535");
    violations.add("host", "required field missing");
    violations.add_entity("at least one of these fields must be non-empty: 'a', 'b'");
    assert_eq!(
        violations.message(),
        "3 schema violations (at least one of these fields must be non-empty: 'a', 'b'; host: \
         required field missing; port: value should be between 0 and 65535)"
    );
}

#[test]
fn two_levels_are_dotted_and_deeper_ones_printed_as_a_table() {
    let mut violations = Violations::new();
    violations.add("config.minute", "value must be greater than 0");
    assert_eq!(
        violations.message(),
        "schema violation (config.minute: value must be greater than 0)"
    );
    let mut violations = Violations::new();
    violations.add("healthchecks.active.healthy.successes", "too many");
    assert_eq!(
        violations.message(),
        "schema violation (healthchecks.active: {\n  healthy = {\n    successes = \"too many\"\n  \
         }\n})"
    );
}

#[test]
fn positions_count_from_one_in_messages_and_gaps_are_named() {
    let mut elements = BTreeMap::new();
    elements.insert(0, Violation::Text("first".to_owned()));
    elements.insert(2, Violation::Text("third".to_owned()));
    let mut violations = Violations::new();
    violations.set("config.list", Violation::Elements(elements.clone()));
    assert_eq!(
        violations.message(),
        "schema violation (config.list: {\n  \"first\",\n  [3] = \"third\"\n})"
    );
    let mut violations = Violations::new();
    violations.set("paths", Violation::Elements(elements));
    assert_eq!(
        violations.message(),
        "2 schema violations (paths.1: first; paths.3: third)"
    );
    assert_eq!(
        violations.fields(),
        json!({"paths": ["first", null, "third"]})
    );
}

#[test]
fn entity_messages_inside_records_are_quoted_keys() {
    let mut inner = Violations::of_entity("pick one");
    inner.add("a", "bad");
    let mut elements = BTreeMap::new();
    elements.insert(0, Violation::Record(inner));
    let mut violations = Violations::new();
    violations.set("config.metrics", Violation::Elements(elements));
    assert_eq!(
        violations.message(),
        "schema violation (config.metrics: {\n  {\n    [\"@entity\"] = {\n      \"pick one\"\n    \
         },\n    a = \"bad\"\n  }\n})"
    );
}

#[test]
fn every_message_is_listed_with_its_path_from_zero() {
    let mut elements = BTreeMap::new();
    elements.insert(1, Violation::Text("bad path".to_owned()));
    let mut violations = Violations::of_entity("whole");
    violations.set("paths", Violation::Elements(elements));
    violations.add("config.minute", "bad minute");
    let listed: Vec<(String, &str)> = violations.iter().collect();
    assert_eq!(
        listed,
        [
            (String::new(), "whole"),
            ("config.minute".to_owned(), "bad minute"),
            ("paths[1]".to_owned(), "bad path"),
        ]
    );
}

#[test]
fn keys_are_printed_on_one_line_sorted() {
    let value = json!({"route": null, "name": "key-auth", "upstream": {"id": "x"}, "n": 8.0});
    assert_eq!(
        table_text(&value),
        "{n=8,name=\"key-auth\",route=null,upstream={id=\"x\"}}"
    );
    assert_eq!(
        table_text(&json!([null, {"a b": "q\"q"}])),
        "{[2]={[\"a b\"]=\"q\\\"q\"}}"
    );
    assert_eq!(table_text(&json!({})), "{}");
}

#[test]
fn merging_keeps_both_sides() {
    let mut left = Violations::of("config.a", "x");
    left.merge(Violations::of("config.b", "y"));
    left.merge(Violations::of_entity("z"));
    assert_eq!(
        left.fields(),
        json!({"@entity": ["z"], "config": {"a": "x", "b": "y"}})
    );
}
