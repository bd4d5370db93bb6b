//! Facts about `jwt`.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use plugin_api::ReplyBody;
use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, NOW_MS, Request, violations};

fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn token_of(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let signed = unsigned(header, claims);
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, secret),
        signed.as_bytes(),
    );
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn token(claims: &Value) -> String {
    token_of(&json!({"alg": "HS256", "typ": "JWT"}), claims, b"s3cret")
}

fn bench(credential: &Value) -> Bench {
    let mut bench = Bench::new();
    bench.credential(&DEFINITION, credential);
    bench
}

/// Status, and body of the refusal.
fn ask(bench: &mut Bench, config: Value, mut request: Request) -> (u16, Value) {
    let handler = bench.handler(&DEFINITION, config);
    match request.access(bench, &*handler) {
        None => (200, Value::Null),
        Some(reply) => match reply.body {
            ReplyBody::Raw(body) => (reply.status, serde_json::from_slice(&body).unwrap()),
            _ => (reply.status, Value::Null),
        },
    }
}

fn usual(config: Value, request: Request) -> (u16, Value) {
    let credential = json!({"key": "k1", "secret": "s3cret", "algorithm": "HS256"});
    ask(&mut bench(&credential), config, request)
}

fn with_token(token: &str) -> Request {
    Request::new("GET", "/", &[("Authorization", &format!("Bearer {token}"))])
}

fn refused(text: &str) -> (u16, Value) {
    (401, json!({ "message": text }))
}

#[test]
fn a_good_token_passes_from_every_place() {
    let good = token(&json!({"iss": "k1"}));
    assert_eq!(usual(json!({}), with_token(&good)).0, 200);
    assert_eq!(
        usual(json!({}), Request::get(&format!("/?jwt={good}"))).0,
        200
    );
    let cookie = format!("a=b; tok={good}");
    let with_cookie = || Request::new("GET", "/", &[("Cookie", &cookie)]);
    assert_eq!(
        usual(json!({"cookie_names": ["tok"]}), with_cookie()).0,
        200
    );
    assert_eq!(usual(json!({}), with_cookie()), refused("Unauthorized"));
    let header = Request::new("GET", "/", &[("X-Tok", &format!("bearer  {good}"))]);
    assert_eq!(usual(json!({"header_names": ["x-tok"]}), header).0, 200);
}

#[test]
fn equal_tokens_count_once_and_different_ones_are_refused() {
    let (one, other) = (
        token(&json!({"iss": "k1"})),
        token(&json!({"iss": "k1", "a": 1})),
    );
    let both = |a: &str, b: &str| {
        let bearer = format!("Bearer {b}");
        Request::new("GET", &format!("/?jwt={a}"), &[("Authorization", &bearer)])
    };
    assert_eq!(usual(json!({}), both(&one, &one)).0, 200);
    assert_eq!(
        usual(json!({}), both(&one, &other)),
        refused("Multiple tokens provided")
    );
}

#[test]
fn a_bad_token_is_refused_with_its_reason() {
    let header = || json!({"alg": "HS256"});
    for (token, reason) in [
        ("abc".to_owned(), "Bad token; invalid JSON"),
        ("a.b.c".to_owned(), "Bad token; invalid JSON"),
        (
            token_of(&json!({"alg": "none"}), &json!({}), b""),
            "Bad token; invalid alg",
        ),
        (
            token_of(&header(), &json!(1), b""),
            "Bad token; invalid claims",
        ),
        (
            format!("{}.!", unsigned(&header(), &json!({}))),
            "Bad token; invalid signature",
        ),
        (token(&json!({})), "No mandatory 'iss' in claims"),
        (token(&json!({"iss": ""})), "Invalid 'iss' in claims"),
        (
            token(&json!({"iss": "nobody"})),
            "No credentials found for given 'iss'",
        ),
        (
            token_of(&header(), &json!({"iss": "k1"}), b"other"),
            "Invalid signature",
        ),
        (
            token_of(&json!({"alg": "HS384"}), &json!({"iss": "k1"}), b"s3cret"),
            "Invalid algorithm",
        ),
    ] {
        assert_eq!(
            usual(json!({}), with_token(&token)),
            refused(reason),
            "{token}"
        );
    }
    assert_eq!(
        usual(json!({}), with_token(&token(&json!({"iss": 1})))).0,
        500
    );
}

