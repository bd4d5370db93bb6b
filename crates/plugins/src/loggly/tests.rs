//! Facts about `loggly`.

use plugin_api::Outcome;
use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Datagrams, Request, outcome, violations};

fn receive(server: &Datagrams) -> (String, Value) {
    let text = server.next();
    let (head, record) = text.split_at(text.find('{').unwrap());
    (head.to_owned(), serde_json::from_str(record).unwrap())
}

#[test]
fn each_request_becomes_a_datagram_of_syslog() {
    let server = Datagrams::bind();
    let mut bench = Bench::new();
    let config =
        json!({"host": "127.0.0.1", "port": server.port, "key": "token", "tags": ["a", "b"]});
    let handler = bench.handler(&DEFINITION, config);
    Request::get("/one").log(&bench, &*handler, &outcome());
    let (head, record) = receive(&server);
    assert_eq!(
        head,
        "<14>1 2026-01-31T23:59:30Z bench kong - - [token@41058 tag=\"a\" tag=\"b\"] "
    );
    assert_eq!(record["request"]["uri"], "/one");
}

#[test]
fn an_answer_below_the_level_is_not_sent() {
    let server = Datagrams::bind();
    let mut bench = Bench::new();
    let config = json!({
        "host": "127.0.0.1", "port": server.port, "key": "token", "log_level": "err",
        "client_errors_severity": "warning", "server_errors_severity": "crit",
    });
    let handler = bench.handler(&DEFINITION, config);
    for status in [200, 404, 500] {
        let outcome = Outcome {
            status,
            ..outcome()
        };
        Request::get("/").log(&bench, &*handler, &outcome);
    }
    let (head, record) = receive(&server);
    assert!(head.starts_with("<10>1 "), "{head}");
    assert_eq!(record["response"]["status"], 500);
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    assert_eq!(
        violations(&DEFINITION, json!({"port": -1, "log_level": "loud"})),
        [
            "key: required field missing",
            "log_level: expected one of: debug, info, notice, warning, err, crit, alert, emerg",
            "port: value should be between 0 and 65535",
        ]
    );
}
