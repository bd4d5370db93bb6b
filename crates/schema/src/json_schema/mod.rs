//! The JSON Schema of a description.
//!
//! It states what a client may send and what it gets back: kinds, defaults, rules that have a
//! counterpart in JSON Schema, names that are going away. Checks over several members and most
//! rules in code stay with the validator, so a body that fits may still be refused; one that does
//! not fit is refused.

mod members;
mod rules;

use serde_json::{Map, Value, json};

use crate::field::Schema;
use crate::shorthand::Expansion;
use members::{alias, member, needs};

/// The dialect of all documents.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

impl Schema {
    /// A JSON Schema document (2020-12) of what the API accepts and gives back. It stands as a
    /// component of an OpenAPI 3.1 document as it is.
    #[must_use]
    pub fn json_schema(&self) -> Value {
        let mut document = Map::new();
        document.insert("$schema".to_owned(), Value::from(DIALECT));
        if !self.name.is_empty() {
            document.insert("title".to_owned(), Value::from(self.name));
        }
        document.extend(record(self, &[]));
        Value::Object(document)
    }
}

/// The form of a record. `covered` are dotted paths inside it that an alias further out may stand
/// for, so that they need not be there themselves.
fn record(schema: &Schema, covered: &[&str]) -> Map<String, Value> {
    let mut covered = covered.to_vec();
    covered.extend(schema.shorthands.iter().filter_map(|item| {
        let Expansion::Into(path) = item.expansion else {
            return None;
        };
        Some(path)
    }));
    let mut properties = Map::new();
    for field in &schema.fields {
        let prefix = format!("{}.", field.name);
        let below: Vec<&str> = covered
            .iter()
            .filter_map(|path| path.strip_prefix(&prefix))
            .collect();
        properties.insert(field.name.to_owned(), member(field, &below));
    }
    for shorthand in &schema.shorthands {
        properties.insert(shorthand.field.name.to_owned(), alias(shorthand));
    }
    let mut form = Map::new();
    form.insert("type".to_owned(), json!("object"));
    form.insert("properties".to_owned(), Value::Object(properties));
    require(schema, &covered, &mut form);
    form.insert("additionalProperties".to_owned(), Value::Bool(false));
    form
}

/// What must be there: all of the required members, or an alias that stands for several.
fn require(schema: &Schema, covered: &[&str], form: &mut Map<String, Value>) {
    let is_covered = |name: &str| covered.contains(&name);
    let required: Vec<&str> = schema
        .fields
        .iter()
        .filter(|field| needs(field, covered) && !is_covered(field.name))
        .map(|field| field.name)
        .collect();
    if required.is_empty() {
        return;
    }
    let mut ways = vec![json!({"required": required})];
    for shorthand in &schema.shorthands {
        if matches!(shorthand.expansion, Expansion::Code(_)) {
            ways.push(json!({"required": [shorthand.field.name]}));
        }
    }
    if ways.len() == 1 {
        form.insert("required".to_owned(), json!(required));
    } else {
        form.insert("anyOf".to_owned(), Value::Array(ways));
    }
}
