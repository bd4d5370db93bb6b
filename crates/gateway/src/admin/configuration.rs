//! `/config`: the whole configuration of a node without a database.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use declarative::{Accepted, Config, Document, Format, Limits, Problem, error_body};
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};
use serde_json::{Value, json};

use super::submitted::{Submitted, read};
use crate::surface::{Answer, Call, message};

/// The outcome of taking a configuration into use.
pub type LoadFuture<'a> = Pin<Box<dyn Future<Output = Result<Arc<Config>, LoadError>> + Send + 'a>>;

/// Why a configuration was not taken into use. The running one is untouched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Another configuration is being taken into use.
    #[error("another configuration is being loaded")]
    Busy,
    /// The node failed; it is not the configuration's fault.
    #[error("{0}")]
    Fault(String),
    /// It is wrong.
    #[error("{} violations", .0.len())]
    Invalid(Vec<Problem>),
    /// The node is ending.
    #[error("the node is ending")]
    Stopping,
}

/// Takes whole configurations into use. The node's intake implements it.
pub trait Load: Send + Sync + 'static {
    /// Validates, keeps and activates a document, all or nothing.
    fn load(&self, document: Document, hash: String) -> LoadFuture<'_>;

    /// The hash of the active configuration, if any.
    fn active_hash(&self) -> Option<String>;

    /// The active configuration as YAML, with every default filled in.
    fn export(&self) -> String;
}

/// `GET /config`.
pub(super) fn get(load: &dyn Load) -> Answer {
    Answer::json(StatusCode::OK, &json!({"config": load.export()}))
}

/// `POST /config`.
///
/// Compat: Kong Gateway 3.9.3 for transports, statuses and bodies. Where that one fails with an
/// unexpected error (a list instead of a map, an alias of itself) the answer here is 400.
pub(super) async fn post(load: &dyn Load, call: &Call) -> Answer {
    let submitted = match read(call) {
        Ok(submitted) => submitted,
        Err(answer) => return *answer,
    };
    let Submitted {
        document,
        is_flat,
        checks_hash,
    } = submitted;
    let (document, hash) = match document {
        Source::Value(value) => {
            let hash = wire::md5_hex(value.to_string().as_bytes());
            (Document::from_value(value), hash)
        }
        Source::Text(text) => {
            let hash = wire::md5_hex(text.as_bytes());
            if checks_hash && load.active_hash().as_deref() == Some(hash.as_str()) {
                return Answer::empty(StatusCode::NOT_MODIFIED);
            }
            match Document::parse(text.as_bytes(), Format::Auto, Limits::default()) {
                Ok(document) if document.value().is_object() => (document, hash),
                Ok(_) => return unparsable("expected an object", is_flat),
                Err(error) if error.message == declarative::NOT_AN_OBJECT => {
                    return unparsable(&error.message, is_flat);
                }
                Err(error) => {
                    let (line, column) = (error.line, error.column);
                    let text = format!("{line}:{column}: {}", error.message);
                    // Compat: a text that cannot be read has no flattened errors.
                    return unparsable(&text, false);
                }
            }
        }
        Source::NotText => {
            let text = "config: bad argument #1 to 'parser' (must provide a string argument)";
            return unparsable(text, is_flat);
        }
        Source::Missing => return unparsable("expected an object", is_flat),
    };
    let accepted = Accepted::of(&document);
    match load.load(document, hash).await {
        Ok(config) => Answer::json(StatusCode::CREATED, &accepted.body(&config)),
        Err(error) => refuse(&error, is_flat),
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

fn refuse(error: &LoadError, is_flat: bool) -> Answer {
    match error {
        LoadError::Invalid(problems) => {
            Answer::json(StatusCode::BAD_REQUEST, &error_body(problems, is_flat))
        }
        LoadError::Busy => {
            let text = "Currently loading previous configuration";
            let mut answer = message(StatusCode::TOO_MANY_REQUESTS, text);
            answer
                .headers
                .insert(RETRY_AFTER, HeaderValue::from_static("1"));
            answer
        }
        LoadError::Fault(reason) => {
            tracing::error!(%reason, "a configuration could not be taken into use");
            let text = "An unexpected error occurred";
            message(StatusCode::INTERNAL_SERVER_ERROR, text)
        }
        LoadError::Stopping => message(StatusCode::SERVICE_UNAVAILABLE, "exiting"),
    }
}

fn unparsable(reason: &str, is_flat: bool) -> Answer {
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
    Answer::json(StatusCode::BAD_REQUEST, &body)
}