#[test]
fn the_key_may_stand_in_the_header() {
    let header = json!({"alg": "HS256", "kid": "k1"});
    let token = token_of(&header, &json!({}), b"s3cret");
    assert_eq!(
        usual(json!({"key_claim_name": "kid"}), with_token(&token)).0,
        200
    );
}

#[test]
fn times_are_checked_where_asked_for() {
    let now = NOW_MS / 1000;
    let config = |more: Value| {
        let mut config = json!({"claims_to_verify": ["exp", "nbf"]});
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        config
    };
    let ask = |claims: Value, more: Value| usual(config(more), with_token(&token(&claims)));
    let good = json!({"iss": "k1", "exp": now + 10, "nbf": now});
    assert_eq!(ask(good.clone(), json!({})).0, 200);
    let over = ask(json!({"iss": "k1", "exp": now, "nbf": now + 1}), json!({}));
    let faults = json!({"exp": "token expired", "nbf": "token not valid yet"});
    assert_eq!(over, (401, faults));
    let none = ask(json!({"iss": "k1", "exp": "x", "nbf": now}), json!({}));
    assert_eq!(none, (401, json!({"exp": "must be a number"})));
    let long = ask(good, json!({"maximum_expiration": 5}));
    assert_eq!(
        long,
        (401, json!({"exp": "exceeds maximum allowed expiration"}))
    );
}

#[test]
fn secrets_may_be_kept_in_base64() {
    let secret = STANDARD.encode(b"\xff\xfe\xfd");
    let credential = json!({"key": "k1", "secret": secret, "algorithm": "HS256"});
    let token = token_of(
        &json!({"alg": "HS256"}),
        &json!({"iss": "k1"}),
        b"\xff\xfe\xfd",
    );
    let found = ask(
        &mut bench(&credential),
        json!({"secret_is_base64": true}),
        with_token(&token),
    );
    assert_eq!(found.0, 200);
    assert_eq!(
        ask(&mut bench(&credential), json!({}), with_token(&token)).0,
        401
    );
}

#[test]
fn public_keys_verify() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    // The fixed head of a public key on this curve.
    let mut der = STANDARD
        .decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE")
        .unwrap();
    der.truncate(26);
    der.extend_from_slice(pair.public_key().as_ref());
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(der)
    );
    let credential = json!({"key": "k1", "rsa_public_key": pem, "algorithm": "ES256"});
    let signed = unsigned(&json!({"alg": "ES256"}), &json!({"iss": "k1"}));
    let signature = pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    let good = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()));
    assert_eq!(
        ask(&mut bench(&credential), json!({}), with_token(&good)).0,
        200
    );
    let bad = format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0_u8; 64]));
    let found = ask(&mut bench(&credential), json!({}), with_token(&bad));
    assert_eq!(found, refused("Invalid signature"));
    let keyless = json!({"key": "k1", "algorithm": "ES256"});
    let found = ask(&mut bench(&keyless), json!({}), with_token(&good));
    assert_eq!(found, refused("Invalid key/secret"));
}

#[test]
fn refusals_tell_what_to_show() {
    let mut bench = bench(&json!({"key": "k1", "secret": "s"}));
    let handler = bench.handler(&DEFINITION, json!({"realm": "rr"}));
    let challenge = |request: Request| {
        let mut request = request;
        let reply = request.access(&bench, &*handler).unwrap();
        String::from_utf8(reply.headers[1].1.to_vec()).unwrap()
    };
    assert_eq!(challenge(Request::get("/")), "Bearer realm=\"rr\"");
    assert_eq!(
        challenge(with_token("abc")),
        "Bearer realm=\"rr\" error=\"invalid_token\""
    );
}

#[test]
fn preflight_requests_and_stand_ins_pass_where_configured() {
    let options = || Request::new("OPTIONS", "/", &[]);
    assert_eq!(usual(json!({}), options()).0, 401);
    assert_eq!(usual(json!({"run_on_preflight": false}), options()).0, 200);
    assert_eq!(
        usual(json!({"anonymous": "anon"}), Request::get("/")).0,
        200
    );
    assert_eq!(
        usual(json!({"anonymous": "nobody"}), Request::get("/")).0,
        500
    );
}

#[test]
fn a_longest_life_needs_the_end_to_be_checked() {
    let found = violations(
        &DEFINITION,
        json!({"maximum_expiration": 5, "claims_to_verify": ["nbf"]}),
    );
    assert!(
        found
            .iter()
            .any(|line| line.contains("failed conditional validation")),
        "{found:?}"
    );
}
