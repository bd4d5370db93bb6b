//! Facts about reading and writing traces.

use schema::Reader;
use serde_json::{Map, Value, json};

use super::{Extracted, Injected, Propagation, SpanId, TraceId};
use crate::testing::{Bench, Request};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn propagation(config: &Value) -> Propagation {
    let config: Map<String, Value> = config.as_object().unwrap().clone();
    Propagation::read(&Reader::new("plugins", &config)).unwrap()
}

fn reading(format: &str) -> Propagation {
    propagation(&json!({"propagation": {"extract": [format], "default_format": "w3c"}}))
}

fn extracted(format: &str, headers: &[(&str, &str)]) -> Extracted {
    let bench = Bench::new();
    let mut request = Request::new("GET", "/", headers);
    request.with_exchange(&bench, |exchange| reading(format).extract(exchange))
}

/// The headers that a service gets for a request with these.
fn told(config: &Value, headers: &[(&str, &str)]) -> Vec<String> {
    let bench = Bench::new();
    let mut request = Request::new("GET", "/", headers);
    let propagation = propagation(config);
    request.with_exchange(&bench, |exchange| {
        let found = propagation.extract(exchange);
        let told = Injected {
            trace_id: found
                .trace_id
                .unwrap_or_else(|| TraceId::from_bytes(&[0xab; 16])),
            span_id: SpanId([0xcd; 8]),
            parent_id: found.span_id,
            is_sampled: found.should_sample.unwrap_or(true),
            tells_refusal: true,
        };
        propagation.inject(exchange, &found, &told);
    });
    request.sent_headers()
}

/// A format, headers in it, and the id of the trace that they tell.
type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a str);

#[test]
fn each_format_is_read() {
    let single = format!("{TRACE}-{SPAN}-1-05e3ac9a4f6e3b90");
    let w3c = format!("00-{TRACE}-{SPAN}-01");
    let jaeger = format!("{TRACE}:{SPAN}:0:1");
    let aws = format!(
        "Root=1-{}-{};Parent={SPAN};Sampled=1;Self=x",
        &TRACE[..8],
        &TRACE[8..]
    );
    let gcp = format!("{TRACE}/{};o=1", 0x00f0_67aa_0ba9_02b7_u64);
    let number = u64::from_str_radix(SPAN, 16).unwrap().to_string();
    let cases: [Case<'_>; 8] = [
        ("b3", vec![("b3", &single)], TRACE),
        (
            "b3",
            vec![
                ("X-B3-TraceId", TRACE),
                ("X-B3-SpanId", SPAN),
                ("X-B3-Sampled", "1"),
            ],
            TRACE,
        ),
        ("w3c", vec![("traceparent", &w3c)], TRACE),
        ("jaeger", vec![("uber-trace-id", &jaeger)], TRACE),
        (
            "ot",
            vec![
                ("ot-tracer-traceid", TRACE),
                ("ot-tracer-spanid", SPAN),
                ("ot-tracer-sampled", "true"),
            ],
            TRACE,
        ),
        (
            "datadog",
            vec![
                ("x-datadog-trace-id", &number),
                ("x-datadog-parent-id", &number),
                ("x-datadog-sampling-priority", "2"),
            ],
            "000000000000000000f067aa0ba902b7",
        ),
        ("aws", vec![("x-amzn-trace-id", &aws)], TRACE),
        ("gcp", vec![("x-cloud-trace-context", &gcp)], TRACE),
    ];
    for (format, headers, trace) in cases {
        let found = extracted(format, &headers);
        assert_eq!(format!("{:?}", found.trace_id.unwrap()), trace, "{format}");
        assert_eq!(found.span_id.unwrap().hex(), SPAN, "{format}");
        assert_eq!(found.should_sample, Some(true), "{format}");
    }
}

#[test]
fn what_is_malformed_is_not_there() {
    let zeros = format!("00-{}-{SPAN}-01", "0".repeat(32));
    let newer = format!("01-{TRACE}-{SPAN}-01");
    let long = format!("{TRACE}0:{SPAN}:0:1");
    let cases = [
        ("w3c", "traceparent", "garbage"),
        ("w3c", "traceparent", zeros.as_str()),
        ("w3c", "traceparent", newer.as_str()),
        ("jaeger", "uber-trace-id", long.as_str()),
        ("jaeger", "uber-trace-id", "1:2:3"),
        ("ot", "ot-tracer-traceid", "xyz"),
        ("datadog", "x-datadog-trace-id", "12a"),
        ("datadog", "x-datadog-sampling-priority", "9"),
        (
            "aws",
            "x-amzn-trace-id",
            "Root=2-00000000-000000000000000000000000",
        ),
        ("aws", "x-amzn-trace-id", "Sampled=?"),
        (
            "gcp",
            "x-cloud-trace-context",
            "4BF92F3577B34DA6A3CE929D0E0E4736/1",
        ),
    ];
    for (format, name, value) in cases {
        assert_eq!(
            extracted(format, &[(name, value)]),
            Extracted::default(),
            "{value}"
        );
    }
    // Of B3 the ids are not there; that it is B3 is.
    let found = extracted("b3", &[("x-b3-traceid", TRACE), ("x-b3-spanid", "short")]);
    assert_eq!((found.trace_id, found.span_id), (None, None));
    for text in ["x", "4bf9-00f0-1", "d-d-d", ""] {
        assert_eq!(extracted("b3", &[("b3", text)]).trace_id, None, "{text}");
    }
    let twice = [("traceparent", "a"), ("traceparent", "b")];
    assert_eq!(extracted("w3c", &twice), Extracted::default());
}

