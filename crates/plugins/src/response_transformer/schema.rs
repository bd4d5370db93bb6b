//! Configuration of `response-transformer`.

use schema::{DecodeError, Field, Pattern, Reader, Schema};
use serde_json::{Map, Value, json};

use super::rules;
use crate::records::pairs::split;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("response-transformer").fields([
        Field::record("remove", remove())
            .required()
            .describe("What is taken out."),
        Field::record("rename", rename())
            .required()
            .describe("What gets another name."),
        Field::record("replace", replace())
            .required()
            .describe("What gets another value if it is there."),
        Field::record("add", add())
            .required()
            .describe("What is added if it is not there."),
        Field::record("append", append())
            .required()
            .describe("What is added in any case."),
    ])
}

fn remove() -> Schema {
    Schema::record([
        Field::array("json", Field::string(""))
            .required()
            .default(json!([]))
            .describe("Taken out: names of the JSON body."),
        Field::array("headers", Field::string(""))
            .required()
            .default(json!([]))
            .describe("Taken out: names among the headers."),
    ])
}

fn rename() -> Schema {
    Schema::record([
        Field::array(
            "json",
            Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$")),
        )
        .required()
        .default(json!([]))
        .describe("Renamed: `old:new` of the JSON body."),
        Field::array(
            "headers",
            Field::string("")
                .matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$"))
                .custom("key_colon_header_name", rules::header_names),
        )
        .required()
        .default(json!([]))
        .describe("Renamed: `old:new` among the headers."),
    ])
}

fn replace() -> Schema {
    Schema::record([
        Field::array(
            "json",
            Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$")),
        )
        .required()
        .default(json!([]))
        .describe("Replaced where present: `name:value` of the JSON body."),
        Field::array(
            "json_types",
            Field::string("").one_of(["boolean", "number", "string"]),
        )
        .required()
        .default(json!([]))
        .describe("Kinds of the JSON values, in the same order."),
        Field::array(
            "headers",
            Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$")),
        )
        .required()
        .default(json!([]))
        .describe("Replaced where present: `name:value` among the headers."),
    ])
}

fn add() -> Schema {
    Schema::record([
        Field::array(
            "json",
            Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$")),
        )
        .required()
        .default(json!([]))
        .describe("Added where absent: `name:value` of the JSON body."),
        Field::array(
            "json_types",
            Field::string("").one_of(["boolean", "number", "string"]),
        )
        .required()
        .default(json!([]))
        .describe("Kinds of the JSON values, in the same order."),
        Field::array(
            "headers",
            Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$")),
        )
        .required()
        .default(json!([]))
        .describe("Added where absent: `name:value` among the headers."),
    ])
}

fn append() -> Schema {
    Schema::record([
        Field::array(
            "json",
            Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$")),
        )
        .required()
        .default(json!([]))
        .describe("Added in any case: `name:value` of the JSON body."),
        Field::array(
            "json_types",
            Field::string("").one_of(["boolean", "number", "string"]),
        )
        .required()
        .default(json!([]))
        .describe("Kinds of the JSON values, in the same order."),
        Field::array(
            "headers",
            Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$")),
        )
        .required()
        .default(json!([]))
        .describe("Added in any case: `name:value` among the headers."),
    ])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// What is done to headers; values are texts.
    pub(super) headers: Changes<String>,
    /// What is done to the members of a JSON body.
    pub(super) json: Changes<Value>,
}

/// What is done to one part of an answer, in this order. Pairs are name and value.
#[derive(Clone, Debug)]
pub(super) struct Changes<V> {
    /// Names taken out.
    pub(super) remove: Vec<String>,
    /// Old and new names.
    pub(super) rename: Vec<(String, String)>,
    /// New values for what is there.
    pub(super) replace: Vec<(String, V)>,
    /// Values for what is not there.
    pub(super) add: Vec<(String, V)>,
    /// Further values.
    pub(super) append: Vec<(String, V)>,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let texts = |action: &'static str| {
            let pairs = pairs(&read, action, "headers")?;
            Ok::<_, DecodeError>(pairs.into_iter().filter(|(_, value)| !value.is_empty()))
        };
        Ok(Self {
            headers: Changes {
                remove: names(&read, "headers")?,
                rename: pairs(&read, "rename", "headers")?,
                replace: texts("replace")?.collect(),
                add: texts("add")?.collect(),
                append: texts("append")?.collect(),
            },
            json: Changes {
                remove: names(&read, "json")?,
                rename: pairs(&read, "rename", "json")?,
                replace: members(&read, "replace")?,
                add: members(&read, "add")?,
                append: members(&read, "append")?,
            },
        })
    }
}

fn list(
    read: &Reader<'_>,
    action: &'static str,
    part: &'static str,
) -> Result<Vec<String>, DecodeError> {
    let record = read.members(action)?.cloned().unwrap_or_default();
    Reader::new("plugins", &record).texts(part)
}

fn names(read: &Reader<'_>, part: &'static str) -> Result<Vec<String>, DecodeError> {
    list(read, "remove", part)
}

fn pairs(
    read: &Reader<'_>,
    action: &'static str,
    part: &'static str,
) -> Result<Vec<(String, String)>, DecodeError> {
    let owned = |text: &String| {
        let (name, value) = split(text);
        (name.to_owned(), value.to_owned())
    };
    Ok(list(read, action, part)?.iter().map(owned).collect())
}

/// Pairs whose values have the kinds that stand beside them.
fn members(read: &Reader<'_>, action: &'static str) -> Result<Vec<(String, Value)>, DecodeError> {
    let kinds = list(read, action, "json_types")?;
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
