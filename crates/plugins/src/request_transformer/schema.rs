//! Configuration of `request-transformer`.

use schema::{DecodeError, Field, Pattern, Reader, Schema};
use serde_json::{Map, Value};

use super::rules;
use crate::records::changes::{self, Action, Changes, Part, pair, pairs};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("request-transformer")
        .field(
            Field::string("http_method")
                .matches(Pattern::new("^%u+$", "^[A-Z]+$"))
                .describe("Method the service sees."),
        )
        .fields(changes::actions(lists))
}

fn lists(action: Action) -> Vec<Field> {
    let text = || Field::string("");
    let (fields, headers) = match action {
        Action::Remove => (
            text(),
            text().custom("header_name_when_static", rules::header),
        ),
        Action::Rename => (
            text().custom("key_colon_new_name", rules::pair_with_value),
            pair().custom("key_colon_header_name", rules::header_names),
        ),
        Action::Replace | Action::Add | Action::Append => (
            text().custom("key_colon_value", rules::pair_with_value),
            pair().custom("key_colon_value_header", rules::header_pair),
        ),
    };
    let mut lists = vec![
        changes::changes(action, Part::Body, fields.clone()),
        changes::changes(action, Part::Headers, headers),
        changes::changes(action, Part::Query, fields),
    ];
    if action == Action::Replace {
        lists.push(Field::string("uri").describe("Path the service sees."));
    }
    lists
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Method the service sees.
    pub(super) method: Option<String>,
    /// Path the service sees.
    pub(super) path: Option<String>,
    /// What is done to headers.
    pub(super) headers: Changes<String>,
    /// What is done to the query.
    pub(super) query: Changes<String>,
    /// What is done to the body.
    pub(super) body: Changes<String>,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let replace = read.members("replace")?.cloned().unwrap_or_default();
        Ok(Self {
            method: read.text("http_method")?,
            path: Reader::new("plugins", &replace).text("uri")?,
            headers: of_part(&read, Part::Headers)?,
            query: of_part(&read, Part::Query)?,
            body: of_part(&read, Part::Body)?,
        })
    }
}

fn of_part(read: &Reader<'_>, part: Part) -> Result<Changes<String>, DecodeError> {
    let list = |action| pairs(read, action, part.name());
    Ok(Changes {
        remove: list("remove")?.into_iter().map(|(name, _)| name).collect(),
        rename: list("rename")?,
        replace: list("replace")?,
        add: list("add")?,
        append: list("append")?,
    })
}
