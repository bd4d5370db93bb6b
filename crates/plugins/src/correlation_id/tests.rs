//! Facts about `correlation-id`.

use serde_json::json;

use super::DEFINITION;
use crate::testing::{Bench, Request, complete, violations};

#[test]
fn defaults_are_filled_in() {
    insta::assert_json_snapshot!(complete(&DEFINITION, json!({})), @r#"
    {
      "header_name": "Kong-Request-ID",
      "generator": "uuid#counter",
      "echo_downstream": false
    }
    "#);
}

#[test]
fn each_violation_names_its_field() {
    let check = |config, expected: &[&str]| assert_eq!(violations(&DEFINITION, config), expected);
    check(json!({ "bogus": 1 }), &["bogus: unknown field"]);
    check(
        json!({ "generator": "snowflake" }),
        &["generator: expected one of: uuid, uuid#counter, tracker"],
    );
    check(
        json!({ "echo_downstream": "x" }),
        &["echo_downstream: expected a boolean"],
    );
    check(
        json!({ "header_name": 1 }),
        &["header_name: expected a string"],
    );
}

fn id_of(request: &Request) -> String {
    let headers = request.sent_headers();
    let [line] = headers.as_slice() else {
        panic!("one header expected: {headers:?}");
    };
    line.split_once(": ").unwrap().1.to_owned()
}

#[test]
fn the_counter_goes_up_over_all_instances_of_a_node() {
    let mut bench = Bench::new();
    let first = bench.handler(&DEFINITION, json!({}));
    let second = bench.handler(&DEFINITION, json!({ "header_name": "X-Corr" }));
    let mut ids = Vec::new();
    for handler in [&first, &second, &first] {
        let mut request = Request::get("/");
        assert!(request.access(&bench, handler.as_ref()).is_none());
        ids.push(id_of(&request));
    }
    let parts: Vec<_> = ids.iter().map(|id| id.split_once('#').unwrap()).collect();
    assert!(parts.iter().all(|(uuid, _)| *uuid == parts[0].0));
    let numbers: Vec<_> = parts.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers, ["1", "2", "3"]);
}

#[test]
fn a_uuid_is_new_for_every_request() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({ "generator": "uuid" }));
    let ids = [(), ()].map(|()| {
        let mut request = Request::get("/");
        request.access(&bench, handler.as_ref());
        id_of(&request)
    });
    assert_ne!(ids[0], ids[1]);
    assert!(ids.iter().all(|id| uuid::Uuid::parse_str(id).is_ok()));
}

#[test]
fn the_tracker_says_where_and_when() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({ "generator": "tracker" }));
    let mut request = Request::get("/");
    request.access(&bench, handler.as_ref());
    let process = std::process::id();
    assert_eq!(
        id_of(&request),
        format!("127.0.0.1-8000-{process}-7-3-1769903970.500")
    );
}

#[test]
fn an_id_that_the_client_brought_is_kept() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({ "echo_downstream": true }));
    let mut request = Request::new("GET", "/", &[("kong-request-id", "given")]);
    request.access(&bench, handler.as_ref());
    assert_eq!(request.sent_headers(), ["kong-request-id: given"]);
    let answer = request.header_filter(&bench, handler.as_ref(), &[]);
    assert_eq!(answer, ["Kong-Request-ID: given"]);
}

#[test]
fn an_empty_id_is_replaced() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, json!({ "generator": "uuid" }));
    let mut request = Request::new("GET", "/", &[("Kong-Request-ID", "")]);
    request.access(&bench, handler.as_ref());
    assert_eq!(id_of(&request).len(), 36);
}

#[test]
fn the_answer_carries_the_id_only_when_asked_to() {
    let mut bench = Bench::new();
    let quiet = bench.handler(&DEFINITION, json!({}));
    let mut request = Request::get("/");
    request.access(&bench, quiet.as_ref());
    let backend = [("Kong-Request-ID", "of the backend")];
    let answer = request.header_filter(&bench, quiet.as_ref(), &backend);
    assert_eq!(answer, ["Kong-Request-ID: of the backend"]);
    let echo = bench.handler(&DEFINITION, json!({ "echo_downstream": true }));
    let answer = request.header_filter(&bench, echo.as_ref(), &backend);
    assert_eq!(answer, [format!("Kong-Request-ID: {}", id_of(&request))]);
}

#[test]
fn the_id_is_echoed_even_if_access_was_skipped() {
    let mut bench = Bench::new();
    let echo = bench.handler(&DEFINITION, json!({ "echo_downstream": true }));
    let mut brought = Request::new("GET", "/", &[("Kong-Request-ID", "x")]);
    let answer = brought.header_filter(&bench, echo.as_ref(), &[]);
    assert_eq!(answer, ["Kong-Request-ID: x"]);
    let answer = Request::get("/").header_filter(&bench, echo.as_ref(), &[]);
    let [made] = answer.as_slice() else {
        panic!("one header expected: {answer:?}");
    };
    assert!(made.starts_with("Kong-Request-ID: ") && made.ends_with("#1"));
}

#[test]
fn the_echoed_id_is_that_of_access_even_if_a_later_plugin_takes_it_from_the_request() {
    let mut bench = Bench::new();
    let echo = bench.handler(&DEFINITION, json!({ "echo_downstream": true }));
    let mut request = Request::new("GET", "/", &[("Kong-Request-ID", "given")]);
    request.access(&bench, echo.as_ref());
    request.edits.headers.remove("Kong-Request-ID");
    assert!(request.sent_headers().is_empty());
    let answer = request.header_filter(&bench, echo.as_ref(), &[]);
    assert_eq!(answer, ["Kong-Request-ID: given"]);
}
