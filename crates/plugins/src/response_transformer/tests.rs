//! Facts about `response-transformer`.

use serde_json::{Value, json};

use super::DEFINITION;
use super::body::BODY_MAX;
use crate::testing::{Bench, Request, violations};

const HEADERS: [(&str, &str); 4] = [
    ("Content-Type", "application/json"),
    ("X-A", "1"),
    ("X-A", "3"),
    ("X-B", "2"),
];

fn headers(config: Value) -> Vec<String> {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    Request::get("/").header_filter(&bench, &*handler, &HEADERS)
}

fn body_in_pieces(config: Value, kind: &str, pieces: &[&str]) -> Vec<String> {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::get("/");
    request.header_filter(&bench, &*handler, &[("Content-Type", kind)]);
    request.body_filter(&bench, &*handler, pieces)
}

fn body(config: Value, body: &str) -> String {
    body_in_pieces(config, "application/json; charset=utf-8", &[body]).concat()
}

#[test]
fn headers_are_removed_renamed_replaced_added_and_appended_in_this_order() {
    let kind = "Content-Type: application/json";
    assert_eq!(
        headers(json!({"remove": {"headers": ["x-a"]}})),
        [kind, "X-B: 2"]
    );
    assert_eq!(
        headers(json!({"rename": {"headers": ["X-A:X-New"]}})),
        [kind, "X-B: 2", "X-New: 1", "X-New: 3"]
    );
    assert_eq!(
        headers(
            json!({"rename": {"headers": ["X-A:X-B", "none:x"]}, "add": {"headers": ["X-A:z"]}})
        ),
        [kind, "X-B: 1", "X-B: 3"]
    );
    assert_eq!(
        headers(json!({"replace": {"headers": ["X-A:new", "X-None:n"]}})),
        [kind, "X-A: new", "X-B: 2"]
    );
    assert_eq!(
        headers(json!({"add": {"headers": ["X-A:add", "X-New:a:b"]}})),
        [kind, "X-A: 1", "X-A: 3", "X-B: 2", "X-New: a:b"]
    );
    assert_eq!(
        headers(json!({"append": {"headers": ["X-A:app", "X-New:"]}})),
        [kind, "X-A: 1", "X-A: 3", "X-B: 2", "X-A: app"]
    );
}

#[test]
fn the_character_set_outlives_the_type() {
    let mut bench = Bench::new();
    let config = json!({"replace": {"headers": ["Content-Type:text/x"]}});
    let handler = bench.handler(&DEFINITION, config);
    let filter = |kind| {
        let lines = Request::get("/").header_filter(&bench, &*handler, &[("Content-Type", kind)]);
        lines.concat()
    };
    assert_eq!(
        filter("a/b; charset=utf-8"),
        "Content-Type: text/x; charset=utf-8"
    );
    assert_eq!(filter("a/b; q=1"), "Content-Type: text/x");
    assert_eq!(filter("a/b"), "Content-Type: text/x");
}

#[test]
fn members_at_the_top_of_json_are_changed() {
    const BODY: &str = r#"{"a":"1","b":2,"n":{"x":1}}"#;
    for (config, expected) in [
        (json!({"remove": {"json": ["a"]}}), r#"{"b":2,"n":{"x":1}}"#),
        (
            json!({"rename": {"json": ["a:z"]}}),
            r#"{"b":2,"n":{"x":1},"z":"1"}"#,
        ),
        (
            json!({"replace": {"json": ["a:new", "none:n"]}}),
            r#"{"a":"new","b":2,"n":{"x":1}}"#,
        ),
        (
            json!({"replace": {"json": ["a:5", "b:true"], "json_types": ["number", "boolean"]}}),
            r#"{"a":5,"b":true,"n":{"x":1}}"#,
        ),
        (
            json!({"replace": {"json": ["a:five"], "json_types": ["number"]}}),
            r#"{"b":2,"n":{"x":1}}"#,
        ),
        (
            json!({"add": {"json": ["a:add", "f:1.5"], "json_types": ["string", "number"]}}),
            r#"{"a":"1","b":2,"n":{"x":1},"f":1.5}"#,
        ),
        (
            json!({"append": {"json": ["a:app", "b:3", "n:4", "new:n"]}}),
            r#"{"a":["1","app"],"b":["3"],"n":{"x":1,"1":"4"},"new":["n"]}"#,
        ),
    ] {
        assert_eq!(body(config.clone(), BODY), expected, "{config}");
    }
}

#[test]
fn other_bodies_pass_as_they_are() {
    let config = || json!({"add": {"json": ["k:v"]}});
    for text in ["not json", "[1]", "", "\"text\""] {
        assert_eq!(body(config(), text), text);
    }
    let plain = body_in_pieces(config(), "text/plain", &["{\"a\":", "1}"]);
    assert_eq!(plain, ["{\"a\":", "1}"]);
    let other = body_in_pieces(config(), "application/jsonl", &["{}"]);
    assert_eq!(other, ["{}"]);
    let problem = body_in_pieces(config(), "application/problem+json", &["{}"]);
    assert_eq!(problem, [r#"{"k":"v"}"#]);
}

#[test]
fn a_body_in_pieces_is_changed_as_a_whole() {
    let pieces = ["{\"a\":", "1", "}"];
    let sent = body_in_pieces(
        json!({"add": {"json": ["k:v"]}}),
        "application/json",
        &pieces,
    );
    assert_eq!(sent, ["", "", r#"{"a":1,"k":"v"}"#]);
}

#[test]
fn a_body_beyond_the_limit_passes_as_it_is() {
    let piece = "x".repeat(BODY_MAX / 2 + 1);
    let pieces = [piece.as_str(), piece.as_str(), "end"];
    let sent = body_in_pieces(
        json!({"add": {"json": ["k:v"]}}),
        "application/json",
        &pieces,
    );
    let sizes: Vec<_> = sent.iter().map(String::len).collect();
    assert_eq!(sizes, [0, 2 * piece.len(), 3]);
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let found = violations(
        &DEFINITION,
        json!({
            "add": {"headers": ["none"], "json_types": ["list"]},
            "rename": {"headers": ["a:b d"], "json": ["a"]},
        }),
    );
    assert_eq!(
        found,
        [
            "add.headers[0]: invalid value: none",
            "add.json_types[0]: expected one of: boolean, number, string",
            "rename.headers[0]: 'b d' is not a valid header",
            "rename.json[0]: invalid value: a",
        ]
    );
}
