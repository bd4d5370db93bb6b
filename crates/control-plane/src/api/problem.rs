//! Errors of the platform's APIs: `application/problem+json`.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::error::{InvalidParameter, PlaneError};

/// Compat: the answer's header under which clients log the number that `instance` repeats.
pub const TRACE_HEADER: HeaderName = HeaderName::from_static("x-datadog-trace-id");

/// An answer that says what went wrong.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    inner: Box<Inner>,
}

#[derive(Clone, Debug)]
struct Inner {
    title: &'static str,
    detail: String,
    invalid_parameters: Vec<InvalidParameter>,
    extra: Map<String, Value>,
}

impl Problem {
    /// A problem with the usual title of its status.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let inner = Inner {
            title: title(status),
            detail: detail.into(),
            invalid_parameters: Vec::new(),
            extra: Map::new(),
        };
        Self {
            status,
            inner: Box::new(inner),
        }
    }

    /// A request that breaks rules, each of which is named.
    #[must_use]
    pub fn invalid(found: Vec<InvalidParameter>) -> Self {
        let place = if found.iter().any(|fault| fault.source == "body") {
            "request body"
        } else {
            "request"
        };
        let mut problem = Self::new(
            StatusCode::BAD_REQUEST,
            format!("The {place} has invalid values"),
        );
        problem.inner.invalid_parameters = found;
        problem
    }

    /// No token, or one that is not good. Which of the two is not told.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "A valid token is required: send `Authorization: Bearer <token>`",
        )
    }

    /// The caller may see it but not do this to it.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "The caller may not do this")
    }

    /// A missing thing, or one of somebody else: the two cannot be told apart.
    #[must_use]
    pub fn missing(noun: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("No {noun} with this id"))
    }

    /// Replaces the title.
    ///
    /// Compat: the identity APIs name some statuses differently from the control planes'.
    #[must_use]
    pub fn titled(mut self, title: &'static str) -> Self {
        self.inner.title = title;
        self
    }

    /// Adds a member of our own.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.inner.extra.insert(member.to_owned(), value);
        self
    }
}

/// Compat: titles as the reference's control-planes API has them.
fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "Unauthenticated",
        StatusCode::FORBIDDEN => "Permission denied",
        other => other.canonical_reason().unwrap_or("Error"),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let trace = u64::from_be_bytes(clock::random_bytes::<8>()).to_string();
        let mut body = json!({
            "status": self.status.as_u16(),
            "title": self.inner.title,
            "type": format!("https://httpstatuses.com/{}", self.status.as_u16()),
            "instance": format!("konnect:trace:{trace}"),
            "detail": self.inner.detail,
        });
        if let Value::Object(members) = &mut body {
            if !self.inner.invalid_parameters.is_empty() {
                members.insert(
                    "invalid_parameters".to_owned(),
                    json!(self.inner.invalid_parameters),
                );
            }
            members.extend(self.inner.extra);
        }
        let content_type = HeaderValue::from_static("application/problem+json");
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, content_type)],
            body.to_string(),
        )
            .into_response();
        if let Ok(value) = HeaderValue::from_str(&trace) {
            response.headers_mut().insert(TRACE_HEADER, value);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<PlaneError> for Problem {
    fn from(error: PlaneError) -> Self {
        match error {
            PlaneError::NotFound { noun, .. } => Self::missing(noun),
            PlaneError::NameTaken { .. } => Self::new(StatusCode::CONFLICT, error.to_string()),
            PlaneError::Invalid(found) => Self::invalid(found),
            PlaneError::Damaged(_) | PlaneError::Store(_) => {
                tracing::error!(%error, "a control-plane request failed");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The records cannot be reached now; try again",
                )
            }
        }
    }
}
