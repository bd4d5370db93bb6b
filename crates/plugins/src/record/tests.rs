//! Facts about the record of a request.

use bytes::Bytes;
use plugin_api::{Outcome, ResponseSource};
use serde_json::{Map, Value, json};

use super::{Added, CustomFields, render};
use crate::testing::{ALICE, Bench, Request, outcome};

fn record(request: Request, outcome: &Outcome, custom: &CustomFields) -> Value {
    let bench = Bench::new();
    let mut request = request
        .known_as(&bench, ALICE)
        .proved_by(&bench, "alice-key");
    let line = request.with_exchange(&bench, |exchange| render(exchange, outcome, custom));
    serde_json::from_slice(&line).unwrap()
}

fn custom(fields: Value) -> (CustomFields, Vec<String>) {
    let mut config = Map::new();
    config.insert("custom_fields_by_lua".to_owned(), fields);
    let mut notices = Vec::new();
    (CustomFields::prepare(&config, &mut notices), notices)
}

#[test]
fn a_proxied_request_is_told_from_both_sides() {
    let request = Request::new(
        "GET",
        "/l?a=1&a=2&b",
        &[("Host", "example.test:80"), ("X-A", "1"), ("X-A", "2")],
    );
    let found = record(request, &outcome(), &CustomFields::default());
    assert_eq!(
        found["request"],
        json!({
            "id": "0123456789abcdef0123456789abcdef", "method": "GET", "uri": "/l?a=1&a=2&b",
            "url": "http://example.test:8000/l?a=1&a=2&b", "size": 100,
            "headers": {"host": "example.test:80", "x-a": ["1", "2"]},
            "querystring": {"a": ["1", "2"], "b": true},
        })
    );
    assert_eq!(
        found["response"],
        json!({"status": 200, "size": 200, "headers": {"server": "echo", "connection": "close"}})
    );
    assert_eq!(
        found["latencies"],
        json!({"request": 9, "kong": 2, "proxy": 4, "receive": 3})
    );
    assert_eq!(found["tries"][0]["ip"], "10.0.0.1");
    assert_eq!(
        (&found["source"], &found["upstream_status"]),
        (&json!("upstream"), &json!("200"))
    );
    assert_eq!(found["service"]["id"], "service");
    assert_eq!(found["upstream_uri"], "/up?a=1");
    assert!(found["authenticated_entity"]["id"].is_string());
}

#[test]
fn an_answer_of_the_gateway_has_no_backend() {
    let own = Outcome {
        source: ResponseSource::Exit,
        status: 401,
        backend_status: None,
        backend_address: None,
        tries: 0,
        ..outcome()
    };
    let found = record(Request::get("/"), &own, &CustomFields::default());
    assert_eq!(
        (&found["source"], &found["upstream_status"]),
        (&json!("kong"), &json!(""))
    );
    assert_eq!(
        (&found["tries"], &found["latencies"]["proxy"]),
        (&json!([]), &json!(-1))
    );
}

#[test]
fn other_plugins_and_the_configuration_add_members() {
    let mut request = Request::get("/");
    request
        .locals
        .insert(Added(vec![("correlation_id", "c".into())]));
    let (custom, notices) =
        custom(json!({"added": "return 'v' .. 1", "n": "return 5", "route": "return nil"}));
    assert!(notices.is_empty(), "{notices:?}");
    let found = record(request, &outcome(), &custom);
    assert_eq!(found["correlation_id"], "c");
    assert_eq!((&found["added"], &found["n"]), (&json!("v1"), &json!(5.0)));
    assert_eq!(found.get("route"), None);
}

#[test]
fn code_that_is_not_understood_is_told_and_leaves_the_record() {
    for code in [
        "return kong.request.get_header('a')",
        "local a = 1",
        "return headers.a",
    ] {
        let (_, notices) = custom(json!({ "x": code }));
        assert_eq!(notices.len(), 1, "{code}");
    }
}

#[test]
fn members_that_are_not_set_are_left_out() {
    let found = super::entity(
        &Bytes::from_static(br#"{"id":"a","x":null,"service":"s"}"#),
        None,
    );
    assert_eq!(found, json!({"id": "a", "service": {"id": "s"}}));
}
