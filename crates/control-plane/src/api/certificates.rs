//! `dp-client-certificates`: the certificates by which nodes prove themselves.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use identity::{Action, Principal, ResourceKind};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::legacy::Legacy;
use super::{ApiState, object};
use crate::model::{ControlPlane, Pinned};

pub(super) async fn list(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Legacy> {
    let plane = plane(&state, &principal, &id, Action::Read).await?;
    let pins = state.planes.pinned(plane.id).await?;
    let items: Vec<_> = pins.iter().map(object::certificate).collect();
    let page = json!({"total_count": items.len()});
    Ok(Json(json!({"items": items, "page": page})).into_response())
}

pub(super) async fn create(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Legacy> {
    let plane = plane(&state, &principal, &id, Action::Create).await?;
    let (cert, title) = read(&headers, &bytes)?;
    let pin = state.planes.pin(plane.id, &cert, &title).await?;
    Ok((StatusCode::CREATED, item(&pin)).into_response())
}

pub(super) async fn get(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path((id, certificate)): Path<(String, String)>,
) -> Result<Response, Legacy> {
    let plane = plane(&state, &principal, &id, Action::Read).await?;
    let pin = state
        .planes
        .pinned_by_id(plane.id, uuid(&certificate)?)
        .await?;
    Ok(item(&pin))
}

pub(super) async fn put(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path((id, certificate)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Legacy> {
    let plane = plane(&state, &principal, &id, Action::Update).await?;
    let certificate = uuid(&certificate)?;
    let (cert, title) = read(&headers, &bytes)?;
    let pin = state
        .planes
        .replace_pinned(plane.id, certificate, &cert, &title)
        .await?;
    Ok(item(&pin))
}

pub(super) async fn delete(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path((id, certificate)): Path<(String, String)>,
) -> Result<Response, Legacy> {
    let plane = plane(&state, &principal, &id, Action::Delete).await?;
    state.planes.unpin(plane.id, uuid(&certificate)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn item(pin: &Pinned) -> Response {
    Json(json!({"item": object::certificate(pin)})).into_response()
}

async fn plane(
    state: &ApiState,
    principal: &Principal,
    id: &str,
    action: Action,
) -> Result<ControlPlane, Legacy> {
    let kind = ResourceKind::Configuration;
    Ok(super::guard::plane(&state.planes, principal, id, action, kind).await?)
}

fn uuid(text: &str) -> Result<Uuid, Legacy> {
    Uuid::try_parse(text).map_err(|_| Legacy::new(StatusCode::NOT_FOUND, "Not Found"))
}

fn read(headers: &HeaderMap, bytes: &Bytes) -> Result<(String, String), Legacy> {
    let members = object_of(headers, bytes)?;
    let mut faults = Vec::new();
    let mut text = |name: &str| match members.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(_) => {
            faults.push((name.to_owned(), "expected a string".to_owned()));
            String::new()
        }
    };
    let (cert, title) = (text("cert"), text("title"));
    for name in members.keys() {
        if !matches!(
            name.as_str(),
            "cert" | "title" | "id" | "created_at" | "updated_at"
        ) {
            faults.push((name.clone(), "unknown field".to_owned()));
        }
    }
    if cert.is_empty() && faults.is_empty() {
        faults.push(("cert".to_owned(), "required field missing".to_owned()));
    }
    if faults.is_empty() {
        Ok((cert, title))
    } else {
        Err(Legacy::invalid(faults))
    }
}

pub(super) fn object_of(headers: &HeaderMap, bytes: &Bytes) -> Result<Map<String, Value>, Legacy> {
    let is_json = headers.get(header::CONTENT_TYPE).is_none_or(|value| {
        value.to_str().is_ok_and(|text| {
            let essence = text.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/json")
        })
    });
    if !is_json {
        let message = "the body must be sent as `application/json`";
        return Err(Legacy::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let message = format!("the body is not a JSON object: {error}");
        Legacy::new(StatusCode::BAD_REQUEST, &message)
    })
}
