//! Facts about `hmac-auth`.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plugin_api::ReplyBody;
use serde_json::{Value, json};

use super::DEFINITION;
use crate::http_date::unix_seconds;
use crate::testing::{Bench, NOW_MS, Request, violations};

const DATE: &str = "Sat, 31 Jan 2026 23:59:00 GMT";

fn authorization(algorithm: &str, headers: &str, signed: &str) -> String {
    let kind = match algorithm {
        "hmac-sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "hmac-sha384" => hmac::HMAC_SHA384,
        "hmac-sha512" => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    let tag = hmac::sign(&hmac::Key::new(kind, b"sec"), signed.as_bytes());
    let signature = STANDARD.encode(tag);
    format!(
        "hmac username=\"alice\", algorithm=\"{algorithm}\", headers=\"{headers}\", \
         signature=\"{signature}\""
    )
}

/// `Ok` with the headers sent, or the message of the refusal.
fn answer(config: Value, headers: &[(&str, &str)], body: &str) -> Result<Vec<String>, String> {
    let mut bench = Bench::new();
    bench.credential(&DEFINITION, &json!({"username": "alice", "secret": "sec"}));
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::new("GET", "/h?x=1", headers);
    request.body = Some(body.as_bytes().to_vec());
    match request.access(&bench, &*handler) {
        None => Ok(request.sent_headers()),
        Some(reply) => {
            assert_eq!(reply.status, 401);
            let ReplyBody::Message(text) = reply.body else {
                panic!("a message")
            };
            Err(String::from_utf8(text.to_vec()).unwrap())
        }
    }
}

fn simple(authorization: &str) -> Result<Vec<String>, String> {
    let headers = [("Date", DATE), ("Authorization", authorization)];
    answer(json!({}), &headers, "")
}

#[test]
fn what_the_secret_has_signed_passes() {
    let signed = format!("date: {DATE}\nGET /h?x=1 HTTP/1.1");
    for algorithm in ["hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"] {
        let shown = authorization(algorithm, "date request-line", &signed);
        let sent = simple(&shown).unwrap();
        let told = "X-Credential-Identifier: alice".to_owned();
        assert!(sent.contains(&told), "{algorithm}: {sent:?}");
    }
    let target = format!("date: {DATE}\n@request-target: get /h?x=1");
    assert!(
        simple(&authorization(
            "hmac-sha256",
            "date @request-target",
            &target
        ))
        .is_ok()
    );
    let missing = format!("date: {DATE}\nmissing:");
    assert!(simple(&authorization("hmac-sha256", "date missing", &missing)).is_ok());
}

#[test]
fn anything_else_is_refused_with_its_reason() {
    const UNVERIFIABLE: &str = "HMAC signature cannot be verified";
    let signed = format!("date: {DATE}");
    let good = authorization("hmac-sha256", "date", &signed);
    assert_eq!(
        answer(json!({}), &[("Date", DATE)], ""),
        Err("Unauthorized".to_owned())
    );
    for (shown, expected) in [
        (good.replace("alice", "nobody"), UNVERIFIABLE),
        (good.replace("sha256", "md5"), UNVERIFIABLE),
        (
            good.replace("hmac username", "basic username"),
            UNVERIFIABLE,
        ),
        ("hmac username=\"alice\"".to_owned(), UNVERIFIABLE),
        (
            good.replace("sha256", "sha512"),
            "HMAC signature does not match",
        ),
        (
            good.replace("\"date\"", "\"host\""),
            "HMAC signature does not match",
        ),
    ] {
        assert_eq!(simple(&shown), Err(expected.to_owned()), "{shown}");
    }
}

#[test]
fn the_date_must_be_near() {
    let shown = |date: &str| authorization("hmac-sha256", "date", &format!("date: {date}"));
    let with = |name: &str, date: &str, skew: u32| {
        let shown = shown(date);
        let headers = [(name, date), ("Authorization", shown.as_str())];
        answer(json!({"clock_skew": skew}), &headers, "")
    };
    assert!(with("Date", DATE, 30).is_ok());
    let refused = with("Date", DATE, 29).unwrap_err();
    assert!(
        refused.contains("a valid date or x-date header is required"),
        "{refused}"
    );
    assert!(with("Date", "garbage", 1000).is_err());
    let wrong = with("X-Date", DATE, 30).unwrap_err();
    assert_eq!(wrong, "HMAC signature does not match");
}

#[test]
fn headers_and_algorithms_can_be_demanded() {
    let shown = authorization("hmac-sha256", "date", &format!("date: {DATE}"));
    let headers = [("Date", DATE), ("Authorization", shown.as_str())];
    assert!(answer(json!({"enforce_headers": ["date"]}), &headers, "").is_ok());
    assert!(answer(json!({"enforce_headers": ["date", "host"]}), &headers, "").is_err());
    assert!(answer(json!({"algorithms": ["hmac-sha512"]}), &headers, "").is_err());
}

#[test]
fn the_digest_of_the_body_is_checked_if_asked_for() {
    let shown = authorization("hmac-sha256", "date", &format!("date: {DATE}"));
    let config = || json!({"validate_request_body": true});
    let digest = "SHA-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    let plain = [("Date", DATE), ("Authorization", shown.as_str())];
    let with_digest = [plain[0], plain[1], ("Digest", digest)];
    assert!(answer(config(), &with_digest, "hello").is_ok());
    assert!(answer(config(), &with_digest, "hallo").is_err());
    assert!(answer(config(), &plain, "").is_ok());
    assert!(answer(config(), &plain, "hello").is_err());
}

#[test]
fn the_header_for_proxies_counts_first_and_both_can_be_hidden() {
    let shown = authorization("hmac-sha256", "date", &format!("date: {DATE}"));
    let headers = [("Date", DATE), ("Proxy-Authorization", shown.as_str())];
    let sent = answer(json!({"hide_credentials": true}), &headers, "").unwrap();
    assert!(
        !sent.iter().any(|line| line.starts_with("Proxy-Auth")),
        "{sent:?}"
    );
}

#[test]
fn dates_are_read_in_their_usual_form_only() {
    let now = i64::try_from(NOW_MS / 1000).unwrap();
    assert_eq!(unix_seconds(DATE.as_bytes()), Some(now - 30));
    assert_eq!(unix_seconds(b"Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
    assert_eq!(
        unix_seconds(b"Thu, 29 Feb 2024 12:34:56 GMT"),
        Some(1_709_210_096)
    );
    for text in [
        "",
        "garbage",
        "Thu, 01 Jan 1970",
        "Thu, 32 Jan 2024 00:00:00 GMT",
        "Thu, 01 Foo 2024 00:00:00 GMT",
        "Thu, 01 Jan 2024 24:00:00 GMT",
        "Thu, 01 Jan 2024 00:00:00 CET",
        "Thu, 01 Jan 2024 00:00:00 GMT x",
    ] {
        assert_eq!(unix_seconds(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    assert_eq!(
        violations(&DEFINITION, json!({"clock_skew": 0, "algorithms": ["md5"]})),
        [
            "algorithms[0]: expected one of: hmac-sha1, hmac-sha256, hmac-sha384, hmac-sha512",
            "clock_skew: value must be greater than 0",
        ]
    );
}
