//! Without any one rule or check of a description, something else would be said about some body.
//!
//! The bodies are the values of many sorts in every place, the recorded ones
//! (`documents/refusals.json`) and those written by hand for what neither breaks
//! (`documents/checks.json`).

use schema::{Check, Field, FieldKind, Rule, Schema};
use serde_json::Value;

use super::common::{catalogue, map};
use super::places::{Step, field, named, places};
use super::{Mode, Violations, descriptions, lines};

/// A body with the kind it is of, and what is stored when it is a patch.
struct Case {
    kind: String,
    body: Value,
    stored: Option<Value>,
}

impl Case {
    fn outcome(&self, schema: &Schema) -> Violations {
        let stored = self.stored.clone().map(map);
        let mode = match &stored {
            Some(stored) => Mode::Update { stored },
            None => Mode::Insert,
        };
        let mut body = map(self.body.clone());
        schema.process(&mut body, mode).err().unwrap_or_default()
    }

    /// Whether the two descriptions say different things about the body.
    fn tells_apart(&self, one: &Schema, other: &Schema) -> bool {
        let (one, other) = (self.outcome(one), self.outcome(other));
        (one.fields(), one.message()) != (other.fields(), other.message())
    }
}

fn read(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("JSON")
}

fn cases() -> Vec<Case> {
    let recorded = read(include_str!("../documents/refusals.json"));
    let by_hand = read(include_str!("../documents/checks.json"));
    let case = |case: Value| Case {
        kind: case["kind"].as_str().expect("a kind").to_owned(),
        body: case["body"].clone(),
        stored: case.get("stored").cloned(),
    };
    recorded.into_iter().chain(by_hand).map(case).collect()
}

/// Takes a rule away. The least length of a text is one without being said, so that it is lifted.
fn without_rule(field: &mut Field, position: usize) {
    let is_text = matches!(field.kind, FieldKind::String);
    match &mut field.rules[position] {
        Rule::LenMin(least) if is_text && *least == 1 => *least = 0,
        _ => drop(field.rules.remove(position)),
    }
}

/// The checks of the record in a place; those of the whole for no place.
fn checks<'s>(schema: &'s mut Schema, at: &[Step]) -> Option<&'s mut Vec<Check>> {
    if at.is_empty() {
        return Some(&mut schema.checks);
    }
    match &mut field(schema, at).kind {
        FieldKind::Record(inner) => Some(&mut inner.checks),
        _ => None,
    }
}

#[test]
fn bodies_that_break_a_rule_are_refused_in_these_words() {
    let catalogue = catalogue();
    for case in read(include_str!("../documents/checks.json")) {
        let kind = case["kind"].as_str().expect("a kind");
        let mut body = map(case["body"].clone());
        let refused = catalogue.validate(kind, &mut body, Mode::Insert);
        let said = refused.err().unwrap_or_default().fields();
        assert_eq!(said, case["fields"], "{kind}: {}", case["body"]);
    }
}

#[test]
fn without_any_one_rule_something_else_would_be_said() {
    let cases = cases();
    let mut missed = Vec::new();
    let mut tried = 0;
    for (name, schema) in descriptions() {
        let mine = || cases.iter().filter(|case| case.kind == name);
        let mut all = Vec::new();
        places(&schema, &[], &mut all);
        for at in all {
            let mut whole = schema.clone();
            let before = lines(&mut whole, &at);
            for position in 0..field(&mut whole, &at).rules.len() {
                let mut less = schema.clone();
                without_rule(field(&mut less, &at), position);
                tried += 1;
                let is_seen = lines(&mut less, &at) != before
                    || mine().any(|case| case.tells_apart(&schema, &less));
                if !is_seen {
                    let rule = field(&mut whole, &at).rules[position].clone();
                    missed.push(format!("{name}.{}: {rule:?}", named(&mut whole, &at)));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{tried} tried:\n{}", missed.join("\n"));
    assert!(tried > 250, "{tried}");
}

#[test]
fn without_any_one_check_something_else_would_be_said() {
    let cases = cases();
    let mut missed = Vec::new();
    let mut tried = 0;
    for (name, schema) in descriptions() {
        let mine = || cases.iter().filter(|case| case.kind == name);
        let mut all = vec![Vec::new()];
        places(&schema, &[], &mut all);
        for at in all {
            let mut whole = schema.clone();
            let there = checks(&mut whole, &at).cloned().unwrap_or_default();
            for (position, check) in there.iter().enumerate() {
                if matches!(check, Check::Announced { .. }) {
                    continue;
                }
                let mut less = schema.clone();
                checks(&mut less, &at).map(|checks| checks.remove(position));
                tried += 1;
                if !mine().any(|case| case.tells_apart(&schema, &less)) {
                    missed.push(format!("{name}.{}: {check:?}", named(&mut whole, &at)));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{tried} tried:\n{}", missed.join("\n"));
    assert!(tried > 35, "{tried}");
}
