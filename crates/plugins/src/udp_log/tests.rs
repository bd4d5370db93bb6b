//! Facts about `udp-log`.

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Datagrams, Request, outcome, violations};

#[test]
fn each_request_becomes_a_datagram() {
    let server = Datagrams::bind();
    let mut bench = Bench::new();
    let handler = bench.handler(
        &DEFINITION,
        json!({"host": "localhost", "port": server.port}),
    );
    for target in ["/one", "/two"] {
        Request::get(target).log(&bench, &*handler, &outcome());
        let found: Value = serde_json::from_str(&server.next()).unwrap();
        assert_eq!(found["request"]["uri"], target);
    }
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    assert_eq!(
        violations(&DEFINITION, json!({"port": 65_536})),
        [
            "host: required field missing",
            "port: value should be between 0 and 65535"
        ]
    );
}
