//! Answers: documents, refusals, conflicts.

use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse, Response};
use declarative::{TextForm, render_minimal};
use entities::Catalogue;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderName, StatusCode};
use schema::Map;
use serde_json::{Value, json};
use store::Export;

use super::query::Form;

/// Compat: the number of an invalid argument, which the reference's older APIs are numbered by.
const INVALID_ARGUMENT: u32 = 3;

/// The version that a document shows.
const VERSION: HeaderName = HeaderName::from_static("x-gatehouse-version");

/// A configuration as a document.
pub(crate) async fn document(
    mut export: Export,
    catalogue: Arc<Catalogue>,
    form: Form,
    tags: Vec<String>,
) -> Response {
    let version = export.version;
    let work = move || {
        if !tags.is_empty() {
            for rows in export.tables.values_mut() {
                rows.retain(|row| has_tags(&row.open(), &tags));
            }
        }
        export.tables.retain(|_, rows| !rows.is_empty());
        let form = match form {
            Form::Yaml => TextForm::Yaml,
            Form::Json => TextForm::Json,
        };
        render_minimal(&export.tables, &catalogue, &tags, form)
    };
    let text = match tokio::task::spawn_blocking(work).await {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(%error, "writing a configuration as a document broke off");
            return fault(
                StatusCode::INTERNAL_SERVER_ERROR,
                "writing the document broke off",
            );
        }
    };
    let kind = match form {
        Form::Yaml => "application/yaml",
        Form::Json => "application/json",
    };
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(VERSION, HeaderValue::from(version));
    response
}

fn has_tags(row: &Map, tags: &[String]) -> bool {
    let own = row.get("tags").and_then(Value::as_array);
    let own: Vec<_> = own
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    tags.iter().all(|tag| own.contains(&tag.as_str()))
}

/// A document that is wrong.
pub(crate) fn refuse(problems: &[Value]) -> Response {
    let message = match problems.len() {
        1 => "the file has 1 problem; nothing was changed".to_owned(),
        count => format!("the file has {count} problems; nothing was changed"),
    };
    let body = json!({"code": INVALID_ARGUMENT, "message": message, "problems": problems});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// A plan that does not fit any more.
pub(super) fn conflict(message: &str, base_version: u64) -> Response {
    let body = json!({"message": message, "base_version": base_version});
    (StatusCode::CONFLICT, Json(body)).into_response()
}

/// Any other failure.
pub(crate) fn fault(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"message": message}))).into_response()
}
