//! Query parameters, pages and the links to the next one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::Map;
use serde_json::{Value, json};
use store::TagFilter;
use uuid::Uuid;

use super::answer::Reply;
use super::fault::Fault;
use super::path::escaped;

/// Compat: arguments of a query or form at most.
pub(super) const MAX_ARGUMENTS: usize = 1000;
/// Compat: entities of a page when nothing is said, and at most.
pub(super) const DEFAULT_SIZE: usize = 100;
const MAX_SIZE: usize = 1000;
/// Compat: tags of a filter at most.
const MAX_TAGS: usize = 5;

/// The parameters of a query, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    /// Names and values; a name without `=` has none. Invalid UTF-8 makes a value bad.
    pairs: Vec<(String, Argument)>,
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// Only the name was given.
    Bare,
    /// A text.
    Text(String),
    /// Bytes that are no text.
    Binary,
}

impl Query {
    /// Reads a query.
    pub(super) fn read(query: Option<&str>) -> Result<Self, Fault> {
        let pairs = pairs(query.unwrap_or_default().as_bytes())?;
        let pairs = pairs.into_iter().filter_map(|(name, value)| {
            let value = match value {
                None => Argument::Bare,
                Some(bytes) => String::from_utf8(bytes).map_or(Argument::Binary, Argument::Text),
            };
            Some((String::from_utf8(name).ok()?, value))
        });
        Ok(Self {
            pairs: pairs.collect(),
        })
    }

    /// All values of a parameter.
    pub(super) fn all(&self, name: &str) -> Vec<&Argument> {
        let named = self.pairs.iter().filter(|(own, _)| own == name);
        named.map(|(_, value)| value).collect()
    }

    /// The last value of a parameter.
    pub(super) fn last(&self, name: &str) -> Option<&Argument> {
        self.all(name).pop()
    }

    /// The last value of a parameter as text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.last(name)? {
            Argument::Text(text) => Some(text),
            Argument::Bare | Argument::Binary => None,
        }
    }

    /// Entities of a page.
    pub(super) fn size(&self) -> Result<usize, Fault> {
        let Some(given) = self.last("size") else {
            return Ok(DEFAULT_SIZE);
        };
        let number = match given {
            Argument::Text(text) => super::arguments::number(text),
            Argument::Bare | Argument::Binary => None,
        };
        let number = number.ok_or_else(|| Fault::size("size must be a number"))?;
        let size = number.as_u64().and_then(|size| usize::try_from(size).ok());
        size.filter(|size| (1..=MAX_SIZE).contains(size))
            .ok_or_else(|| Fault::size("size must be an integer between 1 and 1000"))
    }

    /// The parts of the offset: the key of the last row of the page before.
    pub(super) fn offset(&self) -> Result<Option<Vec<String>>, Fault> {
        let text = match self.last("offset") {
            None => return Ok(None),
            Some(Argument::Text(text)) => text.as_str(),
            Some(Argument::Bare | Argument::Binary) => "true",
        };
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| Fault::offset(text, "bad base64 encoding"))?;
        let key: Value =
            serde_json::from_slice(&bytes).map_err(|_| Fault::offset(text, "bad json encoding"))?;
        let parts = match key {
            Value::Array(parts) => parts,
            other => vec![other],
        };
        let text = |part: &Value| part.as_str().unwrap_or_default().to_owned();
        Ok(Some(parts.iter().map(text).collect()))
    }

    /// The filter by tags.
    ///
    /// Compat: `a,b` asks for rows with both, `a/b` for rows with either.
    pub(super) fn tags(&self) -> Result<Option<TagFilter>, Fault> {
        let invalid = || Fault::option("tags", "invalid filter syntax");
        let mut texts = Vec::new();
        for value in self.all("tags") {
            match value {
                Argument::Text(text) if text.is_empty() => {
                    return Err(Fault::option("tags", "cannot be null"));
                }
                Argument::Text(text) => texts.push(text.as_str()),
                Argument::Bare | Argument::Binary => return Err(invalid()),
            }
        }
        if texts.is_empty() {
            return Ok(None);
        }
        let text = texts.join(",");
        let (separator, is_any) = if text.contains('/') {
            ('/', true)
        } else {
            (',', false)
        };
        let is_bad = |char: char| char.is_control() || (is_any && char == ',');
        let tags: Vec<String> = text
            .split(separator)
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect();
        if tags.is_empty() || text.chars().any(is_bad) {
            return Err(invalid());
        }
        if tags.len() > MAX_TAGS {
            return Err(Fault::option("tags", "cannot query more than 5 tags"));
        }
        Ok(Some(if is_any {
            TagFilter::Any(tags)
        } else {
            TagFilter::All(tags)
        }))
    }
}

/// Names and values of form data, decoded; a name without `=` has no value.
pub(super) type Pairs = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Splits form data into names and values, both decoded.
///
/// Compat: more than 1,000 are refused.
pub(super) fn pairs(text: &[u8]) -> Result<Pairs, Fault> {
    let mut found = Vec::new();
    for part in text
        .split(|byte| *byte == b'&')
        .filter(|part| !part.is_empty())
    {
        if found.len() == MAX_ARGUMENTS {
            return Err(Fault::bad_request("Too many arguments"));
        }
        let mut halves = part.splitn(2, |byte| *byte == b'=');
        let name = super::path::decode(halves.next().unwrap_or_default());
        let value = halves.next().map(super::path::decode);
        found.push((name, value));
    }
    Ok(found)
}

/// Where the next page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) offset: String,
    pub(super) next: String,
}

/// The token of the page after a row.
pub(super) fn token(key: &[&str]) -> String {
    STANDARD.encode(json!(key).to_string())
}

/// The token of the page after a row with that id.
pub(super) fn token_of(id: Uuid) -> String {
    token(&[&id.to_string()])
}

/// The link to the next page of a path.
///
/// Compat: collections at the top repeat `tags` and `size`, others do not.
pub(super) fn link(path: &str, offset: String, repeat: Option<&Query>) -> Link {
    let mut next = format!("{path}?offset={}", escaped(&offset));
    if let Some(query) = repeat {
        if let [Argument::Text(tags)] = query.all("tags").as_slice() {
            next.push_str(&format!("&tags={}", escaped(tags)));
        }
        if let Some(size) = query.text("size") {
            next.push_str(&format!("&size={}", escaped(size)));
        }
    }
    Link { offset, next }
}

/// A page.
///
/// Compat: the last page has no `offset`.
pub(super) fn page(data: Value, link: Option<Link>) -> Reply {
    let mut body = Map::new();
    body.insert("data".to_owned(), data);
    let (offset, next) = link.map_or((None, None), |l| (Some(l.offset), Some(l.next)));
    body.insert("next".to_owned(), json!(next));
    if let Some(offset) = offset {
        body.insert("offset".to_owned(), json!(offset));
    }
    Reply::ok(body)
}
