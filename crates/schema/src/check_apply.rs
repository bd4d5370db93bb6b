//! Running checks over several members.

use serde_json::Value;

use crate::Map;
use crate::check::{Check, Condition, CustomCheck};
use crate::field::{Field, FieldKind, Schema};
use crate::process::lookup;
use crate::rule::{Rule, same};
use crate::validate::{REQUIRED, Validation};
use crate::violations::{Violation, Violations};

/// What a member that a check needs and that is absent is answered with.
const NEEDED: &str = "field required for entity check";

impl Check {
    /// Runs the check and adds what it finds.
    pub(crate) fn apply(&self, schema: &Schema, body: &Map, update: bool, found: &mut Violations) {
        // Compat: these say nothing while one of their members is wrong; the others do.
        if let Self::OnlyOneOf(fields)
        | Self::MutuallyRequired(fields)
        | Self::MutuallyExclusive(fields)
        | Self::Distinct(fields) = self
            && fields.iter().any(|field| found.get(field).is_some())
        {
            return;
        }
        match self {
            Self::AtLeastOneOf(fields) => {
                if count(body, fields) == 0 {
                    found.add_entity(at_least_one(fields, update));
                }
            }
            Self::ConditionalAtLeastOneOf { .. } => self.conditional_any(body, update, found),
            Self::OnlyOneOf(fields) => {
                if count(body, fields) != 1 {
                    let list = quoted(fields);
                    found.add_entity(format!(
                        "exactly one of these fields must be non-empty: {list}"
                    ));
                }
            }
            Self::MutuallyRequired(fields) => {
                let set = count(body, fields);
                if set != 0 && set != fields.len() {
                    let list = quoted(fields);
                    found.add_entity(format!("all or none of these fields must be set: {list}"));
                }
            }
            Self::MutuallyExclusive(fields) => {
                if count(body, fields) > 1 {
                    let list = quoted(fields);
                    found.add_entity(format!(
                        "only one or none of these fields must be set: {list}"
                    ));
                }
            }
            Self::Distinct(fields) => {
                if repeats(body, fields) {
                    let list = quoted(fields);
                    found.add_entity(format!("values of these fields must be distinct: {list}"));
                }
            }
            Self::Conditional {
                if_field,
                if_match,
                then_field,
                then_match,
                then_err,
            } => {
                if !holds(if_match, if_field, body, found) {
                    return;
                }
                let base = find(schema, then_field);
                let value = lookup(body, then_field).unwrap_or(&Value::Null);
                if let Some(fault) = then_fault(base, then_match, value) {
                    found.set(then_field, fault);
                    found.add_entity(then_err.map_or_else(|| failed(if_field), str::to_owned));
                }
            }
            Self::Announced { .. } => {}
            Self::Custom(check) => check.apply(body, found),
        }
    }

    fn conditional_any(&self, body: &Map, update: bool, found: &mut Violations) {
        let Self::ConditionalAtLeastOneOf {
            if_field,
            if_match,
            then_any,
            then_err,
            else_any,
            else_err,
        } = self
        else {
            return;
        };
        let value = lookup(body, if_field).unwrap_or(&Value::Null);
        let matched = found.get(if_field).is_none() && if_match.accepts(value);
        let (fields, err) = if matched {
            (then_any, then_err)
        } else {
            (else_any, else_err)
        };
        if !fields.is_empty() && count(body, fields) == 0 {
            found.add_entity(match err {
                Some(template) => template.replace("%s", &quoted(fields)),
                None => at_least_one(fields, update),
            });
        }
    }
}

impl CustomCheck {
    fn apply(&self, body: &Map, found: &mut Violations) {
        if !self.run_with_invalid_fields
            && self.fields.iter().any(|field| found.get(field).is_some())
        {
            return;
        }
        if !self.run_with_missing_fields {
            let missing: Vec<&&str> = self
                .fields
                .iter()
                .filter(|field| lookup(body, field).is_none())
                .collect();
            if !missing.is_empty() {
                // Only a check that runs with wrong members gets here with one of them told of.
                for field in missing {
                    if found.get(field).is_none() {
                        found.add(field, NEEDED);
                    }
                }
                return;
            }
        }
        if let Err(failure) = (self.run)(body) {
            failure
                .entity
                .into_iter()
                .for_each(|message| found.add_entity(message));
            failure
                .fields
                .into_iter()
                .for_each(|(path, message)| found.add(&path, message));
        }
    }
}

