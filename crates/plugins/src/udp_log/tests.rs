//! Facts about `udp-log`.

use std::net::UdpSocket;
use std::time::Duration;

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, outcome, violations};

#[test]
fn each_request_becomes_a_datagram() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let port = server.local_addr().unwrap().port();
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({"host": "localhost", "port": port}));
    for target in ["/one", "/two"] {
        Request::get(target).log(&bench, &*handler, &outcome());
        let mut buffer = vec![0; 65_536];
        let count = server.recv(&mut buffer).unwrap();
        let found: Value = serde_json::from_slice(&buffer[..count]).unwrap();
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
