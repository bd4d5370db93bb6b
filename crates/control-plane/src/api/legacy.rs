//! Errors of the gateway-configuration APIs: a plain `application/json` body with a message.
//!
//! Compat: certificates, nodes and hashes of a control plane use this older form.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::error::PlaneError;

/// The number that stands for an invalid argument in the older form.
const INVALID_ARGUMENT: u32 = 3;

/// An error in the older form.
#[derive(Clone, Debug)]
pub struct Legacy {
    status: StatusCode,
    body: Value,
}

impl Legacy {
    /// An error with only a message.
    #[must_use]
    pub fn new(status: StatusCode, message: &str) -> Self {
        let body = json!({"message": message});
        Self { status, body }
    }

    /// No token, or one that is not good.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            body: json!({"message": "Unauthorized", "status": 401}),
        }
    }

    /// Fields that break rules, as pairs of path and message.
    #[must_use]
    pub fn invalid(faults: impl IntoIterator<Item = (String, String)>) -> Self {
        let details: Vec<_> = faults
            .into_iter()
            .map(|(field, message)| {
                json!({"type": "ERROR_TYPE_FIELD", "field": field, "messages": [message]})
            })
            .collect();
        Self {
            status: StatusCode::BAD_REQUEST,
            body: json!({
                "code": INVALID_ARGUMENT,
                "message": "validation error",
                "details": details,
            }),
        }
    }
}

impl IntoResponse for Legacy {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

impl From<PlaneError> for Legacy {
    fn from(error: PlaneError) -> Self {
        match error {
            PlaneError::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "Not Found"),
            PlaneError::NameTaken { .. } => Self::new(StatusCode::CONFLICT, "Conflict"),
            PlaneError::Invalid(found) => {
                Self::invalid(found.into_iter().map(|fault| (fault.field, fault.reason)))
            }
            PlaneError::Damaged(_) | PlaneError::Store(_) => {
                tracing::error!(%error, "a control-plane request failed");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            }
        }
    }
}
