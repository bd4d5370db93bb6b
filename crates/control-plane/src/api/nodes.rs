//! `nodes` and `expected-config-hash`: what nodes run, and what they should run.

use axum::Json;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use identity::{Action, Principal, ResourceKind};
use serde_json::json;
use uuid::Uuid;

use super::legacy::Legacy;
use super::{ApiState, eol, object, query};
use crate::model::ControlPlane;

/// Items of a page when nothing is said, and at most.
const PAGE: (usize, usize, usize) = (1, 100, 1000);

pub(super) async fn list(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Legacy> {
    let plane = plane(&state, &principal, &id, Action::Read).await?;
    let pairs = query::pairs(query.as_deref());
    let mut found = Vec::new();
    let size = query::number(&pairs, "page[size]", PAGE, &mut found);
    let after = match query::value(&pairs, "page[after]") {
        None | Some("") => None,
        Some(text) => Some(Uuid::try_parse(text).map_err(|_| {
            let message = "must be the `next` of the page before".to_owned();
            Legacy::invalid([("page[after]".to_owned(), message)])
        })?),
    };
    if !found.is_empty() {
        let faults = found.into_iter().map(|fault| (fault.field, fault.reason));
        return Err(Legacy::invalid(faults));
    }
    let nodes = state.planes.nodes(plane.id);
    let total = nodes.len();
    let mut rest = nodes
        .iter()
        .filter(|node| after.is_none_or(|after| node.id > after));
    let shown: Vec<_> = rest.by_ref().take(size).collect();
    let mut page = json!({"total_count": total});
    if let (Some(last), Some(_), Some(members)) = (shown.last(), rest.next(), page.as_object_mut())
    {
        members.insert("next".to_owned(), json!(last.id));
    }
    let items: Vec<_> = shown.into_iter().map(object::node).collect();
    Ok(Json(json!({"items": items, "page": page})).into_response())
}

pub(super) async fn get(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path((id, node)): Path<(String, String)>,
) -> Result<Response, Legacy> {
    let plane = plane(&state, &principal, &id, Action::Read).await?;
    let node = state.planes.node(plane.id, uuid(&node)?)?;
    Ok(Json(json!({"item": object::node(&node)})).into_response())
}

pub(super) async fn delete(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path((id, node)): Path<(String, String)>,
) -> Result<Response, Legacy> {
    let plane = plane(&state, &principal, &id, Action::Delete).await?;
    state.planes.delete_node(plane.id, uuid(&node)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Nodes whose release is no longer maintained.
pub(super) async fn end_of_life(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Legacy> {
    let plane = plane(&state, &principal, &id, Action::Read).await?;
    let now = clock::unix_seconds();
    let items: Vec<_> = state
        .planes
        .nodes(plane.id)
        .into_iter()
        .filter_map(|node| {
            let message = eol::message(&node.version, now)?;
            Some(json!({"node_id": node.id, "node_version": node.version, "message": message}))
        })
        .collect();
    let page = json!({"total_count": items.len()});
    Ok(Json(json!({"items": items, "page": page})).into_response())
}

pub(super) async fn expected_hash(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Legacy> {
    let plane = plane(&state, &principal, &id, Action::Read).await?;
    let expected = state.hashes.expected(plane.id).await.map_err(|error| {
        tracing::error!(%error, "the expected hash cannot be computed");
        Legacy::new(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
    })?;
    let updated = expected.updated_at.unwrap_or(plane.created_at / 1000);
    let body = json!({
        "expected_hash": expected.hash,
        "created_at": plane.created_at / 1000,
        "updated_at": updated,
    });
    Ok(Json(body).into_response())
}

/// Compat: for nodes that take changes instead of whole configurations.
pub(super) async fn expected_version(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Legacy> {
    let plane = plane(&state, &principal, &id, Action::Read).await?;
    let version = state.planes.version(plane.id).await?;
    let body = json!({
        "expected_config_version": version.to_string(),
        "created_at": plane.created_at / 1000,
    });
    Ok(Json(body).into_response())
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
