//! Facts about `ldap-auth`, against servers that are made up; a real one is asked in `directory`.

mod directory;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::DEFINITION;
use super::ber::{self, Kind};
use crate::testing::{Bench, NOW_MS, Request, violations};

/// A server that answers each question with these bytes; gives its port and counts questions.
fn server(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut buffer = [0; 1024];
            while let Ok(count) = stream.read(&mut buffer) {
                if count == 0 {
                    break;
                }
                counted.fetch_add(1, Ordering::SeqCst);
                if stream.write_all(&answer(&buffer[..count])).is_err() {
                    break;
                }
            }
        }
    });
    (port, asked)
}

/// An answer to a bind: its id is that of the question.
fn bound(question: &[u8], code: u8) -> Vec<u8> {
    vec![
        0x30,
        12,
        2,
        1,
        question[4],
        0x61,
        7,
        0x0a,
        1,
        code,
        4,
        0,
        4,
        0,
    ]
}

/// A server that knows alice.
fn directory() -> (u16, Arc<AtomicUsize>) {
    server(|question| {
        let text = String::from_utf8_lossy(question);
        let is_good = text.contains("uid=alice,ou=people,dc=test") && text.ends_with("s3cret");
        bound(question, if is_good { 0 } else { 49 })
    })
}

/// What a server says instead of the answer to a request.
type Lie = fn(&[u8]) -> Vec<u8>;

#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with the value in place"
)]
fn config(port: u16, more: Value) -> Value {
    let mut config = json!({
        "ldap_host": "127.0.0.1", "ldap_port": port, "base_dn": "ou=people,dc=test",
        "attribute": "uid", "timeout": 1000,
    });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

fn with(header: &str, scheme: &str, pair: &str) -> Request {
    let value = format!("{scheme} {}", STANDARD.encode(pair));
    Request::new(
        "GET",
        "/",
        &[(header, &value), ("X-Consumer-Username", "forged")],
    )
}

fn status(port: u16, more: Value, mut request: Request) -> u16 {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config(port, more));
    request
        .access(&bench, &*handler)
        .map_or(200, |reply| reply.status)
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let faults = violations(
        &DEFINITION,
        json!({"ldap_host": "a b", "ldap_port": 70_000, "cache_ttl": "x", "more": 1}),
    );
    for path in [
        "ldap_host",
        "ldap_port",
        "cache_ttl",
        "more",
        "base_dn",
        "attribute",
    ] {
        assert!(
            faults.iter().any(|fault| fault.starts_with(path)),
            "{path}: {faults:?}"
        );
    }
    let faults = violations(
        &DEFINITION,
        config(389, json!({"ldaps": true, "start_tls": true})),
    );
    let text = "'ldaps' and 'start_tls' cannot be enabled simultaneously";
    assert!(
        faults.iter().any(|fault| fault.contains(text)),
        "{faults:?}"
    );
}

#[test]
fn who_the_server_knows_is_named_to_the_service() {
    let (port, asked) = directory();
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config(port, json!({"hide_credentials": true})));

    for header in ["Authorization", "Proxy-Authorization"] {
        let mut request = with(header, "LDAP", "alice:s3cret");
        assert_eq!(request.access(&bench, &*handler), None);
        assert_eq!(request.sent_headers(), ["X-Credential-Identifier: alice"]);
        assert!(request.identity.consumer.is_none() && request.identity.credential.is_some());
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1, "the verdict is remembered");
    let mut late = with("Authorization", "ldap", "alice:s3cret").at(NOW_MS + 61_000);
    assert_eq!(late.access(&bench, &*handler), None);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[test]
