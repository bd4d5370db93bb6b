//! The body with which a refused configuration is answered.
//!
//! Compat: `fields` mirrors the document; `flattened_errors` lists what can be attributed to an
//! entity, with that entity as submitted, and takes it out of `fields`.

use std::collections::HashMap;

use schema::table_text;
use serde_json::{Map, Value, json};

use crate::document::{NOT_AN_OBJECT, ParseError, Step};
use crate::problem::{Place, Problem, ProblemEntity};

/// The reference's error body (code 14) of these problems; `flatten` adds `flattened_errors`.
///
/// Compat: only the first sort of problem is shown: schemas, then uniqueness, then references.
#[must_use]
pub fn error_body(problems: &[Problem], flatten: bool) -> Value {
    let stage = problems
        .iter()
        .map(|problem| problem.place.stage())
        .min()
        .unwrap_or(0);
    let shown: Vec<&Problem> = problems
        .iter()
        .filter(|problem| problem.place.stage() == stage)
        .collect();
    if !flatten {
        return body(&fields(&shown), None);
    }
    // Compat: references that lead nowhere are reported in neither place when flattened.
    let (attributed, rest): (Vec<&Problem>, Vec<&Problem>) = shown
        .into_iter()
        .partition(|problem| is_attributed(problem));
    let rest: Vec<&Problem> = rest
        .into_iter()
        .filter(|problem| !matches!(problem.place, Place::Dangling { .. }))
        .collect();
    body(&fields(&rest), Some(flattened(&attributed)))
}

/// The reference's error body of a text that cannot be read.
#[must_use]
pub fn parse_error_body(error: &ParseError) -> Value {
    let why = if error.message == NOT_AN_OBJECT {
        error.message.clone()
    } else {
        format!("{}:{}: {}", error.line, error.column, error.message)
    };
    body(
        &json!({"error": format!("failed parsing declarative configuration: {why}")}),
        None,
    )
}

fn body(fields: &Value, flattened: Option<Value>) -> Value {
    let mut object = Map::new();
    object.insert("code".to_owned(), Value::from(14));
    object.insert(
        "name".to_owned(),
        Value::from("invalid declarative configuration"),
    );
    let message = format!("declarative config is invalid: {}", table_text(fields));
    object.insert("message".to_owned(), Value::from(message));
    object.insert("fields".to_owned(), fields.clone());
    if let Some(flattened) = flattened {
        object.insert("flattened_errors".to_owned(), flattened);
    }
    Value::Object(object)
}

fn is_attributed(problem: &Problem) -> bool {
    match problem.place {
        Place::Unique { nested, .. } => !nested,
        Place::Dangling { .. } => false,
        Place::Field | Place::Entity | Place::Twice => problem.entity.is_some(),
    }
}

/// The tree of messages.
fn fields(problems: &[&Problem]) -> Value {
    let mut root = Value::Object(Map::new());
    for problem in problems {
        match &problem.place {
            Place::Field | Place::Twice => {
                *slot(&mut root, &problem.steps) = Value::from(problem.message.clone());
            }
            Place::Entity => {
                let mut steps = problem.steps.clone();
                steps.push(Step::Member("@entity".to_owned()));
                append(slot(&mut root, &steps), &problem.message);
            }
            Place::Dangling { kind, key } => {
                let steps = [Step::Member((*kind).to_owned()), Step::Member(key.clone())];
                append(slot(&mut root, &steps), &problem.message);
            }
            Place::Unique { kind, index, .. } => {
                let steps = [Step::Member((*kind).to_owned()), Step::Element(*index)];
                *slot(&mut root, &steps) = Value::from(problem.message.clone());
            }
        }
    }
    root
}

/// The place that the steps lead to, made on the way; lists are padded with nulls.
fn slot<'a>(root: &'a mut Value, steps: &[Step]) -> &'a mut Value {
    let mut at = root;
    for step in steps {
        match step {
            Step::Member(name) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                at = &mut at[name.as_str()];
            }
            Step::Element(position) => {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                if let Value::Array(items) = at
                    && items.len() <= *position
                {
                    items.resize(*position + 1, Value::Null);
                }
                at = &mut at[*position];
            }
        }
    }
    at
}

