//! Facts about `opentelemetry`.

use std::net::TcpListener;

use plugin_api::{Instruments, Outcome, ResponseSource, Tracing};
use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, outcome, take_request, violations};

/// The fields of a message: number, and bytes or a number.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>, u64)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let (first, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            value |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                break;
            }
        }
        value
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let (data, number) = match key & 7 {
            0 => (Vec::new(), varint(&mut bytes)),
            2 => {
                let length = usize::try_from(varint(&mut bytes)).unwrap();
                let (data, rest) = bytes.split_at(length);
                bytes = rest;
                (data.to_vec(), 0)
            }
            form => {
                let (data, rest) = bytes.split_at(if form == 1 { 8 } else { 4 });
                bytes = rest;
                (data.to_vec(), 0)
            }
        };
        found.push((key >> 3, data, number));
    }
    found
}

fn all(message: &[u8], field: u64) -> Vec<Vec<u8>> {
    let found = fields(message)
        .into_iter()
        .filter(|(number, ..)| *number == field);
    found.map(|(_, data, _)| data).collect()
}

fn one(message: &[u8], field: u64) -> Vec<u8> {
    all(message, field).into_iter().next().unwrap_or_default()
}

/// Attributes as text.
fn attributes(message: &[u8], field: u64) -> Vec<String> {
    let text = |pair: Vec<u8>| {
        let value = fields(&one(&pair, 2)).remove(0);
        let shown = match value.0 {
            1 => String::from_utf8(value.1).unwrap(),
            _ => value.2.to_string(),
        };
        format!("{}={shown}", String::from_utf8(one(&pair, 1)).unwrap())
    };
    all(message, field).into_iter().map(text).collect()
}

fn bench(instruments: Instruments) -> Bench {
    let mut bench = Bench::new();
    bench.node.tracing = Tracing {
        instruments,
        sampling_rate: 1.0,
    };
    bench
}

