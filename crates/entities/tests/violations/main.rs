//! What values of many sorts are told in every place of every kind, kept in
//! `documents/violations.txt`; and that without any one rule or check something else would be said.
//!
//! The document is made of the descriptions, is reviewed, and has to stay as it is: a rule that is
//! dropped or changed shows in it. `GATEHOUSE_BLESS=1` writes it anew.

#[path = "../common/mod.rs"]
mod common;
mod mutation;
mod places;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use common::{catalogue, map};
use gatehouse_entities::{Mode, Violations};
use places::{Step, body, named, places};
use schema::Schema;
use serde_json::{Value, json};

/// Values of many sorts, some of which break any rule.
fn values() -> Vec<Value> {
    let texts = [
        "",
        "x",
        "X",
        "a b",
        "a,b",
        "a/b",
        "a//b",
        "/a",
        "~/(",
        "*",
        "a*b",
        "(",
        "1.2.3.4",
        "é",
        "no-such",
        "env",
        "a#b",
        "http://a/#b",
        "https://a.test/",
        "UPPER",
        "-a",
        "\u{1}",
    ];
    let numbers = [
        json!(-1),
        json!(0),
        json!(0.5),
        json!(7),
        json!(65536),
        json!(9_999_999_999_u64),
    ];
    let mut all: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
    all.extend(numbers);
    all.extend([json!(null), json!(true), json!([]), json!([1]), json!({})]);
    all.extend([
        json!("x".repeat(128)),
        json!("x".repeat(6000)),
        json!(["x", 5]),
    ]);
    all.push(json!({"id": "x"}));
    all
}

fn outcome(schema: &Schema, body: Value) -> Violations {
    let mut body = map(body);
    let done = schema.process(&mut body, Mode::Insert);
    done.err().unwrap_or_default()
}

/// What is said about the first member of the path and about the whole entity.
fn said(schema: &Schema, body: Value) -> String {
    let first = body
        .as_object()
        .and_then(|body| body.keys().next().cloned());
    let fields = outcome(schema, body).fields();
    let of_member = first.map_or(Value::Null, |first| fields[first].clone());
    match of_member {
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// All that is said about a place, and by which values.
fn lines(schema: &mut Schema, at: &[Step]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for value in values() {
        let Some(body) = body(schema, at, &value) else {
            continue;
        };
        let said = said(schema, body);
        if said.is_empty() {
            continue;
        }
        let said = match value.as_str() {
            Some(text) if text.len() > 100 => said.replace(text, "…"),
            _ => said,
        };
        let shown = match value.as_str() {
            Some(text) if text.len() > 100 => format!("{} bytes", text.len()),
            _ => value.to_string(),
        };
        found.entry(said).or_default().push(shown);
    }
    found
}

/// The descriptions of all kinds, and of the types whose members differ.
fn descriptions() -> Vec<(String, Schema)> {
    let catalogue = catalogue();
    let kinds = catalogue.kinds().iter();
    let mut all: Vec<_> = kinds
        .map(|kind| (kind.name.to_owned(), kind.schema.clone()))
        .collect();
    for name in catalogue.partial_types() {
        let schema = catalogue.partial_schema(name).expect("a type");
        all.push((format!("partials {name}"), schema.clone()));
    }
    all
}

#[test]
fn what_breaks_each_rule_is_told_as_reviewed() {
    let mut text = String::new();
    for (name, mut schema) in descriptions() {
        let mut all = Vec::new();
        places(&schema, &[], &mut all);
        for at in all {
            let path = named(&mut schema, &at);
            for (said, values) in lines(&mut schema, &at) {
                writeln!(text, "{name} {path} {said} <- {}", values.join(" ")).expect("text");
            }
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents/violations.txt");
    if std::env::vars().any(|(name, value)| name == "GATEHOUSE_BLESS" && value == "1") {
        std::fs::write(&file, &text).expect("the file can be written");
    }
    let reviewed = std::fs::read_to_string(&file).unwrap_or_default();
    for (found, wanted) in text.lines().zip(reviewed.lines()) {
        assert_eq!(found, wanted);
    }
    assert_eq!(text.lines().count(), reviewed.lines().count());
}