fn append(list: &mut Value, message: &str) {
    if !list.is_array() {
        *list = Value::Array(Vec::new());
    }
    if let Value::Array(items) = list {
        items.push(Value::from(message));
    }
}

/// One entry for each entity, grouped by kind. An empty list is `{}`, as the reference has it.
fn flattened(problems: &[&Problem]) -> Value {
    let mut entries: Vec<(&ProblemEntity, Vec<&Problem>)> = Vec::new();
    let mut positions: HashMap<&str, usize> = HashMap::new();
    for problem in problems {
        let Some(entity) = problem.entity.as_deref() else {
            continue;
        };
        let position = *positions.entry(&entity.path).or_insert_with(|| {
            entries.push((entity, Vec::new()));
            entries.len() - 1
        });
        entries[position].1.push(problem);
    }
    if entries.is_empty() {
        return Value::Object(Map::new());
    }
    entries.sort_by(|left, right| left.0.kind.cmp(&right.0.kind));
    Value::Array(
        entries
            .into_iter()
            .map(|(entity, problems)| {
                let errors = in_order(problems).map(|problem| error_of(problem, entity));
                entry_of(entity, errors.collect())
            })
            .collect(),
    )
}

/// The problems of one entity. Compat: names and positions descending at every level, what is
/// wrong with a record as a whole after what is wrong inside it.
fn in_order(mut problems: Vec<&Problem>) -> impl Iterator<Item = &Problem> {
    problems.sort_by(|left, right| descending(right).cmp(descending(left)));
    problems.into_iter()
}

fn descending(problem: &Problem) -> impl Iterator<Item = (usize, &str)> {
    let whole = (problem.place == Place::Entity).then_some((0, "@entity"));
    let steps = problem.steps.iter().map(|step| match step {
        Step::Member(name) => (0, name.as_str()),
        Step::Element(position) => (*position, ""),
    });
    steps.chain(whole)
}

fn error_of(problem: &Problem, entity: &ProblemEntity) -> Value {
    let field = problem
        .steps
        .iter()
        .skip(entity.depth)
        .map(|step| match step {
            Step::Member(name) => name.clone(),
            Step::Element(position) => (position + 1).to_string(),
        })
        .collect::<Vec<_>>()
        .join(".");
    let message = problem.message.as_str();
    match problem.place {
        Place::Field => json!({"type": "field", "field": field, "message": message}),
        _ if field.is_empty() => json!({"type": "entity", "message": message}),
        _ => json!({"type": "entity", "field": field, "message": message}),
    }
}

fn entry_of(entity: &ProblemEntity, errors: Vec<Value>) -> Value {
    let mut entry = Map::new();
    let kind = entity.kind.strip_suffix('s').unwrap_or(&entity.kind);
    entry.insert("entity_type".to_owned(), Value::from(kind));
    let body = &entity.body;
    if let Some(id) = body.get("id").and_then(Value::as_str)
        && uuid::Uuid::try_parse(id).is_ok()
    {
        entry.insert("entity_id".to_owned(), Value::from(id));
    }
    if let Some(name) = body
        .get("name")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty())
    {
        entry.insert("entity_name".to_owned(), Value::from(name));
    }
    if let Some(Value::Array(tags)) = body.get("tags")
        && !tags.is_empty()
        && tags.iter().all(Value::is_string)
    {
        entry.insert("entity_tags".to_owned(), Value::Array(tags.clone()));
    }
    let mut body = body.clone();
    empty_lists(&mut body);
    entry.insert("entity".to_owned(), body);
    entry.insert("errors".to_owned(), Value::Array(errors));
    Value::Object(entry)
}

/// Compat: the reference writes an empty list as `{}` there.
fn empty_lists(value: &mut Value) {
    match value {
        Value::Array(items) if items.is_empty() => *value = Value::Object(Map::new()),
        Value::Array(items) => items.iter_mut().for_each(empty_lists),
        Value::Object(members) => members.values_mut().for_each(empty_lists),
        _ => {}
    }
}
