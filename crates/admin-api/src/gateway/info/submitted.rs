//! What a request to `/config` submits: body admission, transports, switches.

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::config::Source;
use crate::gateway::answer::Reply;
use crate::gateway::arguments::multipart;
use crate::gateway::fault::Fault;
use crate::gateway::query::{Query, pairs};

/// A submitted document with its switches.
#[derive(Debug)]
pub(super) struct Submitted {
    pub(super) document: Source,
    /// `flatten_errors`.
    pub(super) is_flat: bool,
    /// `check_hash`.
    pub(super) checks_hash: bool,
}

/// Reads a request.
pub(super) fn read(
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Submitted, Fault> {
    let query = Query::read(query)?;
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = kinds.next();
    if kinds.next().is_some() {
        return Err(Fault::bad_request("more than one Content-Type"));
    }
    let kind = kind.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let body = Body::admit(kind.as_deref(), body)?;
    let switch = |name: &str| {
        let in_query = query.text(name).map(str::to_owned);
        in_query.or_else(|| body.switch(name))
    };
    let is_flat = switch("flatten_errors")
        .is_some_and(|value| matches!(value.as_str(), "1" | "true" | "on" | "yes"));
    let checks_hash = switch("check_hash").is_some_and(|value| value == "1");
    let document = body.into_source()?;
    Ok(Submitted {
        document,
        is_flat,
        checks_hash,
    })
}

/// A body by its type.
enum Body {
    Empty,
    Fields(Vec<(String, String)>),
    Json(Value),
    Text(String),
}

impl Body {
    fn admit(kind: Option<&str>, bytes: &[u8]) -> Result<Self, Fault> {
        let unsupported = || Fault::from(Reply::page(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        let Some(kind) = kind else {
            return if bytes.is_empty() {
                Ok(Self::Empty)
            } else {
                Err(unsupported())
            };
        };
        if kind.starts_with("application/json") {
            let json = serde_json::from_slice(bytes).map(Self::Json);
            return json.map_err(|_| Fault::bad_request("Cannot parse JSON body"));
        }
        if kind.starts_with("application/x-www-form-urlencoded") {
            return Ok(Self::Fields(texts(pairs(bytes)?)));
        }
        if kind.starts_with("multipart/form-data") {
            return Ok(Self::Fields(texts(multipart::read(kind, bytes)?)));
        }
        if kind.starts_with("text/yaml") || kind.starts_with("application/yaml") {
            if bytes.is_empty() {
                return Ok(Self::Empty);
            }
            let text = String::from_utf8(bytes.to_vec());
            let not_text = "the body is not UTF-8; send text";
            return text
                .map(Self::Text)
                .map_err(|_| Fault::bad_request(not_text));
        }
        Err(unsupported())
    }

    fn switch(&self, name: &str) -> Option<String> {
        match self {
            Self::Fields(fields) => fields
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone()),
            // A document given as the body itself has no room for switches.
            Self::Json(value) if value.get("config").is_some() => match value.get(name)? {
                Value::String(text) => Some(text.clone()),
                Value::Bool(true) => Some("true".to_owned()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            },
            Self::Empty | Self::Json(_) | Self::Text(_) => None,
        }
    }

    fn into_source(self) -> Result<Source, Fault> {
        match self {
            Self::Empty => Err(Fault::bad_request("expected a declarative configuration")),
            Self::Text(text) => Ok(Source::Text(text)),
            Self::Fields(fields) => {
                let field = fields.into_iter().find(|(key, _)| key == "config");
                Ok(match field {
                    Some((_, text)) if text.is_empty() => Source::NotText,
                    Some((_, text)) => Source::Text(text),
                    None => Source::Missing,
                })
            }
            Self::Json(Value::Array(items)) if items.is_empty() => {
                Ok(Source::Value(Value::Object(serde_json::Map::new())))
            }
            Self::Json(mut value) => {
                let has_version = value.get("_format_version").is_some();
                let field = value.get_mut("config").map(Value::take);
                Ok(match field {
                    Some(Value::String(text)) if !has_version => Source::Text(text),
                    Some(_) if !has_version => Source::NotText,
                    _ if value.is_object() => Source::Value(value),
                    _ => Source::Missing,
                })
            }
        }
    }
}

/// Names and values as text; a name without `=` has an empty value.
fn texts(pairs: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Vec<(String, String)> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    pairs
        .into_iter()
        .map(|(name, value)| (text(name), text(value.unwrap_or_default())))
        .collect()
}
