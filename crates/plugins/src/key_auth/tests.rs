//! Facts about `key-auth`.

use plugin_api::{Needs, Reply, ReplyBody, ResponseSource};
use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{ALICE, Bench, Request, complete, violations};

const AS_ALICE: [&str; 4] = [
    "X-Consumer-ID: 00000000-0000-0000-0000-00000000000d",
    "X-Consumer-Custom-ID: al-1",
    "X-Consumer-Username: alice",
    "X-Credential-Identifier: 00000000-0000-0000-0000-00000000000e",
];
const AS_ANON: [&str; 3] = [
    "X-Consumer-ID: 00000000-0000-0000-0000-00000000000f",
    "X-Consumer-Username: anon",
    "X-Anonymous-Consumer: true",
];

#[test]
fn defaults_are_filled_in() {
    insta::assert_json_snapshot!(complete(&DEFINITION, json!({})), @r#"
    {
      "key_names": [
        "apikey"
      ],
      "hide_credentials": false,
      "anonymous": null,
      "key_in_header": true,
      "key_in_query": true,
      "key_in_body": false,
      "run_on_preflight": true,
      "realm": null
    }
    "#);
}

#[test]
fn each_violation_names_its_field() {
    let check = |config, expected: &[&str]| assert_eq!(violations(&DEFINITION, config), expected);
    check(json!({ "bogus": 1 }), &["bogus: unknown field"]);
    check(
        json!({ "key_names": "apikey" }),
        &["key_names: expected an array"],
    );
    check(
        json!({ "key_names": ["ok", "a b"] }),
        &[
            "key_names[1]: bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', and '-'",
        ],
    );
    for flag in [
        "hide_credentials",
        "key_in_header",
        "key_in_query",
        "key_in_body",
        "run_on_preflight",
    ] {
        let expected = format!("{flag}: expected a boolean");
        check(json!({ flag: "yes" }), &[&expected]);
    }
    check(json!({ "anonymous": 1 }), &["anonymous: expected a string"]);
    check(json!({ "realm": 1 }), &["realm: expected a string"]);
}

/// Runs a request; gives the headers that reach the service, or the refusal.
fn run(config: Value, request: &mut Request) -> Result<Vec<String>, Reply> {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    match request.access(&bench, handler.as_ref()) {
        None => Ok(request.sent_headers()),
        Some(reply) => Err(reply),
    }
}

fn message(reply: &Reply) -> &str {
    match &reply.body {
        ReplyBody::Message(text) => std::str::from_utf8(text).unwrap(),
        other => panic!("a message expected: {other:?}"),
    }
}

fn refusal(config: Value, mut request: Request) -> String {
    let reply = run(config, &mut request).unwrap_err();
    assert_eq!(reply.status, 401);
    assert!(request.identity.consumer.is_none());
    message(&reply).to_owned()
}

#[test]
fn a_key_in_header_or_query_proves_its_consumer() {
    for mut request in [
        Request::new("GET", "/", &[("ApiKey", "alice-key")]),
        Request::get("/?apikey=alice-key"),
        Request::get("/?x=1&apikey=alice%2Dkey"),
        Request::new("GET", "/?apikey=bad", &[("apikey", "alice-key")]),
    ] {
        let sent = run(json!({}), &mut request).unwrap();
        for line in AS_ALICE {
            assert!(sent.iter().any(|sent| sent == line), "{line} in {sent:?}");
        }
        let consumer = request.identity.consumer.unwrap();
        assert_eq!(consumer.id.as_u128(), ALICE);
        assert!(request.identity.credential.is_some());
    }
}

#[test]
fn what_a_client_claims_about_itself_is_replaced() {
    let mut request = Request::new(
        "GET",
        "/",
        &[
            ("apikey", "alice-key"),
            ("X-Consumer-Username", "spoof"),
            ("X-Anonymous-Consumer", "true"),
            ("X-Consumer-Custom-ID", "q"),
        ],
    );
    let sent = run(json!({}), &mut request).unwrap();
    assert_eq!(
        sent,
        [
            "apikey: alice-key",
            "X-Consumer-Username: alice",
            "X-Consumer-Custom-ID: al-1",
            AS_ALICE[0],
            AS_ALICE[3],
        ]
    );
}

#[test]
fn missing_empty_doubled_and_unknown_keys_are_refused_each_with_its_text() {
    let none = "No API key found in request";
    let check = |request, text: &str| assert_eq!(refusal(json!({}), request), text);
    check(Request::get("/"), none);
    check(Request::get("/?apikey="), none);
    check(Request::get("/?apikey"), none);
    check(Request::new("GET", "/", &[("apikey", "")]), none);
    check(Request::new("OPTIONS", "/", &[]), none);
    let doubled = "Duplicate API key found";
    check(Request::get("/?apikey=alice-key&apikey=alice-key"), doubled);
    let twice = [("apikey", "alice-key"), ("apikey", "bad")];
    check(Request::new("GET", "/", &twice), doubled);
    check(
        Request::new("GET", "/", &[("apikey", "bad")]),
        "Unauthorized",
    );
}

#[test]
fn an_expired_key_is_unknown() {
    let request = Request::new("GET", "/", &[("apikey", "old-key")]);
    assert_eq!(refusal(json!({}), request), "Unauthorized");
    let earlier = crate::testing::NOW_MS - 1;
    let mut request = Request::new("GET", "/", &[("apikey", "old-key")]).at(earlier);
    assert!(run(json!({}), &mut request).is_ok());
}

#[test]
fn a_refusal_names_the_realm() {
    let challenge = |config| {
        let reply = run(config, &mut Request::get("/")).unwrap_err();
        reply.headers
    };
    let header = |value: &'static str| vec![("WWW-Authenticate".into(), value.into())];
    assert_eq!(challenge(json!({})), header("Key"));
    assert_eq!(
        challenge(json!({ "realm": "my realm" })),
        header("Key realm=\"my realm\"")
    );
}

#[test]
fn places_that_are_switched_off_are_not_searched() {
    let none = "No API key found in request";
    let in_header = || Request::new("GET", "/", &[("apikey", "alice-key")]);
    let in_query = || Request::get("/?apikey=alice-key");
    assert_eq!(
        refusal(json!({ "key_in_header": false }), in_header()),
        none
    );
    assert_eq!(refusal(json!({ "key_in_query": false }), in_query()), none);
    assert!(run(json!({ "key_in_header": false }), &mut in_query()).is_ok());
}

#[test]
fn names_are_tried_in_order_and_the_first_found_decides() {
    let config = json!({ "key_names": ["x-key", "apikey"] });
    let mut second = Request::new("GET", "/", &[("apikey", "alice-key")]);
    assert!(run(config.clone(), &mut second).is_ok());
    let both = Request::new("GET", "/", &[("apikey", "alice-key"), ("x-key", "bad")]);
    assert_eq!(refusal(config, both), "Unauthorized");
}

fn with_body(content_type: &str, body: &str) -> Request {
    let mut request = Request::new("POST", "/", &[("Content-Type", content_type)]);
    request.body = Some(body.as_bytes().to_vec());
    request
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json; charset=utf-8";

#[test]
fn a_key_in_the_body_counts_only_if_asked_for() {
    let config = json!({ "key_in_body": true });
    for (content_type, body) in [
        (FORM, "apikey=alice-key&z=1"),
        (JSON, r#"{"apikey":"alice-key","z":1}"#),
    ] {
        assert!(run(config.clone(), &mut with_body(content_type, body)).is_ok());
        let ignored = with_body(content_type, body);
        assert_eq!(refusal(json!({}), ignored), "No API key found in request");
    }
    let mut bench = Bench::new();
    assert_eq!(
        bench.handler(&DEFINITION, config).needs(),
        Needs::REQUEST_BODY
    );
    assert_eq!(bench.handler(&DEFINITION, json!({})).needs(), Needs::NONE);
}

#[test]
fn an_unreadable_body_shows_no_key() {
    let config = || json!({ "key_in_body": true });
    for (content_type, body) in [
        (JSON, "{broken"),
        (JSON, "[1]"),
        (JSON, r#"{"apikey":7}"#),
        ("text/plain", "apikey=alice-key"),
        (FORM, ""),
    ] {
        let refused = refusal(config(), with_body(content_type, body));
        assert_eq!(refused, "No API key found in request", "{body}");
    }
    let doubled = with_body(JSON, r#"{"apikey":["a","b"]}"#);
    assert_eq!(refusal(config(), doubled), "Duplicate API key found");
    let doubled = with_body(FORM, "apikey=a&apikey=b");
    assert_eq!(refusal(config(), doubled), "Duplicate API key found");
}

#[test]
fn a_hidden_key_reaches_no_service() {
    let hide = || json!({ "hide_credentials": true });
    let mut request = Request::new("GET", "/?x=%201&apikey=bad&y", &[("ApiKey", "alice-key")]);
    let sent = run(hide(), &mut request).unwrap();
    assert!(
        !sent.iter().any(|line| line.contains("alice-key")),
        "{sent:?}"
    );
    assert_eq!(request.edits.query.as_deref(), Some(&b"x=%201&y"[..]));
    let mut only = Request::get("/?apikey=alice-key");
    run(hide(), &mut only).unwrap();
    assert_eq!(only.edits.query.as_deref(), Some(&b""[..]));
    let mut untouched = Request::new("GET", "/?x=1", &[("apikey", "alice-key")]);
    run(hide(), &mut untouched).unwrap();
    assert_eq!(untouched.edits.query, None);
}

#[test]
fn a_hidden_key_is_cut_out_of_the_body() {
    let config = json!({ "hide_credentials": true, "key_in_body": true });
    for (content_type, body, left) in [
        (FORM, "a=%20&apikey=alice-key&z=1", "a=%20&z=1"),
        (
            JSON,
            r#"{"a":1.0,"apikey":"alice-key","z":1}"#,
            r#"{"a":1.0,"z":1}"#,
        ),
    ] {
        let mut request = with_body(content_type, body);
        run(config.clone(), &mut request).unwrap();
        assert_eq!(request.edits.body.as_deref(), Some(left.as_bytes()));
    }
}

#[test]
fn preflight_requests_pass_if_configured() {
    let config = json!({ "run_on_preflight": false });
    assert!(run(config.clone(), &mut Request::new("OPTIONS", "/", &[])).is_ok());
    assert_eq!(
        refusal(config, Request::get("/")),
        "No API key found in request"
    );
}

#[test]
fn an_anonymous_consumer_stands_in_for_a_failed_caller() {
    for anonymous in ["anon", "00000000-0000-0000-0000-00000000000f"] {
        for mut request in [
            Request::get("/"),
            Request::new("GET", "/", &[("apikey", "bad")]),
            Request::get("/?apikey=a&apikey=b"),
        ] {
            let sent = run(json!({ "anonymous": anonymous }), &mut request).unwrap();
            for line in AS_ANON {
                assert!(sent.iter().any(|sent| sent == line), "{line} in {sent:?}");
            }
            assert!(request.identity.credential.is_none());
        }
    }
    let mut known = Request::new("GET", "/", &[("apikey", "alice-key")]);
    let sent = run(json!({ "anonymous": "anon" }), &mut known).unwrap();
    assert!(sent.contains(&AS_ALICE[2].to_owned()));
}

#[test]
fn an_anonymous_consumer_that_does_not_exist_is_a_failure_of_the_gateway() {
    let config = json!({ "anonymous": "missing" });
    let reply = run(config.clone(), &mut Request::get("/")).unwrap_err();
    assert_eq!((reply.status, reply.source), (500, ResponseSource::Error));
    assert_eq!(message(&reply), "An unexpected error occurred");
    let mut known = Request::new("GET", "/", &[("apikey", "alice-key")]);
    assert!(run(config, &mut known).is_ok());
}

#[test]
fn a_caller_proved_by_another_plugin_passes_where_a_stand_in_is_configured() {
    let proved = || {
        let bench = Bench::new();
        let mut request = Request::get("/").known_as(&bench, ALICE);
        request.identity.credential = Some(plugin_api::CredentialInfo {
            id: uuid::Uuid::nil(),
            id_text: "other".into(),
            identifier: "other".into(),
            prepared: None,
        });
        request
    };
    let mut request = proved();
    assert!(run(json!({ "anonymous": "anon" }), &mut request).is_ok());
    assert_eq!(request.identity.consumer.unwrap().id.as_u128(), ALICE);
    let reply = run(json!({}), &mut proved()).unwrap_err();
    assert_eq!(reply.status, 401);
}
