//! Errors in the form of this dialect.
//!
//! Compat: `{"code", "message", "details": [{"type", "field", "messages"}]}`; other statuses have
//! a message only.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use schema::{Map, Violations};
use serde_json::{Value, json};
use store::StoreError;

use crate::entity::EntityError;

/// Compat: the number of an invalid argument, which the reference's older APIs are numbered by.
const INVALID_ARGUMENT: u32 = 3;
/// Seconds after which a caller may try again when the store was not available.
const RETRY_AFTER: &str = "1";

/// Errors of the core-entities API.
#[derive(Debug)]
pub enum CoreError {
    /// Of the entity itself.
    Entity(EntityError),
    /// No such path or entity.
    NotFound,
    /// The path does not know the method, but these.
    MethodNotAllowed(&'static str),
    /// Something else has the name.
    Conflict,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// The body is no JSON object.
    Unreadable(String),
    /// A query parameter is wrong.
    Query {
        /// The parameter.
        name: String,
        /// What is wrong.
        message: String,
    },
}

impl From<EntityError> for CoreError {
    fn from(error: EntityError) -> Self {
        match error {
            EntityError::NotFound => Self::NotFound,
            other => Self::Entity(other),
        }
    }
}

impl IntoResponse for CoreError {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => plain(StatusCode::NOT_FOUND, "Not Found"),
            Self::MethodNotAllowed(allowed) => {
                let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
                let allowed = HeaderValue::from_static(allowed);
                answer.headers_mut().insert(header::ALLOW, allowed);
                answer
            }
            Self::UnsupportedMediaType => plain(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body must be sent as `application/json`",
            ),
            Self::Conflict => plain(StatusCode::CONFLICT, "Conflict"),
            Self::Unreadable(reason) => {
                let message = format!("the body is not a JSON object: {reason}");
                let body = json!({"code": INVALID_ARGUMENT, "message": message, "details": []});
                (StatusCode::BAD_REQUEST, Json(body)).into_response()
            }
            Self::Query { name, message } => invalid(&[field(&name, &message)]),
            Self::Entity(error) => entity(&error),
        }
    }
}

fn entity(error: &EntityError) -> Response {
    match error {
        EntityError::Invalid(violations) => invalid(&details(violations)),
        EntityError::NotFound => plain(StatusCode::NOT_FOUND, "Not Found"),
        EntityError::ReadOnly(reason) => plain(StatusCode::FORBIDDEN, reason),
        EntityError::NoDatabase => plain(StatusCode::METHOD_NOT_ALLOWED, &error.to_string()),
        EntityError::Unresolved(unresolved) => {
            let all = unresolved.iter();
            let details = all.map(|one| reference(Some(one.field), &one.to_string()));
            constraint(&details.collect::<Vec<_>>())
        }
        EntityError::Store(error) => store(error),
    }
}

fn store(error: &StoreError) -> Response {
    match error {
        StoreError::Unique { kind, fields, .. } => constraint(&[taken(kind, fields)]),
        StoreError::PrimaryKey { .. } => constraint(&[reference(Some("id"), &error.to_string())]),
        StoreError::Foreign { field, .. } => {
            constraint(&[reference(Some(field), &error.to_string())])
        }
        StoreError::Referenced { .. } => constraint(&[reference(None, &error.to_string())]),
        StoreError::NotFound { .. } => plain(StatusCode::NOT_FOUND, "Not Found"),
        StoreError::Stale { .. } | StoreError::Moved { .. } => {
            plain(StatusCode::CONFLICT, "Conflict")
        }
        other => {
            tracing::error!(error = %other, "entities cannot be read or written");
            let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
            let seconds = HeaderValue::from_static(RETRY_AFTER);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
            response
        }
    }
}

/// A clash of values that only one row may hold.
fn taken(kind: &str, fields: &Map) -> Value {
    let held: Vec<_> = fields
        .iter()
        .filter(|(_, value)| !value.is_null())
        .collect();
    let values: Vec<_> = held
        .iter()
        .map(|(name, value)| format!("`{name}` = `{}`", shown(value)))
        .collect();
    let message = format!(
        "another row of `{kind}` has {} already",
        values.join(" and ")
    );
    reference(held.first().map(|(name, _)| name.as_str()), &message)
}

/// The violations as this dialect lists them, in the order of the entity's description.
fn details(violations: &Violations) -> Vec<Value> {
    let mut entity = Vec::new();
    let mut details = Vec::new();
    for (path, message) in violations.iter() {
        if path.is_empty() {
            entity.push(message.to_owned());
        } else {
            details.push(field(&path, message));
        }
    }
    if !entity.is_empty() {
        details.push(json!({"type": "ERROR_TYPE_ENTITY", "messages": entity}));
    }
    details
}

fn field(path: &str, message: &str) -> Value {
    json!({"type": "ERROR_TYPE_FIELD", "field": path, "messages": [message]})
}

fn reference(field: Option<&str>, message: &str) -> Value {
    let mut detail = json!({"type": "ERROR_TYPE_REFERENCE", "messages": [message]});
    if let (Some(field), Value::Object(members)) = (field, &mut detail) {
        members.insert("field".to_owned(), json!(field));
    }
    detail
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) if members.len() == 1 => {
            members.values().next().map(shown).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

fn invalid(details: &[Value]) -> Response {
    refuse("validation error", details)
}

fn constraint(details: &[Value]) -> Response {
    refuse("data constraint error", details)
}

fn refuse(message: &str, details: &[Value]) -> Response {
    let body = json!({"code": INVALID_ARGUMENT, "message": message, "details": details});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn plain(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"message": message}))).into_response()
}
