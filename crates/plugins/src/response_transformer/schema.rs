//! Configuration of `response-transformer`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

use super::rules;
use crate::records::changes::{self, Action, Changes, Part, pair, pairs, texts};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("response-transformer").fields(changes::actions(lists))
}

fn lists(action: Action) -> Vec<Field> {
    let (json, headers) = match action {
        Action::Remove => (Field::string(""), Field::string("")),
        Action::Rename => {
            let names = pair().custom("key_colon_header_name", rules::header_names);
            (pair(), names)
        }
        Action::Replace | Action::Add | Action::Append => (pair(), pair()),
    };
    let mut lists = vec![changes::changes(action, Part::Json, json)];
    if !matches!(action, Action::Remove | Action::Rename) {
        lists.push(changes::list(
            "json_types",
            Field::string("").one_of(["boolean", "number", "string"]),
            "Kinds of the JSON values, in the same order.",
        ));
    }
    lists.push(changes::changes(action, Part::Headers, headers));
    lists
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// What is done to headers; values are texts.
    pub(super) headers: Changes<String>,
    /// What is done to the members of a JSON body.
    pub(super) json: Changes<Value>,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let with_value = |action: &'static str| {
            let pairs = pairs(&read, action, "headers")?;
            Ok::<_, DecodeError>(pairs.into_iter().filter(|(_, value)| !value.is_empty()))
        };
        Ok(Self {
            headers: Changes {
                remove: texts(&read, "remove", "headers")?,
                rename: pairs(&read, "rename", "headers")?,
                replace: with_value("replace")?.collect(),
                add: with_value("add")?.collect(),
                append: with_value("append")?.collect(),
            },
            json: Changes {
                remove: texts(&read, "remove", "json")?,
                rename: pairs(&read, "rename", "json")?,
                replace: members(&read, "replace")?,
                add: members(&read, "add")?,
                append: members(&read, "append")?,
            },
        })
    }
}

/// Pairs whose values have the kinds that stand beside them.
fn members(read: &Reader<'_>, action: &'static str) -> Result<Vec<(String, Value)>, DecodeError> {
    let kinds = texts(read, action, "json_types")?;
    let pairs = pairs(read, action, "json")?;
    let cast = |(at, (name, value)): (usize, (String, String))| {
        let value = match kinds.get(at).map(String::as_str) {
            Some("boolean") => Value::Bool(value == "true"),
            // Compat: a text that is no number takes the member away.
            Some("number") => number(&value),
            _ => Value::String(value),
        };
        (name, value)
    };
    Ok(pairs.into_iter().enumerate().map(cast).collect())
}

fn number(text: &str) -> Value {
    let text = text.trim();
    let whole = text.parse::<i64>().map(Value::from);
    let float = || text.parse::<f64>().map_or(Value::Null, Value::from);
    whole.unwrap_or_else(|_| float())
}
