//! What a request to `/config` submits: body admission, transports, switches.

use http::StatusCode;
use serde_json::Value;

use super::configuration::Source;
use super::form;
use crate::surface::{Answer, Call, message};

/// Limit: arguments of a query or form.
const ARGUMENTS_MAX: usize = 1000;

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
///
/// # Errors
///
/// The answer that refuses it.
pub(super) fn read(call: &Call) -> Result<Submitted, Box<Answer>> {
    let query = form::urlencoded(&call.query);
    let kind = call
        .headers
        .get("content-type")
        .map(|value| value.as_bytes());
    let kind = kind.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let body = Body::admit(kind.as_deref(), &call.body)?;
    if query.len() > ARGUMENTS_MAX || body.fields().is_some_and(|f| f.len() > ARGUMENTS_MAX) {
        return Err(refusal("Too many arguments"));
    }
    let switch = |name: &str| {
        let in_query = query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone());
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

fn refusal(text: &str) -> Box<Answer> {
    Box::new(message(StatusCode::BAD_REQUEST, text))
}

/// A body by its type.
enum Body {
    Empty,
    Fields(Vec<(String, String)>),
    Json(Value),
    Text(String),
}

impl Body {
    fn admit(kind: Option<&str>, bytes: &[u8]) -> Result<Self, Box<Answer>> {
        let Some(kind) = kind else {
            let unsupported = Answer::page(StatusCode::UNSUPPORTED_MEDIA_TYPE);
            return if bytes.is_empty() {
                Ok(Self::Empty)
            } else {
                Err(Box::new(unsupported))
            };
        };
        if kind.starts_with("application/json") {
            let json = serde_json::from_slice(bytes).map(Self::Json);
            return json.map_err(|_| refusal("Cannot parse JSON body"));
        }
        let text = || {
            let not_text = "the body is not UTF-8; send text";
            let text = String::from_utf8(bytes.to_vec());
            text.map_err(|_| refusal(not_text))
        };
        if kind.starts_with("application/x-www-form-urlencoded") {
            return Ok(Self::Fields(form::urlencoded(&text()?)));
        }
        if kind.starts_with("multipart/form-data") {
            return Ok(Self::Fields(form::multipart(kind, bytes)));
        }
        if kind.starts_with("text/yaml") || kind.starts_with("application/yaml") {
            return Ok(if bytes.is_empty() {
                Self::Empty
            } else {
                Self::Text(text()?)
            });
        }
        Err(Box::new(Answer::page(StatusCode::UNSUPPORTED_MEDIA_TYPE)))
    }

    fn fields(&self) -> Option<&Vec<(String, String)>> {
        match self {
            Self::Fields(fields) => Some(fields),
            Self::Empty | Self::Json(_) | Self::Text(_) => None,
        }
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

    fn into_source(self) -> Result<Source, Box<Answer>> {
        match self {
            Self::Empty => {
                let text = "expected a declarative configuration";
                Err(refusal(text))
            }
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