fn who_proves_nothing_is_refused_with_a_challenge() {
    let (port, asked) = directory();
    let mut bench = Bench::new();
    let handler = bench.handler(
        &DEFINITION,
        config(port, json!({"realm": "r", "cache_ttl": 0})),
    );
    let challenge = |mut request: Request| {
        let reply = request.access(&bench, &*handler).expect("a refusal");
        let found = reply
            .headers
            .iter()
            .find(|(name, _)| name == "WWW-Authenticate");
        (
            reply.status,
            String::from_utf8(found.unwrap().1.to_vec()).unwrap(),
        )
    };
    let expected = (401, "LDAP realm=\"r\"".to_owned());

    let nothing = [
        Request::get("/"),
        with("Authorization", "Basic", "alice:s3cret"),
        with("Authorization", "ldapx", "alice:s3cret"),
        with("Authorization", "ldap", "alice"),
        with("Authorization", "ldap", "alice:"),
        with("Authorization", "ldap", ":s3cret"),
        Request::new("GET", "/", &[("Authorization", "ldap *no base64*")]),
    ];
    for request in nothing {
        assert_eq!(challenge(request), expected);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert_eq!(
        challenge(with("Authorization", "ldap", "alice:wrong")),
        expected
    );
    assert_eq!(
        challenge(with("Authorization", "ldap", "x,uid=alice:s3cret")),
        expected
    );
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[test]
fn name_cannot_reach_another_part_of_the_directory() {
    let seen = Arc::new(parking_lot::Mutex::new(String::new()));
    let kept = Arc::clone(&seen);
    let (port, _) = server(move |question| {
        *kept.lock() = String::from_utf8_lossy(question).into_owned();
        bound(question, 49)
    });

    assert_eq!(
        status(
            port,
            json!({}),
            with("Authorization", "ldap", " a,dc=x+#\"\\<>;= :p")
        ),
        401
    );

    let name = r#"uid=\ a\,dc\=x\+\#\"\\\<\>\;\=\ ,ou=people,dc=test"#;
    assert!(seen.lock().contains(name), "{}", seen.lock());
}

#[test]
fn scheme_and_stand_in_are_those_of_the_configuration() {
    let (port, _) = directory();
    let more = json!({"header_type": "Basic", "anonymous": "anon"});
    assert_eq!(
        status(
            port,
            more.clone(),
            with("Authorization", "basic", "alice:s3cret")
        ),
        200
    );
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config(port, more));
    let mut request = with("Authorization", "basic", "alice:no");
    assert_eq!(request.access(&bench, &*handler), None);
    assert!(request.sends("X-Anonymous-Consumer: true"));
}

#[test]
fn a_slow_a_dead_and_a_lying_server_fail_the_request() {
    let ask = || with("Authorization", "ldap", "alice:s3cret");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    assert_eq!(status(port, json!({"timeout": 50}), ask()), 500);
    drop(silent);
    assert_eq!(status(port, json!({}), ask()), 500);
    let lies: [Lie; 5] = [
        |_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        // An answer to another question.
        |question| bound(&[0, 0, 0, 0, question[4] + 1], 0),
        // A message of two gigabytes.
        |_| vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff],
        // Success of another operation.
        |question| vec![0x30, 12, 2, 1, question[4], 0x65, 7, 0x0a, 1, 0, 4, 0, 4, 0],
        // Busy.
        |question| bound(question, 51),
    ];
    for lie in lies {
        let (port, _) = server(lie);
        assert_eq!(status(port, json!({}), ask()), 500);
    }
    let (port, _) = server(|_| vec![0x30, 12, 2, 1, 1, 0x78, 7, 0x0a, 1, 2, 4, 0, 4, 0]);
    assert_eq!(status(port, json!({"start_tls": true}), ask()), 500);
}

#[test]
fn broken_messages_are_no_answers() {
    let whole = bound(&[0, 0, 0, 0, 1], 0);
    assert_eq!(ber::result(&whole, 1, Kind::Bound), Some(0));
    assert_eq!(ber::length(&whole), Ok(Some(whole.len())));
    for end in 0..whole.len() {
        assert_eq!(ber::result(&whole[..end], 1, Kind::Bound), None, "{end}");
    }
    assert_eq!(ber::length(&[0x30, 0x80]), Err(()));
    assert_eq!(ber::length(&[0x30, 0x82, 1]), Ok(None));
    let long = ber::bind(1, &"n".repeat(300), "p");
    assert_eq!(ber::length(&long), Ok(Some(long.len())));
}
