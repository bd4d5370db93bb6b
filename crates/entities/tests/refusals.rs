//! Refusals: recorded ones in full, and one for every rule of every description.
//!
//! `documents/refusals.json` holds bodies with what the reference answered to them, as recorded.

mod common;

use common::{catalogue, map};
use gatehouse_entities::{EntityKind, Map, Mode, Violations};
use schema::{Field, FieldKind, Rule, Schema};
use serde_json::{Value, json};

#[test]
fn recorded_bodies_are_refused_in_the_recorded_words() {
    let catalogue = catalogue();
    let text = include_str!("documents/refusals.json");
    let cases: Vec<Value> = serde_json::from_str(text).expect("JSON");
    assert!(cases.len() > 250, "{}", cases.len());
    for case in cases {
        let kind = case["kind"].as_str().expect("a kind");
        let mut body = map(case["body"].clone());
        let stored = case.get("stored").map(|stored| map(stored.clone()));
        let mode = match &stored {
            Some(stored) => Mode::Update { stored },
            None => Mode::Insert,
        };
        let violations = catalogue
            .validate(kind, &mut body, mode)
            .expect_err("it was refused");
        assert_eq!(
            violations.fields(),
            case["fields"],
            "{kind}: {}",
            case["body"]
        );
        assert_eq!(
            json!(violations.message()),
            case["message"],
            "{kind}: {}",
            case["body"]
        );
    }
}

/// All kinds, and the types whose members differ, without the checks over several members.
fn descriptions() -> Vec<(String, Schema)> {
    let catalogue = catalogue();
    let of_kind = |kind: &EntityKind| (kind.name.to_owned(), kind.schema.clone());
    let mut all: Vec<_> = catalogue.kinds().iter().map(of_kind).collect();
    for name in catalogue.partial_types() {
        let schema = catalogue.partial_schema(name).expect("a type");
        all.push((format!("partials of {name}"), schema.clone()));
    }
    for name in catalogue.plugins().names() {
        let schema = catalogue.plugin_schema(name).expect("a plugin");
        all.push((format!("plugins of {name}"), schema.clone()));
    }
    for (_, schema) in &mut all {
        drop_checks(schema);
    }
    all
}

fn drop_checks(schema: &mut Schema) {
    schema.checks.clear();
    for field in &mut schema.fields {
        if let FieldKind::Record(inner) = &mut field.kind {
            drop_checks(inner);
        }
    }
}

fn outcome(schema: &Schema, body: Value) -> Violations {
    let mut body = map(body);
    match schema.process(&mut body, Mode::Insert) {
        Ok(()) => Violations::new(),
        Err(violations) => violations,
    }
}

/// A document with a value at the end of a path of records.
fn at(path: &[&str], value: Value) -> Value {
    path.iter().rev().fold(value, |inner, name| {
        let mut members = Map::new();
        members.insert((*name).to_owned(), inner);
        Value::Object(members)
    })
}

