//! Facts about `standard-webhooks`.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plugin_api::{Needs, Reply};
use serde_json::json;

use super::DEFINITION;
use crate::testing::{Bench, NOW_MS, Request, violations};

/// What the sender of a message with this secret would write.
fn signature(secret: &str, id: &str, time: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{id}.{time}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag.as_ref()))
}

fn answer(headers: &[(&str, &str)], body: Option<&str>) -> Option<Reply> {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({"secret_v1": "whsec_x"}));
    let mut request = Request::new("POST", "/", headers);
    request.body = body.map(|body| body.as_bytes().to_vec());
    request.access(&bench, &*handler)
}

fn now() -> String {
    (NOW_MS / 1000).to_string()
}

#[test]
fn a_message_signed_with_the_secret_passes() {
    let sign = signature("whsec_x", "m1", &now(), "hello");
    let headers = [
        ("Webhook-Id", "m1"),
        ("webhook-timestamp", &now()),
        ("webhook-signature", &sign),
    ];
    assert_eq!(answer(&headers, Some("hello")), None);
}

#[test]
fn the_secret_counts_as_it_is_written() {
    let secret = "c2VjcmV0LWtleS1mb3ItdGVzdA==";
    let found = signature(secret, "msg_1", "1700000000", r#"{"a":1}"#);
    assert_eq!(found, "v1,Bxq7TM2UQDqXxkkwsebPVS69ueVBCk72rTJBmXYO8w4=");
    let mut bench = Bench::new();
    let config = json!({"secret_v1": secret, "tolerance_second": 1_000_000_000});
    let handler = bench.handler(&DEFINITION, config);
    let headers = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1700000000"),
        ("webhook-signature", &found),
    ];
    let mut request = Request::new("POST", "/", &headers);
    request.body = Some(br#"{"a":1}"#.to_vec());
    assert_eq!(request.access(&bench, &*handler), None);
}

#[test]
fn what_is_wrong_late_or_missing_is_refused_alike() {
    let time = now();
    let good = signature("whsec_x", "m1", &time, "hello");
    let late = (NOW_MS / 1000 - 301).to_string();
    let of_late = signature("whsec_x", "m1", &late, "hello");
    let other_secret = signature("other", "m1", &time, "hello");
    let two = format!("{good} {good}");
    let version = good.replace("v1,", "v2,");
    let cases: [(&str, &str, &str, Option<&str>); 9] = [
        ("m2", &time, &good, Some("hello")),
        ("m1", &time, &good, Some("hellO")),
        ("m1", &time, &good, Some("")),
        ("m1", &time, &good, None),
        ("m1", &late, &of_late, Some("hello")),
        ("m1", "soon", &good, Some("hello")),
        ("m1", &time, &other_secret, Some("hello")),
        ("m1", &time, &two, Some("hello")),
        ("m1", &time, &version, Some("hello")),
    ];
    for (id, time, signature, body) in cases {
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", time),
            ("webhook-signature", signature),
        ];
        let reply = answer(&headers, body).expect("a refusal");
        assert_eq!(
            reply,
            Reply::message(400, "Bad request"),
            "{id} {signature}"
        );
    }
    for missing in 0..3 {
        let mut headers = vec![
            ("webhook-id", "m1"),
            ("webhook-timestamp", &time),
            ("webhook-signature", &good),
        ];
        headers.remove(missing);
        assert_eq!(
            answer(&headers, Some("hello")).map(|reply| reply.status),
            Some(400)
        );
    }
}

#[test]
fn a_time_ahead_of_ours_passes() {
    let ahead = (NOW_MS / 1000 + 3600).to_string();
    let sign = signature("whsec_x", "m1", &ahead, "hello");
    let headers = [
        ("webhook-id", "m1"),
        ("webhook-timestamp", ahead.as_str()),
        ("webhook-signature", &sign),
    ];
    assert_eq!(answer(&headers, Some("hello")), None);
}

#[test]
fn the_body_is_asked_for() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({"secret_v1": "x"}));
    assert_eq!(handler.needs(), Needs::REQUEST_BODY);
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    assert_eq!(
        violations(&DEFINITION, json!({"tolerance_second": -1})),
        [
            "secret_v1: required field missing",
            "tolerance_second: value must be greater than -1"
        ]
    );
}
