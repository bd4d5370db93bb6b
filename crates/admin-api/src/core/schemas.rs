//! Descriptions of entities, and checks against them without writing.

use axum::Json;
use axum::response::{IntoResponse, Response};
use entities::EntityKind;
use http::Method;
use serde_json::{Value, json};

use super::call::Call;
use super::error::CoreError;

/// The JSON schema of a kind, from which clients take defaults.
pub(super) fn json(kind: &EntityKind) -> Value {
    kind.json_schema()
}

/// Checks an entity without writing it.
pub(super) async fn validate(call: &Call<'_>, kind: &EntityKind) -> Result<Response, CoreError> {
    if *call.method != Method::POST {
        return Err(CoreError::MethodNotAllowed("POST"));
    }
    let body = call.object()?;
    call.entities.check(call.scope, kind, body).await?;
    Ok(Json(json!({"message": "schema validation successful"})).into_response())
}
