//! Facts about `grpc-web`; its requests are in the tests of the engine.

use serde_json::json;

use super::DEFINITION;
use super::kind::Kind;
use crate::testing::{Bench, violations};

#[test]
fn parameters_of_a_content_type_do_not_count() {
    let kind = Kind::of(b"Application/grpc-web-text+json ; charset=utf-8").unwrap();
    assert!(kind.is_text && kind.is_json && kind.is_framed);
    assert_eq!(Kind::of(b"application/grpc"), None);
}

#[test]
fn a_file_that_is_not_there_refuses_the_configuration() {
    let mut bench = Bench::new();
    let built = bench.build(&DEFINITION, json!({"proto": "/nowhere/a.proto"}));
    let error = built.err().expect("an error").to_string();
    assert!(error.starts_with("`config.proto`"), "{error}");
}

#[test]
fn each_violation_has_its_path() {
    let config = json!({"proto": 1, "pass_stripped_path": "x", "allow_origin_header": []});
    assert_eq!(
        violations(&DEFINITION, config),
        [
            "allow_origin_header: expected a string",
            "pass_stripped_path: expected a boolean",
            "proto: expected a string",
        ]
    );
}
