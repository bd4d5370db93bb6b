//! `/v2/control-planes`: the control planes themselves, and the older list that decK reads.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use identity::{Action, Principal, Resource, ResourceKind};
use serde_json::json;

use super::problem::Problem;
use super::query::{self, PlaneQuery};
use super::{ApiState, body, guard, object};

/// Compat: decK reads the first page without parameters, then pages of 100.
const OLDER_LIST_PAGE: usize = 100;

pub(super) async fn list(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    permit_list(&principal)?;
    let query = PlaneQuery::read(query.as_deref()).map_err(Problem::invalid)?;
    let mut planes = state.planes.list(principal.organisation).await?;
    planes.retain(|plane| query.matches(plane));
    query.order(&mut planes);
    let data: Vec<_> = planes
        .iter()
        .skip((query.number - 1).saturating_mul(query.size))
        .take(query.size)
        .map(|plane| object::control_plane(plane, state.planes.geo()))
        .collect();
    let page = json!({"number": query.number, "size": query.size, "total": planes.len()});
    Ok(Json(json!({"data": data, "meta": {"page": page}})).into_response())
}

pub(super) async fn create(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let resource = Resource::of_organisation(ResourceKind::ControlPlane, principal.organisation);
    if !identity::permits(&principal, Action::Create, &resource) {
        return Err(Problem::forbidden());
    }
    let members = body::object(&headers, &bytes, true)?;
    let new = body::create(&members).map_err(Problem::invalid)?;
    let plane = state.planes.create(principal.organisation, new).await?;
    let shown = object::control_plane(&plane, state.planes.geo());
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

pub(super) async fn get(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let plane = state.plane(&principal, &id, Action::Read).await?;
    Ok(Json(object::control_plane(&plane, state.planes.geo())).into_response())
}

pub(super) async fn patch(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let plane = state.plane(&principal, &id, Action::Update).await?;
    let members = body::object(&headers, &bytes, false)?;
    let patch = body::patch(&members).map_err(Problem::invalid)?;
    let plane = state
        .planes
        .patch(principal.organisation, plane.id, patch)
        .await?;
    Ok(Json(object::control_plane(&plane, state.planes.geo())).into_response())
}

pub(super) async fn delete(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let plane = state.plane(&principal, &id, Action::Delete).await?;
    let actor = guard::actor(&principal);
    state
        .planes
        .delete(principal.organisation, plane.id, actor)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Compat: `GET {geo}/konnect-api/api/runtime_groups`, how decK finds a control plane by name.
pub(super) async fn older_list(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    permit_list(&principal)?;
    let pairs = query::pairs(query.as_deref());
    let mut found = Vec::new();
    let bounds = (1, OLDER_LIST_PAGE, query::MAX_PAGE);
    let size = query::number(&pairs, "size", bounds, &mut found);
    let number = query::number(&pairs, "page", (1, 1, usize::MAX), &mut found);
    if !found.is_empty() {
        return Err(Problem::invalid(found));
    }
    let planes = state.planes.list(principal.organisation).await?;
    let data: Vec<_> = planes
        .iter()
        .skip((number - 1).saturating_mul(size))
        .take(size)
        .map(|plane| json!({"id": plane.id, "name": plane.name}))
        .collect();
    let pages = planes.len().div_ceil(size).max(1);
    Ok(Json(json!({"data": data, "page": number, "pageCount": pages})).into_response())
}

fn permit_list(principal: &Principal) -> Result<(), Problem> {
    let resource = Resource::of_organisation(ResourceKind::ControlPlane, principal.organisation);
    if identity::permits(principal, Action::Read, &resource) {
        Ok(())
    } else {
        Err(Problem::forbidden())
    }
}
