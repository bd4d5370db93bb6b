//! Facts about `request-termination`.

use plugin_api::{Needs, Reply, ReplyBody};
use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, complete, violations};

#[test]
fn defaults_are_filled_in() {
    insta::assert_json_snapshot!(complete(&DEFINITION, json!({})), @r#"
    {
      "status_code": 503,
      "message": null,
      "content_type": null,
      "body": null,
      "echo": false,
      "trigger": null
    }
    "#);
}

#[test]
fn each_violation_names_its_field() {
    let check = |config, expected: &[&str]| assert_eq!(violations(&DEFINITION, config), expected);
    check(
        json!({ "status_code": 99 }),
        &["status_code: value should be between 100 and 599"],
    );
    check(
        json!({ "status_code": 600 }),
        &["status_code: value should be between 100 and 599"],
    );
    check(
        json!({ "status_code": "x" }),
        &["status_code: expected an integer"],
    );
    check(json!({ "bogus": 1 }), &["bogus: unknown field"]);
    check(json!({ "echo": 1 }), &["echo: expected a boolean"]);
    check(
        json!({ "trigger": "a b" }),
        &["trigger: bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', and '-'"],
    );
}

#[test]
fn combinations_without_effect_are_refused() {
    let refused = |config: Value| {
        let found = violations(&DEFINITION, config);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    let exclusive = "message cannot be used with content_type or body";
    assert!(refused(json!({ "message": "a", "body": "b" })).ends_with(exclusive));
    assert!(refused(json!({ "message": "a", "content_type": "b" })).ends_with(exclusive));
    assert!(refused(json!({ "content_type": "b" })).ends_with("content_type requires a body"));
    let echo = json!({ "echo": true, "content_type": "a/b", "body": "c" });
    assert!(refused(echo).ends_with("echo cannot be used with content_type and body"));
    assert!(violations(&DEFINITION, json!({ "content_type": "a/b", "body": "c" })).is_empty());
}

fn answer(config: Value) -> Reply {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    Request::get("/").access(&bench, handler.as_ref()).unwrap()
}

fn raw(reply: &Reply) -> &str {
    match &reply.body {
        ReplyBody::Raw(bytes) => std::str::from_utf8(bytes).unwrap(),
        other => panic!("raw body expected: {other:?}"),
    }
}

#[test]
fn statuses_with_a_usual_message_say_it_as_json() {
    for (status, message) in [
        (401, "Unauthorized"),
        (404, "Not found"),
        (405, "Method not allowed"),
        (500, "An unexpected error occurred"),
        (502, "Bad Gateway"),
        (503, "Service unavailable"),
    ] {
        let reply = answer(json!({ "status_code": status }));
        assert_eq!(reply.status, status);
        assert_eq!(raw(&reply), format!(r#"{{"message":"{message}"}}"#));
        assert_eq!(
            reply.headers,
            [(
                "Content-Type".into(),
                "application/json; charset=utf-8".into()
            )]
        );
    }
}

#[test]
fn other_bare_statuses_look_as_the_gateways_core_answers_them() {
    let moved = answer(json!({ "status_code": 301 }));
    insta::assert_debug_snapshot!(moved.headers, @r#"
    [
        (
            b"Content-Type",
            b"text/html",
        ),
    ]
    "#);
    assert_eq!(
        raw(&moved),
        "<html>\r\n<head><title>301 Moved Permanently</title></head>\r\n<body>\r\n\
         <center><h1>301 Moved Permanently</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    let forbidden = answer(json!({ "status_code": 403 }));
    assert_eq!(forbidden.headers[0].1, "text/html; charset=UTF-8");
    assert!(raw(&forbidden).contains("<h1>403 Forbidden</h1>"));
    let late = answer(json!({ "status_code": 504 }));
    assert_eq!(
        late.body,
        ReplyBody::GatewayError("The upstream server is timing out".into())
    );
    for status in [200, 204, 304, 418, 599] {
        let reply = answer(json!({ "status_code": status }));
        assert_eq!((reply.status, reply.body), (status, ReplyBody::Empty));
        assert!(reply.headers.is_empty());
    }
}

#[test]
fn a_message_is_encoded_as_json() {
    let reply = answer(json!({ "status_code": 200, "message": "q \"x\" é" }));
    assert_eq!(raw(&reply), r#"{"message":"q \"x\" é"}"#);
}

#[test]
fn a_body_is_sent_as_it_is_under_its_content_type() {
    for (given, sent) in [
        (None, "application/json; charset=utf-8"),
        (Some("text/html"), "text/html; charset=UTF-8"),
        (
            Some("text/plain; charset=latin1"),
            "text/plain; charset=latin1",
        ),
        (Some("image/png"), "image/png"),
    ] {
        let reply = answer(json!({ "body": "<b>", "content_type": given }));
        assert_eq!(raw(&reply), "<b>");
        assert_eq!(reply.headers, [("Content-Type".into(), sent.into())]);
    }
}

#[test]
fn without_the_trigger_a_request_passes() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({ "trigger": "x-trig" }));
    let status = |mut request: Request| {
        let reply = request.access(&bench, handler.as_ref());
        reply.map(|reply| reply.status)
    };
    assert_eq!(status(Request::get("/t?q=1")), None);
    assert_eq!(status(Request::get("/?x-trig=1")), Some(503));
    assert_eq!(status(Request::get("/?x-trig")), Some(503));
    assert_eq!(
        status(Request::new("GET", "/", &[("X-Trig", "1")])),
        Some(503)
    );
}

#[test]
fn an_echo_describes_the_request() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({ "echo": true, "status_code": 404 }));
    assert_eq!(handler.needs(), Needs::REQUEST_BODY);
    let headers = [
        ("Host", "example.test:8000"),
        ("X-A", "1"),
        ("x-a", "2"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let mut request = Request::new("POST", "/p?a=1&a=2&b", &headers);
    request.body = Some(b"k=v+w".to_vec());
    let reply = request.access(&bench, handler.as_ref()).unwrap();
    let mut body: Value = serde_json::from_str(raw(&reply)).unwrap();
    assert_eq!(body["kong"]["worker_pid"].take(), json!(std::process::id()));
    assert_eq!(
        body,
        json!({
            "message": "Not found",
            "kong": {
                "node_id": "00000000-0000-0000-0000-00000000000a",
                "worker_pid": null,
                "hostname": "bench",
            },
            "request": {
                "scheme": "http",
                "host": "example.test",
                "port": 8000,
                "method": "POST",
                "path": "/p",
                "headers": {
                    "host": "example.test:8000",
                    "x-a": ["1", "2"],
                    "content-type": "application/x-www-form-urlencoded",
                },
                "query": { "a": ["1", "2"], "b": true },
                "raw_body": "k=v+w",
                "body": { "k": "v w" },
            },
            "matched_route": { "id": "route" },
            "matched_service": { "id": "service" },
        })
    );
}

#[test]
fn only_an_echo_needs_the_body() {
    let mut bench = Bench::new();
    assert_eq!(bench.handler(&DEFINITION, json!({})).needs(), Needs::NONE);
}
