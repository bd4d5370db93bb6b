//! Facts about `tcp-log`.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, outcome, violations};

#[test]
fn each_request_becomes_a_line_on_one_connection() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({"host": "127.0.0.1", "port": port}));
    for target in ["/one", "/two"] {
        Request::get(target).log(&bench, &*handler, &outcome());
    }
    let (stream, _) = server.accept().unwrap();
    let mut lines = BufReader::new(stream).lines();
    for target in ["/one", "/two"] {
        let found: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(found["request"]["uri"], target);
    }
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    assert_eq!(
        violations(&DEFINITION, json!({"host": "h", "tls": 1})),
        ["port: required field missing", "tls: expected a boolean"]
    );
}