/// Calls `visit` for every member, nested records included, with its path.
fn walk<'s>(
    schema: &'s Schema,
    path: &mut Vec<&'s str>,
    visit: &mut impl FnMut(&[&'s str], &Field),
) {
    for field in &schema.fields {
        path.push(field.name);
        visit(path, field);
        if let FieldKind::Record(inner) = &field.kind {
            walk(inner, path, visit);
        }
        path.pop();
    }
}

fn said(violations: &Violations, path: &[&str]) -> Value {
    violations
        .get(&path.join("."))
        .map_or(Value::Null, schema::Violation::fields)
}

#[test]
fn a_value_of_another_kind_is_refused_for_every_member() {
    for (name, schema) in descriptions() {
        walk(&schema, &mut Vec::new(), &mut |path, field| {
            let (value, message) = match &field.kind {
                FieldKind::String => (json!(5), "expected a string"),
                FieldKind::Integer => (json!("x"), "expected an integer"),
                FieldKind::Number => (json!("x"), "expected a number"),
                FieldKind::Boolean => (json!("true"), "expected a boolean"),
                FieldKind::Array(_) => (json!(5), "expected an array"),
                FieldKind::Set(_) => (json!("x"), "expected a set"),
                FieldKind::Map { .. } => (json!(5), "expected a map"),
                FieldKind::Record(_) | FieldKind::Abstract => (json!(5), "expected a record"),
                FieldKind::Foreign(_) | FieldKind::Json => return,
            };
            if field.rules.contains_null() || is_overwritten(field) {
                return;
            }
            let violations = outcome(&schema, at(path, value));
            assert_eq!(said(&violations, path), json!(message), "{name}: {path:?}");
        });
    }
}

/// The server writes the time of the last change itself, whatever it is sent.
fn is_overwritten(field: &Field) -> bool {
    field.auto && field.name == "updated_at"
}

trait Rules {
    fn contains_null(&self) -> bool;
}

impl Rules for Vec<Rule> {
    fn contains_null(&self) -> bool {
        self.iter()
            .any(|rule| matches!(rule, Rule::Eq(Value::Null)))
    }
}

#[test]
fn what_must_be_there_is_missed() {
    for (name, schema) in descriptions() {
        walk(&schema, &mut Vec::new(), &mut |path, field| {
            let is_record = matches!(field.kind, FieldKind::Record(_));
            if !field.is_required() || field.extension {
                return;
            }
            let missed = json!("required field missing");
            let violations = outcome(&schema, at(path, Value::Null));
            assert_eq!(said(&violations, path), missed, "{name}: {path:?}");
            if field.default.is_some() || field.auto || is_record {
                return;
            }
            let (_, parent) = path.split_last().expect("a path");
            let violations = outcome(&schema, at(parent, json!({})));
            assert_eq!(said(&violations, path), missed, "{name}: {path:?}");
        });
    }
}

#[test]
fn unknown_members_are_refused_in_every_record() {
    for (name, schema) in descriptions() {
        let violations = outcome(&schema, json!({"bogus": 1}));
        assert_eq!(
            said(&violations, &["bogus"]),
            json!("unknown field"),
            "{name}"
        );
        walk(&schema, &mut Vec::new(), &mut |path, field| {
            if matches!(field.kind, FieldKind::Record(_)) {
                let path = [path, &["bogus"]].concat();
                let violations = outcome(&schema, at(&path, json!(null)));
                assert_eq!(
                    said(&violations, &path),
                    json!("unknown field"),
                    "{name}: {path:?}"
                );
            }
        });
    }
}

/// A value that breaks a rule and no earlier one, with the reference's words for it.
fn breach(rule: &Rule, field: &Field) -> Option<(Value, String)> {
    let join = |list: &[Value]| {
        let texts: Vec<String> = list.iter().map(plain).collect();
        texts.join(", ")
    };
    let is_text = matches!(field.kind, FieldKind::String);
    Some(match rule {
        Rule::Eq(Value::Null) => (wrong_for_null(field), "value must be null".to_owned()),
        Rule::OneOf(list) | Rule::OneOfOr(list, _) if is_text => {
            (json!("no such"), format!("expected one of: {}", join(list)))
        }
        Rule::OneOf(list) => (json!(7), format!("expected one of: {}", join(list))),
        Rule::NotOneOf(list) => (
            list[0].clone(),
            format!("must not be one of: {}", join(list)),
        ),
        Rule::Gt(limit) => (json!(limit), format!("value must be greater than {limit}")),
        Rule::Timestamp => (json!(0), "expected a valid timestamp".to_owned()),
        Rule::Uuid => (json!("x"), "expected a valid UUID".to_owned()),
        Rule::Between(low, high) => {
            let text = format!("value should be between {low} and {high}");
            (json!(low - 1.0), text)
        }
        Rule::LenEq(length) => (json!("x"), format!("length must be {length}")),
        Rule::LenMin(0) => return None,
        Rule::LenMin(length) if is_text => (json!(""), format!("length must be at least {length}")),
        Rule::LenMin(length) => (json!([]), format!("length must be at least {length}")),
        Rule::LenMax(length) => (
            json!("x".repeat(length + 1)),
            format!("length must be at most {length}"),
        ),
        Rule::StartsWith(prefix) => (json!("x"), format!("should start with: {prefix}")),
        Rule::Match(_) => (json!(" \u{1}"), "invalid value:  \u{1}".to_owned()),
        Rule::MatchNone(list) if list[0].0.lua() == "//" => (json!("/a//b"), list[0].1.to_owned()),
        Rule::MatchAny(_, message) => (json!("a*b"), (*message).to_owned()),
        _ => return None,
    })
}

fn wrong_for_null(field: &Field) -> Value {
    match field.kind {
        FieldKind::Foreign(_) => json!({"id": "a0000000-0000-4000-8000-000000000001"}),
        FieldKind::String => json!("x"),
        _ => json!(1),
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn every_rule_of_every_member_has_its_words() {
    let mut tried = 0;
    for (name, schema) in descriptions() {
        walk(&schema, &mut Vec::new(), &mut |path, field| {
            let element = match &field.kind {
                FieldKind::Array(element) | FieldKind::Set(element) => Some(&**element),
                _ => None,
            };
            if is_overwritten(field) {
                return;
            }
            for (field, is_element) in [(Some(field), false), (element, true)] {
                let Some(field) = field else { continue };
                for (value, message) in field.rules.iter().filter_map(|rule| breach(rule, field)) {
                    let message = json!(field.err.unwrap_or(&message));
                    let (sent, expected) = if is_element {
                        (json!([value]), json!([message]))
                    } else {
                        (value, message)
                    };
                    let violations = outcome(&schema, at(path, sent.clone()));
                    let place = format!("{name}: {path:?} {sent}");
                    assert_eq!(said(&violations, path), expected, "{place}");
                    tried += 1;
                }
            }
        });
    }
    assert!(tried > 150, "{tried}");
}

#[test]
fn an_empty_text_is_refused_unless_the_description_allows_it() {
    for (name, schema) in descriptions() {
        walk(&schema, &mut Vec::new(), &mut |path, field| {
            let lifts = |rule: &Rule| matches!(rule, Rule::LenMin(0));
            if !matches!(field.kind, FieldKind::String) || field.rules.contains_null() {
                return;
            }
            let violations = outcome(&schema, at(path, json!("")));
            if field.rules.iter().any(lifts) {
                let said = said(&violations, path);
                assert_ne!(said, json!("length must be at least 1"), "{name}: {path:?}");
            } else {
                assert!(!said(&violations, path).is_null(), "{name}: {path:?}");
            }
        });
    }
}