/// What a collector gets for one request: its head, the resource and the entries; and what the
/// service got.
fn collected(
    instruments: Instruments,
    (field, entries): (&str, usize),
    mut config: Value,
    (headers, outcome): (&[(&str, &str)], &Outcome),
) -> (String, Vec<u8>, Vec<Vec<u8>>, Vec<String>) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    config[field] = format!("http://127.0.0.1:{port}/v1/x").into();
    config["queue"] = json!({"max_batch_size": entries, "max_coalescing_delay": 3600});
    let mut bench = bench(instruments);
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::new("GET", "/a?x=1", headers);
    request.access(&bench, &*handler);
    let sent = request.sent_headers();
    request.log(&bench, &*handler, outcome);
    drop(handler);
    let (mut stream, _) = server.accept().unwrap();
    let (head, body) = take_request(&mut stream, 200);
    let of_resource = one(&body, 1);
    let scope = one(&of_resource, 2);
    assert_eq!(one(&one(&scope, 1), 1), b"kong-internal");
    (head, one(&of_resource, 1), all(&scope, 2), sent)
}

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_request_becomes_a_span_of_the_callers_trace() {
    let config = json!({"headers": {"X-Key": "k"},
        "resource_attributes": {"service.name": "edge", "zone": "a"}});
    let headers = [("Host", "example.test:80"), ("traceparent", PARENT)];
    let got = collected(
        Instruments::REQUEST,
        ("traces_endpoint", 1),
        config,
        (&headers, &outcome()),
    );
    let (head, resource, spans, sent) = got;
    assert!(head.starts_with("POST /v1/x HTTP/1.1\r\n"), "{head}");
    for line in ["Content-Type: application/x-protobuf\r\n", "X-Key: k\r\n"] {
        assert!(head.contains(line), "{head}");
    }
    assert_eq!(
        attributes(&resource, 1),
        [
            "service.name=edge",
            "service.instance.id=00000000-0000-0000-0000-00000000000a",
            "service.version=3.9.3",
            "zone=a"
        ]
    );
    assert_eq!(spans.len(), 1);
    let span = &spans[0];
    assert_eq!(one(span, 1)[..4], [0x4b, 0xf9, 0x2f, 0x35]);
    assert_eq!(one(span, 4), [0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
    assert_eq!(one(span, 5), b"kong");
    let id: String = one(span, 2)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let told = format!("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-{id}-01");
    assert!(sent.contains(&told), "{sent:?}");
    let moments =
        [one(span, 7), one(span, 8)].map(|data| u64::from_le_bytes(data.try_into().unwrap()));
    assert_eq!(moments[1] - moments[0], 9_000_000);
    let attributes = attributes(span, 9);
    for attribute in [
        "http.method=GET",
        "http.host=example.test",
        "http.scheme=http",
        "http.flavor=1.1",
        "http.client_ip=127.0.0.1",
        "http.status_code=200",
    ] {
        assert!(
            attributes.iter().any(|one| one == attribute),
            "{attribute}: {attributes:?}"
        );
    }
}

#[test]
fn attempts_are_spans_where_the_node_says_so() {
    let (_, _, spans, sent) = collected(
        Instruments::ALL,
        ("traces_endpoint", 2),
        json!({}),
        (&[], &outcome()),
    );
    let [attempt, root] = spans.as_slice() else {
        panic!("two spans")
    };
    assert_eq!(one(attempt, 5), b"kong.balancer");
    assert_eq!(one(attempt, 4), one(root, 2));
    let id: String = one(attempt, 2)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(sent[0].contains(&id), "{sent:?}");
    assert!(attributes(attempt, 9).contains(&"net.peer.ip=10.0.0.1".to_owned()));
}

#[test]
fn a_failure_of_the_gateway_becomes_a_log_record() {
    let failed = Outcome {
        status: 502,
        source: ResponseSource::Error,
        ..outcome()
    };
    let (_, _, records, _) = collected(
        Instruments::NONE,
        ("logs_endpoint", 1),
        json!({}),
        (&[("traceparent", PARENT)], &failed),
    );
    let record = &records[0];
    let body = String::from_utf8(one(&one(record, 5), 1)).unwrap();
    assert!(body.contains("502"), "{body}");
    assert_eq!(one(record, 3), b"ERROR");
    assert_eq!(one(record, 9)[..4], [0x4b, 0xf9, 0x2f, 0x35]);
    assert_eq!(
        attributes(record, 6),
        ["request.id=0123456789abcdef0123456789abcdef"]
    );
}

#[test]
fn without_spans_of_requests_a_trace_is_only_told() {
    let mut bench = bench(Instruments::NONE);
    let config = json!({"traces_endpoint": "http://127.0.0.1:1/"});
    let handler = bench.handler(&DEFINITION, config);
    assert_eq!(bench.notices.len(), 1);
    let mut request = Request::new("GET", "/", &[("traceparent", PARENT)]);
    request.access(&bench, &*handler);
    let sent = request.sent_headers();
    assert!(sent[0].ends_with("-00"), "{sent:?}");
}

#[test]
fn who_does_not_collect_is_followed_and_the_rate_is_kept() {
    let told = |headers: &[(&str, &str)], rate: f64| {
        let mut bench = bench(Instruments::REQUEST);
        let config = json!({"traces_endpoint": "http://127.0.0.1:1/", "sampling_rate": rate});
        let handler = bench.handler(&DEFINITION, config);
        let mut request = Request::new("GET", "/", headers);
        request.access(&bench, &*handler);
        request.sent_headers().remove(0)
    };
    let unsampled = PARENT.replace("-01", "-00");
    assert!(told(&[("traceparent", &unsampled)], 1.0).ends_with("-00"));
    assert!(told(&[("traceparent", PARENT)], 1.0).ends_with("-01"));
    assert!(told(&[("traceparent", PARENT)], 0.0).ends_with("-00"));
}

#[test]
fn the_answer_tells_the_trace_where_it_is_asked_for() {
    let mut bench = bench(Instruments::REQUEST);
    let config = json!({"logs_endpoint": "http://127.0.0.1:1/",
        "http_response_header_for_traceid": "X-Trace"});
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::new("GET", "/", &[("traceparent", PARENT)]);
    request.access(&bench, &*handler);
    assert_eq!(
        request.header_filter(&bench, &*handler, &[]),
        ["X-Trace: 4bf92f3577b34da6a3ce929d0e0e4736"]
    );
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let config = json!({"sampling_rate": 2, "headers": {"a b": "x"}, "traces_endpoint": "nowhere"});
    let found = violations(&DEFINITION, config);
    for place in ["sampling_rate", "headers", "traces_endpoint"] {
        assert!(
            found.iter().any(|text| text.starts_with(place)),
            "{place}: {found:?}"
        );
    }
    assert!(!violations(&DEFINITION, json!({})).is_empty());
}
