//! Facts about `cors`.

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, violations};

const METHODS: &str = "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT";

/// The header lines that are added to an answer for this origin.
fn lines(config: Value, origin: Option<&str>) -> Vec<String> {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let headers: Vec<_> = origin
        .map(|origin| ("Origin", origin))
        .into_iter()
        .collect();
    Request::new("GET", "/", &headers).header_filter(&bench, &*handler, &[])
}

fn preflight(config: Value, more: &[(&str, &str)]) -> Option<Vec<String>> {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let mut headers = vec![
        ("Origin", "http://a.test"),
        ("Access-Control-Request-Method", "PUT"),
    ];
    headers.extend(more);
    let reply = Request::new("OPTIONS", "/", &headers).access(&bench, &*handler)?;
    assert_eq!(reply.status, 200);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let line =
        |(name, value): &(bytes::Bytes, bytes::Bytes)| format!("{}: {}", text(name), text(value));
    Some(reply.headers.iter().map(line).collect())
}

#[test]
fn everybody_may_read_without_a_list() {
    let all = ["Access-Control-Allow-Origin: *"];
    assert_eq!(lines(json!({}), None), all);
    assert_eq!(lines(json!({"origins": ["*"]}), Some("http://a.test")), all);
    assert_eq!(
        lines(json!({"origins": ["http://a.test", "*"]}), Some("x")),
        all
    );
}

#[test]
fn a_single_plain_origin_is_told_to_everybody() {
    for origin in [None, Some("http://b.test")] {
        assert_eq!(
            lines(json!({"origins": ["http://a.test"]}), origin),
            ["vary: Origin", "Access-Control-Allow-Origin: http://a.test"]
        );
    }
}

#[test]
fn of_several_origins_the_asker_is_named_if_listed() {
    let config = || json!({"origins": ["http://a.test:80", "http://b.test:8080", "c.test"]});
    let named = |origin: &str| {
        vec![
            "vary: Origin".to_owned(),
            format!("Access-Control-Allow-Origin: {origin}"),
        ]
    };
    for origin in ["http://a.test", "http://b.test:8080"] {
        assert_eq!(lines(config(), Some(origin)), named(origin));
    }
    for origin in ["https://a.test", "http://b.test", "http://c.test", "null"] {
        assert_eq!(lines(config(), Some(origin)), ["vary: Origin"], "{origin}");
    }
    assert_eq!(lines(config(), None), ["vary: Origin"]);
}

#[test]
fn patterns_match_whole_origins_or_whole_hosts() {
    let is_allowed =
        |pattern: &str, origin: &str| lines(json!({"origins": [pattern]}), Some(origin)).len() == 2;
    assert!(is_allowed(r"http://.*\.test", "http://a.test"));
    assert!(!is_allowed(r"http://.*\.test", "https://a.test"));
    assert!(!is_allowed(r"http://.*\.test", "http://a.test:8080"));
    assert!(is_allowed(r"(.*\.)?a\.test", "https://sub.a.test:8080"));
    assert!(!is_allowed(r"(.*\.)?a\.test", "https://a.test.evil"));
}

#[test]
fn with_credentials_the_asker_is_named_instead_of_everybody() {
    let config = || json!({"credentials": true});
    assert_eq!(
        lines(config(), Some("http://a.test")),
        [
            "Access-Control-Allow-Origin: http://a.test",
            "vary: Origin",
            "Access-Control-Allow-Credentials: true"
        ]
    );
    assert_eq!(lines(config(), None), ["Access-Control-Allow-Origin: *"]);
    let listed = json!({"credentials": true, "origins": ["http://a.test"]});
    assert_eq!(
        lines(listed, None)[2],
        "Access-Control-Allow-Credentials: true"
    );
}

#[test]
fn what_the_service_says_is_replaced_and_its_vary_kept() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({"origins": ["http://a.test"]}));
    let upstream = [("Vary", "Accept"), ("Access-Control-Allow-Origin", "up")];
    assert_eq!(
        Request::get("/").header_filter(&bench, &*handler, &upstream),
        [
            "Vary: Accept",
            "Access-Control-Allow-Origin: http://a.test",
            "vary: Origin"
        ]
    );
}

#[test]
fn preflight_requests_are_answered() {
    let methods = format!("Access-Control-Allow-Methods: {METHODS}");
    assert_eq!(
        preflight(json!({}), &[("Access-Control-Request-Headers", "X-A, X-B")]).unwrap(),
        [
            "Access-Control-Allow-Origin: *",
            "Access-Control-Allow-Headers: X-A, X-B",
            &methods,
        ]
    );
    let config = json!({
        "headers": ["X-One", "X-Two"], "methods": ["GET", "PUT"], "max_age": 60,
        "private_network": true,
    });
    assert_eq!(
        preflight(
            config,
            &[("Access-Control-Request-Private-Network", "true")]
        )
        .unwrap(),
        [
            "Access-Control-Allow-Origin: *",
            "Access-Control-Allow-Headers: X-One,X-Two",
            "Access-Control-Allow-Methods: GET,PUT",
            "Access-Control-Max-Age: 60",
            "Access-Control-Allow-Private-Network: true",
        ]
    );
}

#[test]
fn nothing_is_added_to_a_preflight_answer_of_the_service() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({"preflight_continue": true}));
    let headers = [
        ("Origin", "http://a.test"),
        ("Access-Control-Request-Method", "PUT"),
    ];
    let mut request = Request::new("OPTIONS", "/", &headers);
    assert_eq!(request.access(&bench, &*handler), None);
    assert!(request.header_filter(&bench, &*handler, &[]).is_empty());
}

#[test]
fn other_options_requests_go_on() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({}));
    for headers in [
        &[("Origin", "http://a.test")][..],
        &[("Access-Control-Request-Method", "PUT")],
    ] {
        let mut request = Request::new("OPTIONS", "/", headers);
        assert_eq!(request.access(&bench, &*handler), None);
        assert_eq!(request.header_filter(&bench, &*handler, &[]).len(), 1);
    }
}

#[test]
fn exposed_headers_are_told() {
    let found = lines(json!({"exposed_headers": ["X-E1", "X-E2"]}), None);
    assert_eq!(found[1], "Access-Control-Expose-Headers: X-E1,X-E2");
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    assert_eq!(
        violations(
            &DEFINITION,
            json!({"origins": ["*", "a("], "methods": ["get"]})
        ),
        [
            "methods[0]: expected one of: GET, HEAD, PUT, PATCH, POST, DELETE, OPTIONS, TRACE, \
             CONNECT",
            "origins[1]: 'a(' is not a valid regex",
        ]
    );
}
