//! Facts about `zipkin`.

use std::net::{TcpListener, TcpStream};

use plugin_api::{Outcome, ResponseSource};
use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{ALICE, Bench, Request, outcome, take_request, violations};

/// Takes a report; gives its path and its spans.
fn receive(stream: &mut TcpStream) -> (String, Vec<Value>) {
    let (head, body) = take_request(stream, 202);
    let line = head.lines().next().unwrap_or_default().to_owned();
    (line, serde_json::from_slice(&body).unwrap())
}

/// The spans of one request, with the headers that the service got.
fn traced(
    mut config: Value,
    headers: &[(&str, &str)],
    outcome: &Outcome,
) -> (Vec<Value>, Vec<String>) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    config["http_endpoint"] = format!("http://127.0.0.1:{port}/api/v2/spans").into();
    config["queue"] = json!({"max_batch_size": 3, "max_coalescing_delay": 3600});
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::new("GET", "/a?x=1", headers)
        .known_as(&bench, ALICE)
        .proved_by(&bench, "alice-key");
    assert!(request.access(&bench, &*handler).is_none());
    let sent = request.sent_headers();
    request.log(&bench, &*handler, outcome);
    drop(handler);
    let (mut stream, _) = server.accept().unwrap();
    let (line, spans) = receive(&mut stream);
    assert_eq!(line, "POST /api/v2/spans HTTP/1.1");
    (spans, sent)
}

#[test]
fn a_request_becomes_three_spans_of_one_trace() {
    let config = json!({"sample_ratio": 1, "static_tags": [{"name": "zone", "value": "a"}],
        "default_service_name": "unnamed"});
    let headers = [
        ("Host", "example.test:8000"),
        ("Zipkin-Tags", "team=blue; bad; empty=; build=7"),
    ];
    let (spans, sent) = traced(config, &headers, &outcome());
    let [attempt, proxy, request] = spans.as_slice() else {
        panic!("three spans: {spans:?}")
    };
    let named = |span: &Value| span["name"].as_str().unwrap().to_owned();
    assert_eq!(
        [named(attempt), named(proxy), named(request)],
        ["GET (balancer try 1)", "GET (proxy)", "GET"]
    );
    for span in &spans {
        assert_eq!(span["traceId"], request["traceId"]);
        assert_eq!(span["localEndpoint"], json!({"serviceName": "kong"}));
    }
    assert_eq!(
        (&proxy["parentId"], &attempt["parentId"]),
        (&request["id"], &request["id"])
    );
    assert_eq!(request.get("parentId"), None);
    assert_eq!(
        (&request["kind"], &proxy["kind"]),
        (&json!("SERVER"), &json!("CLIENT"))
    );
    assert_eq!(request["duration"], 9000);
    assert_eq!(
        request["remoteEndpoint"],
        json!({"serviceName": "unnamed", "port": 40_000, "ipv4": "127.0.0.1"})
    );
    let tags = &request["tags"];
    for (name, value) in [
        ("lc", "kong"),
        ("http.method", "GET"),
        ("http.host", "example.test"),
        ("http.path", "/a"),
        ("http.protocol", "HTTP/1.1"),
        ("http.status_code", "200"),
        ("zone", "a"),
        ("team", "blue"),
        ("build", "7"),
        ("kong.consumer", "00000000-0000-0000-0000-00000000000d"),
        ("kong.credential", "00000000-0000-0000-0000-00000000000e"),
        ("kong.node.id", "00000000-0000-0000-0000-00000000000a"),
    ] {
        assert_eq!(tags[name], value, "{name}");
    }
    assert_eq!(tags.get("empty"), None);
    let moments = proxy["annotations"].as_array().unwrap();
    let names: Vec<&str> = moments
        .iter()
        .map(|at| at["value"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["kas", "kaf", "khs", "khf", "kbs", "kbf"]);
    assert_eq!(attempt["tags"]["kong.balancer.try"], "1");
    let id = proxy["id"].as_str().unwrap();
    assert!(sent.contains(&format!("x-b3-spanid: {id}")), "{sent:?}");
}

#[test]
fn a_shared_span_is_gone_on_with() {
    let headers = [
        ("X-B3-TraceId", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("X-B3-SpanId", "00f067aa0ba902b7"),
        ("X-B3-ParentSpanId", "05e3ac9a4f6e3b90"),
        ("X-B3-Sampled", "1"),
    ];
    let (spans, _) = traced(json!({"sample_ratio": 0}), &headers, &outcome());
    assert_eq!(spans[2]["id"], "00f067aa0ba902b7");
    assert_eq!(spans[2]["parentId"], "05e3ac9a4f6e3b90");
    assert_eq!(spans[1]["parentId"], "00f067aa0ba902b7");
}

#[test]
fn a_failed_attempt_is_told() {
    let failed = Outcome {
        source: ResponseSource::Error,
        status: 502,
        backend_status: None,
        answered_us: 0,
        ..outcome()
    };
    let config = json!({"sample_ratio": 1, "phase_duration_flavor": "tags",
        "http_span_name": "method_path", "include_credential": false});
    let (spans, _) = traced(config, &[], &failed);
    assert_eq!(spans[0]["tags"]["error"], "true");
    assert_eq!(spans[0]["tags"]["http.status_code"], "502");
    assert_eq!(spans[1]["name"], "GET /a (proxy)");
    assert_eq!(spans[1]["tags"]["kong.access.duration_ms"], "2");
    assert_eq!(spans[1].get("annotations"), None);
    assert_eq!(spans[2]["tags"].get("kong.credential"), None);
}

#[test]
fn the_answer_tells_the_trace_where_it_is_asked_for() {
    let mut bench = Bench::new();
    let config = json!({"http_response_header_for_traceid": "X-Trace", "traceid_byte_count": 8});
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::get("/");
    request.access(&bench, &*handler);
    let sent = request.sent_headers();
    let told = request.header_filter(&bench, &*handler, &[]);
    let id = told[0].strip_prefix("X-Trace: ").unwrap();
    assert_eq!(id.len(), 16);
    assert!(sent.contains(&format!("x-b3-traceid: {id}")), "{sent:?}");
    // Without access, such as for an answer of a plugin before this one.
    let mut skipped = Request::get("/");
    assert_eq!(skipped.header_filter(&bench, &*handler, &[]).len(), 1);
}

#[test]
fn nothing_is_reported_without_an_endpoint_or_a_sample() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({"sample_ratio": 1}));
    Request::get("/").log(&bench, &*handler, &outcome());
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let port = server.local_addr().unwrap().port();
    let config = json!({"sample_ratio": 0, "http_endpoint": format!("http://127.0.0.1:{port}/")});
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::get("/");
    request.access(&bench, &*handler);
    request.log(&bench, &*handler, &outcome());
    drop(handler);
    assert!(server.accept().is_err());
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let config = json!({"sample_ratio": 2, "traceid_byte_count": 12, "http_span_name": "own",
        "static_tags": [{"name": "lc", "value": "x"}],
        "propagation": {"extract": ["own"], "default_format": "w3c"}});
    let found = violations(&DEFINITION, config);
    for place in [
        "sample_ratio",
        "traceid_byte_count",
        "http_span_name",
        "static_tags",
        "propagation",
    ] {
        assert!(
            found.iter().any(|text| text.starts_with(place)),
            "{place}: {found:?}"
        );
    }
}