impl Condition {
    /// Whether a value satisfies the condition.
    fn accepts(&self, value: &Value) -> bool {
        if value.is_null() {
            return !self.required && self.rules.iter().all(null_accepted);
        }
        let elements = value.as_array().map_or(&[][..], Vec::as_slice);
        self.rules.iter().all(|rule| rule.fault(value).is_none())
            && elements
                .iter()
                .all(|item| self.elements.iter().all(|rule| rule.fault(item).is_none()))
    }
}

/// Rules other than equality say nothing about a null.
fn null_accepted(rule: &Rule) -> bool {
    match rule {
        Rule::Eq(wanted) => wanted.is_null(),
        Rule::Ne(unwanted) => !unwanted.is_null(),
        _ => true,
    }
}

/// Whether the guard of a conditional check holds. A guard that is absent is reported, and one
/// that is wrong does not hold.
fn holds(condition: &Condition, field: &str, body: &Map, found: &mut Violations) -> bool {
    match lookup(body, field) {
        None => {
            let within_absent_record = field
                .rsplit_once('.')
                .is_some_and(|(record, _)| lookup(body, record).is_none_or(|v| !v.is_object()));
            // Compat: what is already said about a member of a nested record stays.
            let is_said = field.contains('.') && found.get(field).is_some();
            if !within_absent_record && !is_said {
                found.add(field, NEEDED);
            }
            false
        }
        // A null guard says nothing, unless null is what the condition asks for.
        Some(Value::Null) => condition
            .rules
            .iter()
            .any(|rule| matches!(rule, Rule::Eq(Value::Null))),
        Some(value) => found.get(field).is_none() && condition.accepts(value),
    }
}

/// What is wrong with the guarded member. Its own rules count as well; a rule of the condition
/// takes the place of the field's rule of that sort.
fn then_fault(base: Option<&Field>, then: &Condition, value: &Value) -> Option<Violation> {
    if value.is_null() {
        if let Some(rule) = then.rules.iter().find(|rule| !null_accepted(rule)) {
            return rule.fault(value).map(Violation::Text);
        }
        return then.required.then(|| Violation::Text(REQUIRED.to_owned()));
    }
    let Some(base) = base else {
        return then
            .rules
            .iter()
            .find_map(|rule| rule.fault(value))
            .map(Violation::Text);
    };
    let mut merged = base.clone();
    for rule in &then.rules {
        merged.rules.retain(|own| own.rank() != rule.rank());
        merged = merged.rule(rule.clone());
    }
    Validation { update: false }.value(&merged, value)
}

/// The description of the member at a dotted path.
fn find<'a>(schema: &'a Schema, path: &str) -> Option<&'a Field> {
    match path.split_once('.') {
        None => schema.find(path),
        Some((head, rest)) => match &schema.find(head)?.kind {
            FieldKind::Record(inner) => find(inner, rest),
            _ => None,
        },
    }
}

fn failed(if_field: &str) -> String {
    format!("failed conditional validation given value of field '{if_field}'")
}

fn at_least_one(fields: &[&'static str], update: bool) -> String {
    let prefix = if update { "when updating, " } else { "" };
    format!(
        "{prefix}at least one of these fields must be non-empty: {}",
        quoted(fields)
    )
}

fn quoted(fields: &[&'static str]) -> String {
    fields
        .iter()
        .map(|field| format!("'{field}'"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// How many of the members are non-empty.
fn count(body: &Map, fields: &[&'static str]) -> usize {
    fields
        .iter()
        .filter(|field| lookup(body, field).is_some_and(is_set))
        .count()
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn repeats(body: &Map, fields: &[&'static str]) -> bool {
    let values: Vec<&Value> = fields
        .iter()
        .filter_map(|field| lookup(body, field))
        .filter(|v| is_set(v))
        .collect();
    values
        .iter()
        .enumerate()
        .any(|(at, value)| values[..at].iter().any(|earlier| same(earlier, value)))
}
