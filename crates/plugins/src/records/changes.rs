//! What is done to the parts of a message: taken out, renamed, replaced, added, appended.

use schema::{DecodeError, Field, Pattern, Reader, Schema};
use serde_json::{Value, json};

use super::pairs::split;

/// What is done, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Remove,
    Rename,
    Replace,
    Add,
    Append,
}

/// A part of a message to which it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Body,
    Headers,
    Json,
    Query,
}

/// The records of all actions, each with the members `lists` gives it.
pub(crate) fn actions(lists: impl Fn(Action) -> Vec<Field>) -> [Field; 5] {
    let record = |name, action, description| {
        Field::record(name, Schema::record(lists(action)))
            .required()
            .describe(description)
    };
    [
        record("remove", Action::Remove, "What is taken out."),
        record("rename", Action::Rename, "What gets another name."),
        record(
            "replace",
            Action::Replace,
            "What gets another value if it is there.",
        ),
        record("add", Action::Add, "What is added if it is not there."),
        record("append", Action::Append, "What is added in any case."),
    ]
}

/// A list that may be empty but is always there.
pub(crate) fn list(name: &'static str, elements: Field, description: &'static str) -> Field {
    Field::array(name, elements)
        .required()
        .default(json!([]))
        .describe(description)
}

/// What an action does to a part, one text for each change.
pub(crate) fn changes(action: Action, part: Part, elements: Field) -> Field {
    list(part.name(), elements, description(action, part))
}

/// A text with a name before its first colon.
pub(crate) fn pair() -> Field {
    Field::string("").matches(Pattern::new("^[^:]+:.*$", "(?s)^[^:]+:.*$"))
}

impl Part {
    /// The name in configurations.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Headers => "headers",
            Self::Json => "json",
            Self::Query => "querystring",
        }
    }
}

fn description(action: Action, part: Part) -> &'static str {
    macro_rules! at {
        ($place:literal) => {
            match action {
                Action::Remove => concat!("Taken out: names ", $place, "."),
                Action::Rename => concat!("Renamed: `old:new` ", $place, "."),
                Action::Replace => concat!("Replaced where present: `name:value` ", $place, "."),
                Action::Add => concat!("Added where absent: `name:value` ", $place, "."),
                Action::Append => concat!("Added in any case: `name:value` ", $place, "."),
            }
        };
    }
    match part {
        Part::Body => at!("of the body"),
        Part::Headers => at!("among the headers"),
        Part::Json => at!("of the JSON body"),
        Part::Query => at!("of the query"),
    }
}

/// What is done to one part of a message, in this order. Pairs are name and value.
#[derive(Clone, Debug)]
pub(crate) struct Changes<V> {
    /// Names taken out.
    pub(crate) remove: Vec<String>,
    /// Old and new names.
    pub(crate) rename: Vec<(String, String)>,
    /// New values for what is there.
    pub(crate) replace: Vec<(String, V)>,
    /// Values for what is not there.
    pub(crate) add: Vec<(String, V)>,
    /// Further values.
    pub(crate) append: Vec<(String, V)>,
}

impl<V> Changes<V> {
    /// Whether nothing is done.
    pub(crate) fn is_empty(&self) -> bool {
        self.remove.is_empty()
            && self.rename.is_empty()
            && self.replace.is_empty()
            && self.add.is_empty()
            && self.append.is_empty()
    }
}

/// The texts of a list in the record of an action.
pub(crate) fn texts(
    read: &Reader<'_>,
    action: &'static str,
    list: &'static str,
) -> Result<Vec<String>, DecodeError> {
    let record = read.members(action)?.cloned().unwrap_or_default();
    Reader::new("plugins", &record).texts(list)
}

/// The same, as names and what follows their colon.
pub(crate) fn pairs(
    read: &Reader<'_>,
    action: &'static str,
    list: &'static str,
) -> Result<Vec<(String, String)>, DecodeError> {
    let owned = |text: &String| {
        let (name, value) = split(text);
        (name.to_owned(), value.to_owned())
    };
    Ok(texts(read, action, list)?.iter().map(owned).collect())
}

/// Appends to a member of a JSON object.
///
/// Compat: a value that is neither text, list nor object is replaced, and an object gets a member
/// with the next number as its name.
pub(crate) fn append(member: &mut Value, value: Value) {
    match member {
        Value::Array(list) => list.push(value),
        Value::Object(members) => {
            let free = (1..).map(|number| number.to_string());
            let name = free.into_iter().find(|name| !members.contains_key(name));
            members.insert(name.unwrap_or_default(), value);
        }
        Value::String(_) => *member = Value::Array(vec![member.take(), value]),
        _ => *member = Value::Array(vec![value]),
    }
}
