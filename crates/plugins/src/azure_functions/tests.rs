//! Facts about `azure-functions`.

use plugin_api::ReplyBody;
use serde_json::json;

use super::DEFINITION;
use crate::testing::{Bench, Request, Server, violations};

fn config(server: &Server) -> serde_json::Value {
    json!({
        "appname": "127.0", "hostdomain": format!("0.1:{}", server.port), "https": false,
        "functionname": "/fun/", "apikey": "k3y", "clientid": "me", "timeout": 2000,
    })
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let faults = violations(
        &DEFINITION,
        json!({"timeout": "x", "https": 1, "more": true}),
    );
    for path in ["timeout", "https", "more", "appname", "functionname"] {
        assert!(
            faults.iter().any(|fault| fault.starts_with(path)),
            "{path}: {faults:?}"
        );
    }
    let mut bench = Bench::new();
    let built = bench.build(&DEFINITION, json!({"appname": "a b", "functionname": "f"}));
    let error = built.err().expect("a refusal").to_string();
    assert!(error.starts_with("`config.functionname`"), "{error}");
}

#[test]
fn function_gets_the_request_with_its_key_and_answers_it() {
    let server = Server::start(
        b"HTTP/1.1 201 Created\r\nX-F: 1\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\ndone",
    );
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config(&server));
    let headers = [
        ("Host", "a.test"),
        ("X-A", "1"),
        ("X-Functions-Key", "forged"),
    ];
    let mut request = Request::new("POST", "/x?name=kong", &headers);
    request.body = Some(b"body".to_vec());

    let reply = request.access(&bench, &*handler).expect("an answer");

    assert_eq!(
        (reply.status, &reply.body),
        (201, &ReplyBody::Raw("done".into()))
    );
    let names: Vec<_> = reply
        .headers
        .iter()
        .map(|(name, _)| name.as_ref())
        .collect();
    assert_eq!(names, [b"x-f"]);
    let seen = server.seen();
    assert!(
        seen.starts_with("POST /api/fun?name=kong HTTP/1.1\r\n"),
        "{seen}"
    );
    assert!(
        seen.contains("\r\nx-functions-key: k3y\r\n") && !seen.contains("forged"),
        "{seen}"
    );
    assert!(seen.contains("\r\nx-functions-clientid: me\r\n"), "{seen}");
    assert!(
        seen.to_ascii_lowercase()
            .contains(&format!("\r\nhost: 127.0.0.1:{}\r\n", server.port)),
        "{seen}"
    );
    assert!(seen.ends_with("\r\n\r\nbody"), "{seen}");
}

#[test]
fn a_function_that_lies_or_is_away_fails_the_request() {
    let server = Server::start(b"nonsense\r\n\r\n");
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config(&server));
    let reply = Request::get("/")
        .access(&bench, &*handler)
        .expect("an answer");
    assert_eq!(reply.status, 500);
}
