//! Routes of nodes with the router flavor `expressions`.

mod common;

use common::{catalogue, map};
use gatehouse_entities::{Catalogue, Mode, Route};
use serde_json::{Value, json};

fn validate(catalogue: &Catalogue, body: Value) -> Result<Route, Value> {
    let mut body = map(body);
    match catalogue.validate("routes", &mut body, Mode::Insert) {
        Ok(()) => Ok(Route::try_from(&body).expect("a valid route is read")),
        Err(violations) => Err(violations.fields()),
    }
}

fn entity(body: Value) -> Value {
    let catalogue = catalogue().with_expressions();
    validate(&catalogue, body).expect_err("it is refused")["@entity"][0].clone()
}

#[test]
fn a_route_may_have_an_expression_and_a_priority_in_this_flavor_alone() {
    let body = json!({"expression": "http.path ^= \"/a\"", "priority": 7});
    let with = catalogue().with_expressions();
    let route = validate(&with, body.clone()).expect("it is accepted");
    assert_eq!(route.expression.as_deref(), Some("http.path ^= \"/a\""));
    assert_eq!(route.priority, 7);
    let refused = validate(&catalogue(), body).expect_err("unknown there");
    assert_eq!(refused["expression"], "unknown field");
    assert_eq!(refused["priority"], "unknown field");
}

#[test]
fn classic_routes_stay_and_may_look_at_both_ends() {
    let with = catalogue().with_expressions();
    let body = json!({"paths": ["/a"], "sources": [{"ip": "10.0.0.0/8"}]});
    let route = validate(&with, body.clone()).expect("it is accepted");
    assert_eq!((route.expression, route.priority), (None, 0));
    let refused = validate(&catalogue(), body).expect_err("sources are for streams there");
    let text = "cannot set 'sources' when 'protocols' is 'http' or 'https'";
    assert_eq!(refused["sources"], text);
    let nothing = entity(json!({}));
    let text = "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'";
    assert_eq!(nothing, text);
}

#[test]
fn expressions_exclude_what_says_the_same() {
    let prefix = "Router Expression failed validation: ";
    let listed = "'methods', 'hosts', 'paths', 'headers', 'snis', 'sources' or 'destinations' \
                  simultaneously";
    let expression = "http.path == \"/\"";
    for (body, message) in [
        (
            json!({"expression": expression, "paths": ["/"]}),
            format!("{prefix}cannot set 'expression' with {listed}"),
        ),
        (
            json!({"expression": expression, "regex_priority": 1}),
            format!("{prefix}cannot set 'regex_priority' with 'expression' simultaneously"),
        ),
        (
            json!({"paths": ["/"], "priority": 1}),
            format!("{prefix}cannot set 'priority' with {listed}"),
        ),
    ] {
        assert_eq!(entity(body), message);
    }
}

#[test]
fn expressions_are_read_and_checked_for_what_the_route_listens_to() {
    let prefix = "Router Expression failed validation: ";
    for (body, message) in [
        (json!({"expression": "http.foo == 1"}), "Unknown LHS field"),
        (
            json!({"expression": "http.path == \"/\"", "protocols": ["tcp"]}),
            "Unknown LHS field",
        ),
        (
            json!({"expression": "http.path == 1"}),
            "Type mismatch between the LHS and RHS values of predicate",
        ),
        (
            json!({"expression": "http.path.segments.2_1 == \"a\""}),
            "illformed http.path.segments.* field",
        ),
        (
            json!({"expression": "http.path"}),
            " --> 1:10\n  |\n1 | http.path\n  |          ^---\n  |\n  = expected binary_operator",
        ),
    ] {
        assert_eq!(entity(body), format!("{prefix}{message}"));
    }
    let with = catalogue().with_expressions();
    let stream = json!({"expression": "net.dst.port == 9000", "protocols": ["tcp", "tls"]});
    assert!(validate(&with, stream).is_ok());
}

#[test]
fn priorities_have_46_bits() {
    let with = catalogue().with_expressions();
    for (priority, is_good) in [
        (-1_i64, false),
        (0, true),
        (70_368_744_177_663, true),
        (70_368_744_177_664, false),
    ] {
        let body = json!({"expression": "http.path == \"/\"", "priority": priority});
        assert_eq!(validate(&with, body).is_ok(), is_good, "{priority}");
    }
}
