//! Facts about `request-size-limiting`.

use plugin_api::{Needs, ReplyBody};
use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, violations};

fn answer(config: Value, headers: &[(&str, &str)], body: Option<&str>) -> Option<u16> {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::new("POST", "/", headers);
    request.body = body.map(|body| body.as_bytes().to_vec());
    let reply = request.access(&bench, &*handler)?;
    assert!(matches!(reply.body, ReplyBody::Message(_)));
    Some(reply.status)
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let config = |unit: &str| json!({"allowed_payload_size": 2, "size_unit": unit});
    for (unit, limit) in [
        ("bytes", 2_u64),
        ("kilobytes", 2048),
        ("megabytes", 2_097_152),
    ] {
        let named =
            |size: u64| answer(config(unit), &[("Content-Length", &size.to_string())], None);
        assert_eq!(named(limit), None, "{unit}");
        assert_eq!(named(limit + 1), Some(413), "{unit}");
    }
}

#[test]
fn a_body_without_a_length_is_measured() {
    let config = || json!({"allowed_payload_size": 5, "size_unit": "bytes"});
    assert_eq!(answer(config(), &[], Some("hello")), None);
    assert_eq!(answer(config(), &[], Some("hello world")), Some(413));
    assert_eq!(answer(config(), &[], None), None);
}

#[test]
fn a_client_that_waits_is_told_so() {
    let headers = [("Expect", "100-Continue"), ("Content-Length", "9")];
    let config = json!({"allowed_payload_size": 5, "size_unit": "bytes"});
    assert_eq!(answer(config, &headers, None), Some(417));
}

#[test]
fn a_length_can_be_demanded() {
    let config = || json!({"require_content_length": true});
    assert_eq!(answer(config(), &[], None), Some(411));
    assert_eq!(
        answer(config(), &[("Content-Length", "x")], None),
        Some(411)
    );
    assert_eq!(answer(config(), &[("Content-Length", "1")], None), None);
    let pieces = [("Transfer-Encoding", "chunked")];
    assert_eq!(answer(config(), &pieces, Some("hello")), None);
}

#[test]
fn only_bodies_without_a_length_are_buffered() {
    let mut bench = Bench::new();
    let needs = bench.handler(&DEFINITION, json!({})).needs();
    assert_eq!(needs, Needs::UNSIZED_REQUEST_BODY);
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    assert_eq!(
        violations(
            &DEFINITION,
            json!({"allowed_payload_size": 1.5, "size_unit": "gigabytes"})
        ),
        [
            "allowed_payload_size: expected an integer",
            "size_unit: expected one of: megabytes, kilobytes, bytes",
        ]
    );
}
