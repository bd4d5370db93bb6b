//! The bodies with which the reference refuses configurations.

mod common;

use common::problems;
use gatehouse_declarative::{Document, Format, Limits, error_body, parse_error_body};
use serde_json::{Value, json};

fn bodies(text: &str) -> (Value, Value) {
    let problems = problems(text);
    (error_body(&problems, false), error_body(&problems, true))
}

#[test]
fn fields_mirror_the_document_with_nulls_between() {
    let (plain, _) = bodies(
        r#"{"_format_version":"3.0","services":[{"name":"s1","host":"a.test"},{"name":"x","port":"y","host":"h"}]}"#,
    );
    assert_eq!(
        plain,
        json!({
            "code": 14, "name": "invalid declarative configuration",
            "message": "declarative config is invalid: {services={[2]={port=\"expected an integer\"}}}",
            "fields": {"services": [null, {"port": "expected an integer"}]},
        })
    );
}

#[test]
fn flattened_errors_carry_the_entity_as_submitted() {
    let (_, flat) = bodies(
        r#"{"_format_version":"3.0","services":[{"name":"s1","host":"a.test","id":"a0000050-0050-4000-8000-000000000001","routes":[{"name":"r1","paths":["x"],"tags":["k8s-name:r","k8s-uid:1"]}]}]}"#,
    );
    assert_eq!(
        flat,
        json!({
            "code": 14, "name": "invalid declarative configuration",
            "message": "declarative config is invalid: {}", "fields": {},
            "flattened_errors": [{
                "entity_type": "route", "entity_name": "r1",
                "entity_tags": ["k8s-name:r", "k8s-uid:1"],
                "entity": {
                    "name": "r1", "paths": ["x"], "tags": ["k8s-name:r", "k8s-uid:1"],
                    "service": {"id": "a0000050-0050-4000-8000-000000000001"},
                },
                "errors": [{
                    "type": "field", "field": "paths.1",
                    "message": "should start with: / (fixed path) or ~/ (regex path)",
                }],
            }],
        })
    );
}

#[test]
fn messages_about_an_entity_have_no_field() {
    let (plain, flat) =
        bodies(r#"{"_format_version":"3.0","routes":[{"name":"r","protocols":["https"]}]}"#);
    let message = "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'";
    assert_eq!(plain["fields"], json!({"routes": [{"@entity": [message]}]}));
    assert_eq!(
        flat["flattened_errors"][0]["errors"],
        json!([{"type": "entity", "message": message}])
    );
}

#[test]
fn what_belongs_to_no_entity_stays_in_fields() {
    let (plain, flat) = bodies(r#"{"_format_version":"3.0","bogus":{"a":1},"other":5}"#);
    assert_eq!(
        plain["message"],
        json!("declarative config is invalid: {bogus=\"unknown field\",other=\"unknown field\"}")
    );
    assert_eq!(flat["fields"], plain["fields"]);
    assert_eq!(flat["flattened_errors"], json!({}));
}

#[test]
fn only_the_first_sort_of_problem_is_shown() {
    let (plain, _) = bodies(
        r#"{"_format_version":"3.0","services":[{"name":"s"}],"routes":[{"paths":["/"],"service":"nope"}]}"#,
    );
    assert_eq!(
        plain["fields"],
        json!({"services": [{"host": "required field missing"}]})
    );
}

#[test]
fn dangling_references_are_keyed_by_name_or_id() {
    let (plain, flat) =
        bodies(r#"{"_format_version":"3.0","targets":[{"target":"a.test:80","upstream":"nope"}]}"#);
    assert_eq!(
        plain["fields"],
        json!({"targets": {"43758616-5dcf-5089-8528-2c947f062d50": [
            "invalid reference 'upstream: nope' (no such entry in 'upstreams')"]}})
    );
    assert_eq!(
        (&flat["fields"], &flat["flattened_errors"]),
        (&json!({}), &json!({}))
    );
}

#[test]
fn repeated_names_are_attributed_with_their_derived_id() {
    let (plain, flat) = bodies(
        r#"{"_format_version":"3.0","services":[{"name":"s1","host":"a.test"},{"name":"s1","host":"b.test"}]}"#,
    );
    let message = "uniqueness violation: 'services' entity with name set to 's1' already declared";
    assert_eq!(plain["fields"], json!({"services": [null, message]}));
    assert_eq!(
        flat["flattened_errors"][0],
        json!({
            "entity_type": "service", "entity_id": "356ebaf8-b7af-5cba-99a1-f392e34730ab",
            "entity_name": "s1",
            "entity": {"name": "s1", "host": "b.test", "id": "356ebaf8-b7af-5cba-99a1-f392e34730ab"},
            "errors": [{"type": "entity", "message": message}],
        })
    );
}

#[test]
fn entities_with_several_problems_appear_once() {
    let (_, flat) = bodies(
        r#"{"_format_version":"3.0","services":[{"host":"","port":-1,"routes":[{"paths":["x"]},{"paths":["y"]}]},{"port":1}]}"#,
    );
    let list = flat["flattened_errors"].as_array().expect("a list");
    assert_eq!(list.len(), 4);
    let service = list
        .iter()
        .find(|entry| entry["entity"]["port"] == json!(-1))
        .expect("it");
    assert_eq!(service["errors"].as_array().map(Vec::len), Some(2));
    assert!(service["entity"].get("routes").is_none());
}

#[test]
fn unreadable_texts_say_where() {
    let error = Document::parse(b"x: [", Format::Yaml, Limits::default()).expect_err("open");
    assert_eq!(
        parse_error_body(&error),
        json!({
            "code": 14, "name": "invalid declarative configuration",
            "message": "declarative config is invalid: {error=\"failed parsing declarative \
                        configuration: 1:4: did not find expected node content\"}",
            "fields": {"error": "failed parsing declarative configuration: 1:4: did not find \
                                 expected node content"},
        })
    );
}

#[test]
fn errors_of_an_entity_descend_and_those_of_the_whole_come_last() {
    let (_, flat) = bodies(
        r#"{"_format_version":"3.0","routes":[{"name":"r","protocols":["http"],"snis":["a.test"],"paths":["x","y"],"bogus":[]}]}"#,
    );
    let errors = flat["flattened_errors"][0]["errors"].as_array().unwrap();
    let fields: Vec<_> = errors.iter().map(|error| error["field"].as_str()).collect();
    assert_eq!(
        fields,
        [
            Some("snis"),
            Some("paths.2"),
            Some("paths.1"),
            Some("bogus"),
            None
        ]
    );
    assert_eq!(flat["flattened_errors"][0]["entity"]["bogus"], json!({}));
}

#[test]
fn an_object_without_id_as_a_reference_is_reported_as_an_entity() {
    let (plain, flat) = bodies(
        r#"{"_format_version":"3.0","routes":[{"name":"r1","paths":["/a"],"service":{"name":"s1"}}]}"#,
    );
    assert_eq!(
        plain["fields"]["routes"][0]["service"]["id"],
        "missing primary key"
    );
    assert_eq!(
        flat["flattened_errors"],
        json!([{
            "entity_type": "service", "entity_name": "s1", "entity": {"name": "s1"},
            "errors": [{"type": "field", "field": "id", "message": "missing primary key"}],
        }])
    );
}
