//! The secrets of a store, by key.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use identity::{Action, Principal};
use serde_json::{Value, json};

use super::super::paging::Page;
use super::super::problem::Problem;
use super::super::{ApiState, guard};
use super::{DEFAULT_PAGE, plane, texts, uuid};
use crate::planes::Secret;

pub(in super::super) async fn list(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path((id, store)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let plane = plane(&state, &principal, &id, Action::Read).await?;
    let store = uuid(&store)?;
    let secrets = state.planes.secrets(plane.id, store).await?;
    let ids: Vec<_> = secrets.iter().map(|secret| secret.id).collect();
    let page = Page::read(query.as_deref(), &ids, DEFAULT_PAGE).map_err(Problem::invalid)?;
    let path = format!(
        "/v2/control-planes/{}/config-stores/{store}/secrets",
        plane.id
    );
    let data: Vec<_> = page.of(&secrets).iter().map(show).collect();
    let meta = json!({"page": page.links(&ids, &path)});
    Ok(Json(json!({"data": data, "meta": meta})).into_response())
}

pub(in super::super) async fn create(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path((id, store)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let plane = plane(&state, &principal, &id, Action::Create).await?;
    let store = uuid(&store)?;
    let [key, value] = texts(&headers, &bytes, ["key", "value"])?;
    let actor = guard::actor(&principal);
    let written = state
        .planes
        .write_secret((plane.id, store), (&key, &value), false, actor);
    let (secret, _) = written.await?;
    Ok((StatusCode::CREATED, Json(show(&secret))).into_response())
}

pub(in super::super) async fn get(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path((id, store, key)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let plane = plane(&state, &principal, &id, Action::Read).await?;
    let secret = state.planes.secret(plane.id, uuid(&store)?, &key).await?;
    Ok(Json(show(&secret)).into_response())
}

pub(in super::super) async fn put(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path((id, store, key)): Path<(String, String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let plane = plane(&state, &principal, &id, Action::Update).await?;
    let store = uuid(&store)?;
    let [value] = texts(&headers, &bytes, ["value"])?;
    let actor = guard::actor(&principal);
    let written = state
        .planes
        .write_secret((plane.id, store), (&key, &value), true, actor);
    let (secret, is_new) = written.await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(show(&secret))).into_response())
}

pub(in super::super) async fn delete(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path((id, store, key)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let plane = plane(&state, &principal, &id, Action::Delete).await?;
    let actor = guard::actor(&principal);
    state
        .planes
        .delete_secret(plane.id, uuid(&store)?, &key, actor)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Compat: the value is never shown.
fn show(secret: &Secret) -> Value {
    json!({
        "key": secret.key,
        "created_at": clock::rfc3339_millis(secret.created_at * 1000),
        "updated_at": clock::rfc3339_millis(secret.updated_at * 1000),
    })
}
