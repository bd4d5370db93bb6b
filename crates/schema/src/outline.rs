//! A description as lines for people: one for each member, nested ones with their path.

use serde_json::Value;

use crate::field::{Field, FieldKind, Schema};
use crate::rule::{Rule, plain};

/// One member in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Dotted path; `[]` stands for every element of a list.
    pub path: String,
    /// Kind of the value (`set of string`).
    pub kind: String,
    /// The default as JSON; empty if there is none.
    pub default: String,
    /// What it must be, and other marks.
    pub rules: Vec<String>,
    /// What it means.
    pub description: String,
}

impl Schema {
    /// The members as lines, in order, aliases last.
    #[must_use]
    pub fn outline(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        outline(self, "", &mut lines);
        lines
    }
}

fn outline(schema: &Schema, prefix: &str, lines: &mut Vec<Line>) {
    for field in &schema.fields {
        let path = format!("{prefix}{}", field.name);
        lines.push(line(field, path.clone()));
        match &field.kind {
            FieldKind::Record(inner) if !field.published_abstract => {
                outline(inner, &format!("{path}."), lines);
            }
            FieldKind::Array(element) | FieldKind::Set(element) => {
                if let FieldKind::Record(inner) = &element.kind {
                    outline(inner, &format!("{path}[]."), lines);
                }
            }
            _ => {}
        }
    }
    for shorthand in &schema.shorthands {
        let mut line = line(
            &shorthand.field,
            format!("{prefix}{}", shorthand.field.name),
        );
        let note = if shorthand.deprecated {
            "old name"
        } else {
            "input only"
        };
        line.rules.insert(0, note.to_owned());
        lines.push(line);
    }
}

fn line(field: &Field, path: String) -> Line {
    let is_record = matches!(field.kind, FieldKind::Record(_));
    let default = field.default.as_ref().filter(|_| !is_record);
    Line {
        path,
        kind: kind(field),
        default: default.map(Value::to_string).unwrap_or_default(),
        rules: marks(field).into_iter().chain(rules(field)).collect(),
        description: field.description.to_owned(),
    }
}

fn kind(field: &Field) -> String {
    match &field.kind {
        FieldKind::Array(element) => format!("array of {}", kind(element)),
        FieldKind::Set(element) => format!("set of {}", kind(element)),
        FieldKind::Map { keys, values } => format!("map of {} to {}", kind(keys), kind(values)),
        FieldKind::Foreign(entity) => format!("reference to `{entity}`"),
        other => other.name().to_owned(),
    }
}

fn marks(field: &Field) -> Vec<String> {
    let needs = field.is_required() && field.default.is_none() && !field.auto;
    let is_record = matches!(field.kind, FieldKind::Record(_));
    let marks = [
        (needs && !is_record, "required"),
        (field.unique_across_workspaces, "unique in all workspaces"),
        (field.unique && !field.unique_across_workspaces, "unique"),
        (field.immutable, "cannot be changed"),
        (field.encrypted, "secret"),
        (field.write_only, "never shown"),
        (field.referenceable, "may be a vault reference"),
        (field.on_delete == Some("cascade"), "deleted with it"),
    ];
    let set = marks.into_iter().filter(|(is_set, _)| *is_set);
    set.map(|(_, mark)| mark.to_owned()).collect()
}

fn rules(field: &Field) -> Vec<String> {
    let mut texts: Vec<String> = field.rules.iter().filter_map(rule).collect();
    if let FieldKind::Array(element) | FieldKind::Set(element) = &field.kind {
        let inner = element.rules.iter().filter_map(rule);
        texts.extend(inner.map(|text| format!("each: {text}")));
    }
    texts
}

fn rule(rule: &Rule) -> Option<String> {
    let list = |values: &[Value]| {
        let quoted: Vec<String> = values.iter().map(|v| format!("`{}`", plain(v))).collect();
        quoted.join(", ")
    };
    Some(match rule {
        Rule::Eq(value) => format!("must be `{}`", plain(value)),
        Rule::Ne(value) => format!("must not be `{}`", plain(value)),
        Rule::NotOneOf(values) => format!("none of {}", list(values)),
        Rule::OneOf(values) if values.is_empty() => "one of none".to_owned(),
        Rule::OneOf(values) => format!("one of {}", list(values)),
        Rule::OneOfOr(values, more) => format!("one of {}", list(&[&values[..], more].concat())),
        Rule::Gt(limit) => format!("more than {limit}"),
        Rule::Timestamp => return None,
        Rule::Uuid => "a UUID".to_owned(),
        Rule::IsRegex => "a regular expression".to_owned(),
        Rule::Between(low, high) => format!("{low} to {high}"),
        Rule::LenEq(length) => format!("length {length}"),
        Rule::LenMin(length) => format!("length at least {length}"),
        Rule::LenMax(length) => format!("length at most {length}"),
        Rule::StartsWith(prefix) => format!("starts with `{prefix}`"),
        Rule::NotMatch(pattern) => format!("not `{}`", pattern.regex()),
        Rule::MatchNone(list) => {
            let list: Vec<String> = list
                .iter()
                .map(|(p, _)| format!("`{}`", p.regex()))
                .collect();
            format!("not {}", list.join(", "))
        }
        Rule::Match(pattern) => format!("`{}`", pattern.regex()),
        Rule::MatchAll(list) => {
            let list: Vec<String> = list
                .iter()
                .map(|(p, _)| format!("`{}`", p.regex()))
                .collect();
            list.join(" and ")
        }
        Rule::MatchAny(list, _) => {
            let list: Vec<String> = list.iter().map(|p| format!("`{}`", p.regex())).collect();
            list.join(" or ")
        }
        Rule::Contains(value) => format!("contains `{}`", plain(value)),
        Rule::Custom(name, _) => name.replace('_', " "),
        Rule::ExclusiveSubsets(_) => "of one family only".to_owned(),
    })
}
