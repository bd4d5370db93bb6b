//! Answers of the endpoints, and refusals.
//!
//! Compat: texts, statuses and header fields are those of the reference.

use bytes::Bytes;
use plugin_api::{Reply, ReplyBody};
use serde_json::{Map, Value, json};

use crate::outcall::escape;

/// What is wrong with what an application or the web application asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) error: &'static str,
    pub(super) description: String,
}

impl Problem {
    pub(super) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            error,
            description: description.into(),
        }
    }

    pub(super) fn bad_client() -> Self {
        Self::new("invalid_client", "Invalid client authentication")
    }

    pub(super) fn body(&self, state: Option<&str>) -> Value {
        let mut body = json!({"error": self.error, "error_description": self.description});
        if let Some(state) = state {
            body["state"] = state.into();
        }
        body
    }
}

/// What ends an endpoint without success.
#[derive(Debug)]
pub(super) enum Fault {
    Problem(Problem),
    /// The node cannot do it: no database, or it is away.
    Failure,
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// An answer of an endpoint.
pub(super) fn endpoint(status: u16, body: &Value) -> Reply {
    json_reply(status, body)
        .header("cache-control", "no-store")
        .header("pragma", "no-cache")
}

/// A refusal of a protected request, with its challenge.
pub(super) fn refusal(status: u16, problem: &Problem, challenge: Bytes) -> Reply {
    json_reply(status, &problem.body(None)).header("WWW-Authenticate", challenge)
}

fn json_reply(status: u16, body: &Value) -> Reply {
    Reply::with_body(status, ReplyBody::Raw(Bytes::from(body.to_string())))
        .header("Content-Type", "application/json; charset=utf-8")
}

/// A challenge that names what was wrong.
pub(super) fn challenge(realm: Option<&String>, problem: Option<(&str, &str)>) -> Bytes {
    let mut text = "Bearer".to_owned();
    if let Some(realm) = realm {
        text.push_str(&format!(" realm=\"{realm}\""));
    }
    if let Some((error, description)) = problem {
        text.push_str(&format!(
            " error=\"{error}\" error_description=\"{description}\""
        ));
    }
    text.into()
}

/// A redirect URI with parameters added to its query, or as its fragment.
pub(super) fn redirect(uri: &str, parameters: &Map<String, Value>, is_fragment: bool) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        if !text.is_empty() {
            text.push('&');
        }
        let value = match value {
            Value::String(value) => value.clone(),
            other => other.to_string(),
        };
        text.push_str(&escape(name));
        text.push('=');
        text.push_str(&escape(&value));
    }
    let separator = match (is_fragment, uri.contains('?')) {
        (true, _) => '#',
        (false, true) => '&',
        (false, false) => '?',
    };
    format!("{uri}{separator}{text}")
}
