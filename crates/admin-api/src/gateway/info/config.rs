//! `/config`: the whole configuration of a node without a database.

use declarative::{Accepted, Document, Format, Limits, error_body};
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::submitted::{Submitted, read};
use crate::gateway::answer::Reply;
use crate::gateway::facts::{Declared, LoadError};
use crate::gateway::fault::Fault;

/// What a node with a database answers.
const NEEDS_NO_DATABASE: &str =
    "this endpoint is only available when Kong is configured to not use a database";

/// `GET /config`, and `POST` to a node with a database.
pub(super) fn get(declared: Option<&dyn Declared>) -> Result<Value, Fault> {
    let declared = declared.ok_or_else(|| Fault::bad_request(NEEDS_NO_DATABASE))?;
    Ok(json!({"config": declared.export()}))
}

/// `POST /config`.
///
/// Compat: Kong Gateway 3.9.3 for transports, statuses and bodies. Where that one fails with an
/// unexpected error (a list instead of a map, an alias of itself) the answer here is 400.
pub(in crate::gateway) async fn submit(
    declared: &dyn Declared,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Reply, Fault> {
    let submitted = read(query, headers, body)?;
    let Submitted {
        document,
        is_flat,
        checks_hash,
    } = submitted;
    let (document, text) = match document {
        Source::Value(value) => (Document::from_value(value), None),
        Source::Text(text) => {
            if checks_hash && declared.is_active(&text) {
                return Ok(Reply::unmodified());
            }
            match Document::parse(text.as_bytes(), Format::Auto, Limits::default()) {
                Ok(document) if document.value().is_object() => (document, Some(text)),
                Ok(_) => return Err(unparsable("expected an object", is_flat)),
                Err(error) if error.message == declarative::NOT_AN_OBJECT => {
                    return Err(unparsable(&error.message, is_flat));
                }
                Err(error) => {
                    let (line, column) = (error.line, error.column);
                    let text = format!("{line}:{column}: {}", error.message);
                    // Compat: a text that cannot be read has no flattened errors.
                    return Err(unparsable(&text, false));
                }
            }
        }
        Source::NotText => {
            let text = "config: bad argument #1 to 'parser' (must provide a string argument)";
            return Err(unparsable(text, is_flat));
        }
        Source::Missing => return Err(unparsable("expected an object", is_flat)),
    };
    let accepted = Accepted::of(&document);
    match declared.load(document, text.as_deref()).await {
        Ok(config) => Ok(Reply::json(StatusCode::CREATED, accepted.body(&config))),
        Err(error) => Err(refuse(&error, is_flat)),
    }
}

/// Where the document of a request is.
#[derive(Debug)]
pub(super) enum Source {
    /// The JSON body itself.
    Value(Value),
    /// YAML or JSON text.
    Text(String),
    /// A field `config` that is no text, or empty.
    NotText,
    /// No document at all in a form that has other fields.
    Missing,
}

fn refuse(error: &LoadError, is_flat: bool) -> Fault {
    match error {
        LoadError::Invalid(problems) => {
            Reply::json(StatusCode::BAD_REQUEST, error_body(problems, is_flat)).into()
        }
        LoadError::Busy => {
            let text = "Currently loading previous configuration";
            let reply = Reply::message(StatusCode::TOO_MANY_REQUESTS, text);
            reply
                .with(RETRY_AFTER, HeaderValue::from_static("1"))
                .into()
        }
        LoadError::Fault(reason) => Fault::unexpected(reason),
        LoadError::Stopping => Fault::message(StatusCode::SERVICE_UNAVAILABLE, "exiting"),
    }
}

fn unparsable(reason: &str, is_flat: bool) -> Fault {
    let text = format!("failed parsing declarative configuration: {reason}");
    let mut body = json!({
        "message": format!("declarative config is invalid: {{error=\"{text}\"}}"),
        "name": "invalid declarative configuration",
        "code": 14,
        "fields": {"error": text},
    });
    if is_flat {
        body["flattened_errors"] = json!([]);
    }
    Reply::json(StatusCode::BAD_REQUEST, body).into()
}
