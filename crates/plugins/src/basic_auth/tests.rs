//! Facts about `basic-auth`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{ALICE, Bench, Request, text};

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A bench on which Alice's password is `wonder:land`.
fn bench() -> Bench {
    let mut bench = Bench::new();
    let hash = {
        use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
        let id = String::from_utf8(text(ALICE).to_vec()).unwrap();
        let digest = digest(
            &SHA1_FOR_LEGACY_USE_ONLY,
            format!("wonder:land{id}").as_bytes(),
        );
        let hex: Vec<_> = digest.as_ref().iter().map(|b| format!("{b:02X}")).collect();
        hex.concat()
    };
    bench.credential(&DEFINITION, &json!({"username": "alice", "password": hash}));
    bench
}

fn status(config: Value, headers: &[(&str, &str)]) -> (u16, Vec<String>) {
    let mut bench = bench();
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::new("GET", "/", headers);
    let reply = request.access(&bench, &*handler);
    (
        reply.map_or(200, |reply| reply.status),
        request.sent_headers(),
    )
}

#[test]
fn name_and_password_of_a_consumer_pass() {
    let good = basic("alice", "wonder:land");
    let (found, sent) = status(json!({}), &[("Authorization", &good)]);
    assert_eq!(found, 200);
    assert_eq!(
        sent,
        [
            format!("Authorization: {good}"),
            format!("X-Consumer-ID: {}", String::from_utf8_lossy(&text(ALICE))),
            "X-Consumer-Custom-ID: al-1".to_owned(),
            "X-Consumer-Username: alice".to_owned(),
            "X-Credential-Identifier: alice".to_owned(),
        ]
    );
}

#[test]
fn scheme_padding_and_space_are_taken_as_the_reference_takes_them() {
    let good = basic("alice", "wonder:land");
    let encoded = good.strip_prefix("Basic ").unwrap();
    let bare = encoded.trim_end_matches('=');
    for (value, expected) in [
        (format!("basic {encoded}"), 200),
        (format!("Basic   {encoded}"), 200),
        (format!("Basic {bare}"), 200),
        (format!("BASIC {encoded}"), 401),
        (format!("Basic{encoded}"), 401),
        ("Basic !!!".to_owned(), 401),
        ("Basic".to_owned(), 401),
        (String::new(), 401),
        ("Bearer x".to_owned(), 401),
        (basic("alice", "bad"), 401),
        (basic("nobody", "x"), 401),
        (basic("", ""), 401),
        (format!("Basic {}", STANDARD.encode("alice")), 401),
    ] {
        assert_eq!(
            status(json!({}), &[("Authorization", &value)]).0,
            expected,
            "{value}"
        );
    }
}

#[test]
fn the_header_for_proxies_counts_first() {
    let (good, bad) = (basic("alice", "wonder:land"), basic("alice", "bad"));
    let both = [
        ("Proxy-Authorization", bad.as_str()),
        ("Authorization", &good),
    ];
    assert_eq!(status(json!({}), &both).0, 401);
    let other = [
        ("Proxy-Authorization", "Bearer x"),
        ("Authorization", &good),
    ];
    assert_eq!(status(json!({}), &other).0, 200);
}

#[test]
fn credentials_can_be_hidden() {
    let good = basic("alice", "wonder:land");
    let (_, sent) = status(
        json!({"hide_credentials": true}),
        &[("Authorization", &good)],
    );
    assert!(!sent.iter().any(|line| line.contains(&good)), "{sent:?}");
}

#[test]
fn a_refusal_names_the_realm() {
    let mut bench = bench();
    let handler = bench.handler(&DEFINITION, json!({"realm": "zone"}));
    let reply = Request::get("/").access(&bench, &*handler).unwrap();
    assert_eq!(reply.headers[0].1.as_ref(), b"Basic realm=\"zone\"");
}

#[test]
fn somebody_can_stand_in() {
    let (found, sent) = status(json!({"anonymous": "anon"}), &[]);
    assert_eq!(found, 200);
    assert!(
        sent.contains(&"X-Anonymous-Consumer: true".to_owned()),
        "{sent:?}"
    );
    assert_eq!(status(json!({"anonymous": "nobody"}), &[]).0, 500);
}
