//! Configuration of `request-transformer`.

use schema::{DecodeError, Field, Pattern, Reader, Schema};
use serde_json::{Map, Value, json};

use super::rules;
use crate::records::pairs::split;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("request-transformer").fields([
        Field::string("http_method")
            .matches(Pattern::new("^%u+$", "^[A-Z]+$"))
            .describe("Method the service sees."),
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
        Field::array("body", Field::string(""))
            .required()
            .default(json!([]))
            .describe("Taken out: names of the body."),
        Field::array(
            "headers",
            Field::string("").custom("header_name_when_static", rules::header),
        )
        .required()
        .default(json!([]))
        .describe("Taken out: names among the headers."),
        Field::array("querystring", Field::string(""))
            .required()
            .default(json!([]))
            .describe("Taken out: names of the query."),
    ])
}

fn rename() -> Schema {
    Schema::record([
        Field::array(
            "body",
            Field::string("").custom("key_colon_new_name", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Renamed: `old:new` of the body."),
        Field::array(
            "headers",
            Field::string("")
                .matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$"))
                .custom("key_colon_header_name", rules::header_names),
        )
        .required()
        .default(json!([]))
        .describe("Renamed: `old:new` among the headers."),
        Field::array(
            "querystring",
            Field::string("").custom("key_colon_new_name", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Renamed: `old:new` of the query."),
    ])
}

fn replace() -> Schema {
    Schema::record([
        Field::array(
            "body",
            Field::string("").custom("key_colon_value", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Replaced where present: `name:value` of the body."),
        Field::array(
            "headers",
            Field::string("")
                .matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$"))
                .custom("key_colon_value_header", rules::header_pair),
        )
        .required()
        .default(json!([]))
        .describe("Replaced where present: `name:value` among the headers."),
        Field::array(
            "querystring",
            Field::string("").custom("key_colon_value", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Replaced where present: `name:value` of the query."),
        Field::string("uri").describe("Path the service sees."),
    ])
}

fn add() -> Schema {
    Schema::record([
        Field::array(
            "body",
            Field::string("").custom("key_colon_value", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Added where absent: `name:value` of the body."),
        Field::array(
            "headers",
            Field::string("")
                .matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$"))
                .custom("key_colon_value_header", rules::header_pair),
        )
        .required()
        .default(json!([]))
        .describe("Added where absent: `name:value` among the headers."),
        Field::array(
            "querystring",
            Field::string("").custom("key_colon_value", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Added where absent: `name:value` of the query."),
    ])
}

fn append() -> Schema {
    Schema::record([
        Field::array(
            "body",
            Field::string("").custom("key_colon_value", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Added in any case: `name:value` of the body."),
        Field::array(
            "headers",
            Field::string("")
                .matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$"))
                .custom("key_colon_value_header", rules::header_pair),
        )
        .required()
        .default(json!([]))
        .describe("Added in any case: `name:value` among the headers."),
        Field::array(
            "querystring",
            Field::string("").custom("key_colon_value", rules::pair_with_value),
        )
        .required()
        .default(json!([]))
        .describe("Added in any case: `name:value` of the query."),
    ])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Method the service sees.
    pub(super) method: Option<String>,
    /// Path the service sees.
    pub(super) path: Option<String>,
    /// What is done to headers.
    pub(super) headers: Changes,
    /// What is done to the query.
    pub(super) query: Changes,
    /// What is done to the body.
    pub(super) body: Changes,
}

/// What is done to one part of a request, in this order. Pairs are name and value.
#[derive(Clone, Debug)]
pub(super) struct Changes {
    /// Names taken out.
    pub(super) remove: Vec<String>,
    /// Old and new names.
    pub(super) rename: Vec<(String, String)>,
    /// New values for what is there.
    pub(super) replace: Vec<(String, String)>,
    /// Values for what is not there.
    pub(super) add: Vec<(String, String)>,
    /// Further values.
    pub(super) append: Vec<(String, String)>,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let replace = read.members("replace")?.cloned().unwrap_or_default();
        Ok(Self {
            method: read.text("http_method")?,
            path: Reader::new("plugins", &replace).text("uri")?,
            headers: changes(&read, "headers")?,
            query: changes(&read, "querystring")?,
            body: changes(&read, "body")?,
        })
    }
}

fn changes(read: &Reader<'_>, part: &'static str) -> Result<Changes, DecodeError> {
    let list = |action: &'static str| {
        let record = read.members(action)?.cloned().unwrap_or_default();
        let texts = Reader::new("plugins", &record).texts(part)?;
        let pair = |text: &String| {
            let (name, value) = split(text);
            (name.to_owned(), value.to_owned())
        };
        Ok::<Vec<_>, DecodeError>(texts.iter().map(pair).collect())
    };
    let remove = list("remove")?.into_iter().map(|(name, _)| name).collect();
    Ok(Changes {
        remove,
        rename: list("rename")?,
        replace: list("replace")?,
        add: list("add")?,
        append: list("append")?,
    })
}
