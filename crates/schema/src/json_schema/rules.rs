//! Rules of a field in the terms of JSON Schema.

use serde_json::{Map, Value, json};

use crate::field::{Field, FieldKind};
use crate::pattern::Pattern;
use crate::rule::Rule;

/// 36 characters, any case.
const UUID: &str = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";

/// Rules in code that a pattern states at least in part.
const IN_CODE: [(&str, &str); 8] = [
    ("header_name", "^[0-9A-Za-z_-]+$"),
    (
        "cookie_name",
        r#"^[^\u0000-\u0020\u007f()<>@,;:\\"/?={}\[\]]*$"#,
    ),
    ("utf8_name", r"^[^\u0000-,/:-@\[-^`{-}\u007f]*$"),
    ("tag", r"^[^\u0000-\u001f,/\u007f]*$"),
    ("path", "^/"),
    ("host", r"^[^\s/]*$"),
    ("sni", r"^[^\s/:]*$"),
    ("ip", "^[0-9a-fA-F.:]*$"),
];

/// Adds what a rule says to the form of the field. Rules without a counterpart add nothing.
pub(super) fn state(rule: &Rule, field: &Field, form: &mut Map<String, Value>) {
    let mut put = |name: &str, value: Value| {
        form.insert(name.to_owned(), value);
    };
    match rule {
        Rule::Eq(value) => put("const", value.clone()),
        Rule::OneOf(values) if values.is_empty() => put("not", json!({})),
        Rule::OneOf(values) => put("enum", Value::Array(values.clone())),
        Rule::OneOfOr(values, more) => {
            put("enum", Value::Array([&values[..], more].concat()));
        }
        Rule::Gt(limit) => put("exclusiveMinimum", number(*limit)),
        Rule::Timestamp => put("exclusiveMinimum", json!(0)),
        Rule::Uuid => {
            put("format", json!("uuid"));
            all(form, json!({"pattern": UUID}));
        }
        Rule::IsRegex => put("format", json!("regex")),
        Rule::Between(low, high) => {
            if low.is_finite() {
                put("minimum", number(*low));
            }
            if high.is_finite() {
                put("maximum", number(*high));
            }
        }
        Rule::LenEq(length) => {
            let (least, most) = bounds(field);
            put(least, json!(length));
            put(most, json!(length));
        }
        Rule::LenMin(length) => put(bounds(field).0, json!(length)),
        // Compat: texts are measured in bytes, so a limit in characters is only an upper bound.
        Rule::LenMax(length) => put(bounds(field).1, json!(length)),
        Rule::Ne(_) | Rule::NotOneOf(_) | Rule::Contains(_) | Rule::ExclusiveSubsets(_) => {
            values(rule, form);
        }
        _ => texts(rule, form),
    }
}

/// The names of the least and the greatest length of a kind.
fn bounds(field: &Field) -> (&'static str, &'static str) {
    match field.kind {
        FieldKind::Array(_) | FieldKind::Set(_) => ("minItems", "maxItems"),
        FieldKind::Map { .. } => ("minProperties", "maxProperties"),
        _ => ("minLength", "maxLength"),
    }
}

fn values(rule: &Rule, form: &mut Map<String, Value>) {
    match rule {
        Rule::Ne(value) => all(form, json!({"not": {"const": value}})),
        Rule::NotOneOf(values) => all(form, json!({"not": {"enum": values}})),
        Rule::Contains(value) => all(form, json!({"contains": {"const": value}})),
        Rule::ExclusiveSubsets(sets) => {
            let one = |set: &Vec<&'static str>| json!({"items": {"enum": set}});
            let sets: Vec<Value> = sets.iter().map(one).collect();
            all(form, json!({"anyOf": sets}));
        }
        _ => {}
    }
}

fn texts(rule: &Rule, form: &mut Map<String, Value>) {
    let pattern = |pattern: &Pattern| json!({"pattern": pattern.regex()});
    // A pattern says nothing about a null, and its opposite would refuse it.
    let not = |unwanted: &Pattern| json!({"not": {"type": "string", "pattern": unwanted.regex()}});
    match rule {
        Rule::StartsWith(prefix) => {
            all(
                form,
                json!({"pattern": format!("^{}", regex::escape(prefix))}),
            );
        }
        Rule::Match(wanted) => all(form, pattern(wanted)),
        Rule::NotMatch(unwanted) => all(form, not(unwanted)),
        Rule::MatchNone(list) => {
            for (unwanted, _) in list {
                all(form, not(unwanted));
            }
        }
        Rule::MatchAll(list) => list
            .iter()
            .for_each(|(wanted, _)| all(form, pattern(wanted))),
        Rule::MatchAny(list, _) => {
            let ways: Vec<Value> = list.iter().map(pattern).collect();
            all(form, json!({"anyOf": ways}));
        }
        Rule::Custom(name, _) => {
            if let Some((_, pattern)) = IN_CODE.iter().find(|(known, _)| known == name) {
                all(form, json!({"pattern": pattern}));
            }
        }
        _ => {}
    }
}

/// Adds one more thing that must hold. The first pattern stands by itself.
fn all(form: &mut Map<String, Value>, more: Value) {
    if let (Some(pattern), false) = (more.get("pattern"), form.contains_key("pattern")) {
        form.insert("pattern".to_owned(), pattern.clone());
        return;
    }
    let list = form.entry("allOf").or_insert_with(|| json!([]));
    if let Value::Array(list) = list
        && !list.contains(&more)
    {
        list.push(more);
    }
}

/// A limit, whole if it can be.
fn number(limit: f64) -> Value {
    let value = Value::from(limit);
    crate::whole_number(&value).map_or(value, Value::from)
}