#[test]
fn a_decision_alone_is_read() {
    assert_eq!(extracted("b3", &[("b3", "0")]).should_sample, Some(false));
    assert_eq!(extracted("b3", &[("b3", "d")]).flags.as_deref(), Some("1"));
    let flags = extracted("b3", &[("x-b3-flags", "1"), ("x-b3-sampled", "0")]);
    assert_eq!(flags.should_sample, Some(true));
}

#[test]
fn the_first_format_that_is_found_counts_and_is_gone_on_with() {
    let config = json!({"propagation": {"extract": ["w3c", "jaeger"], "inject": ["preserve"],
        "default_format": "b3-single"}});
    let jaeger = format!("{TRACE}:{SPAN}:0:1");
    let headers = [
        ("traceparent", "garbage"),
        ("uber-trace-id", jaeger.as_str()),
    ];
    assert_eq!(
        told(&config, &headers),
        [
            "traceparent: garbage".to_owned(),
            format!("uber-trace-id: {TRACE}:cdcdcdcdcdcdcdcd:{SPAN}:01")
        ]
    );
    assert_eq!(
        told(&config, &[]),
        [format!("b3: {}-cdcdcdcdcdcdcdcd-1", "ab".repeat(16))]
    );
}

#[test]
fn each_format_is_written() {
    let config = |format: &str| {
        json!({"propagation": {"extract": ["w3c"], "inject": [format], "clear": ["traceparent"],
            "default_format": "w3c"}})
    };
    let parent = format!("00-{TRACE}-{SPAN}-01");
    let span = "cdcdcdcdcdcdcdcd";
    let number = 0xcdcd_cdcd_cdcd_cdcd_u64;
    let low = u64::from_str_radix(&TRACE[16..], 16).unwrap();
    let cases = [
        (
            "b3",
            vec![
                format!("x-b3-parentspanid: {SPAN}"),
                "x-b3-sampled: 1".to_owned(),
                format!("x-b3-traceid: {TRACE}"),
                format!("x-b3-spanid: {span}"),
            ],
        ),
        ("b3-single", vec![format!("b3: {TRACE}-{span}-1-{SPAN}")]),
        (
            "jaeger",
            vec![format!("uber-trace-id: {TRACE}:{span}:{SPAN}:01")],
        ),
        (
            "ot",
            vec![
                format!("ot-tracer-spanid: {span}"),
                "ot-tracer-sampled: 1".to_owned(),
                format!("ot-tracer-traceid: {TRACE}"),
            ],
        ),
        (
            "datadog",
            vec![
                format!("x-datadog-trace-id: {low}"),
                format!("x-datadog-parent-id: {number}"),
                "x-datadog-sampling-priority: 1".to_owned(),
            ],
        ),
        (
            "aws",
            vec![format!(
                "x-amzn-trace-id: Root=1-{}-{};Parent={span};Sampled=1",
                &TRACE[..8],
                &TRACE[8..]
            )],
        ),
        (
            "gcp",
            vec![format!("x-cloud-trace-context: {TRACE}/{number};o=1")],
        ),
    ];
    for (format, lines) in cases {
        assert_eq!(
            told(&config(format), &[("traceparent", &parent)]),
            lines,
            "{format}"
        );
    }
}

#[test]
fn baggage_travels_along_escaped() {
    let config = json!({"header_type": "preserve", "propagation": {"default_format": "w3c"}});
    let jaeger = format!("{TRACE}:{SPAN}:0:1");
    let found = told(
        &config,
        &[
            ("uber-trace-id", &jaeger),
            ("uberctx-User", "a%20b%0d%0ax: y"),
        ],
    );
    assert_eq!(
        found[1..],
        ["uberctx-User: a%20b%0D%0Ax%3A%20y".to_owned(),]
    );
}

#[test]
fn older_settings_stand_for_the_newer_ones() {
    let older = |header_type: &str| {
        propagation(
            &json!({"header_type": header_type, "default_header_type": "ot",
            "propagation": {"default_format": "b3"}}),
        )
    };
    assert_eq!(older("preserve").inject, [None]);
    assert_eq!(older("ignore").extract, []);
    assert_eq!(older("ignore").inject, [Some(super::Format::Ot)]);
    assert_eq!(older("w3c").inject, [None, Some(super::Format::W3c)]);
}

#[test]
fn a_share_of_traces_is_collected() {
    let low = TraceId::from_bytes(&[0, 0, 0, 0, 0, 0, 0, 1]);
    let high = TraceId::from_bytes(&[0xff; 16]);
    for (ratio, expected) in [
        (0.0, [false, false]),
        (0.5, [true, false]),
        (1.0, [true, true]),
    ] {
        let found = [&low, &high].map(|id| super::is_sampled_by_ratio(id, ratio));
        assert_eq!(found, expected, "{ratio}");
    }
}
