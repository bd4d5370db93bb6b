//! Group memberships and the state of a group's merged configuration.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use identity::{Action, Principal};
use serde_json::{Value, json};

use super::paging::Page;
use super::problem::Problem;
use super::{ApiState, body, object};
use crate::error::{InvalidParameter, PlaneError};
use crate::model::{ClusterType, ControlPlane};
use crate::planes::MemberChange;

/// Items of a page when nothing is said.
const DEFAULT_PAGE: usize = 10;

pub(super) async fn list(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let group = group(&state, &principal, &id, Action::Read).await?;
    let ids = state.planes.members(group.id).await?;
    let page = Page::read(query.as_deref(), &ids, DEFAULT_PAGE).map_err(Problem::invalid)?;
    let mut data = Vec::new();
    for id in page.of(&ids) {
        match state.planes.get(principal.organisation, *id).await {
            Ok(plane) => data.push(object::control_plane(&plane, state.planes.geo())),
            // Deleted between the two reads.
            Err(PlaneError::NotFound { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    let path = format!("/v2/control-planes/{}/group-memberships", group.id);
    let links = page.links(&ids, &path);
    Ok(Json(json!({"data": data, "meta": {"page": links}})).into_response())
}

pub(super) async fn set(
    state: State<ApiState>,
    principal: Extension<Principal>,
    id: Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    change(
        MemberChange::Set,
        &state,
        &principal,
        &id,
        body::object(&headers, &bytes, false),
    )
    .await
}

pub(super) async fn add(
    state: State<ApiState>,
    principal: Extension<Principal>,
    id: Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    change(
        MemberChange::Add,
        &state,
        &principal,
        &id,
        body::object(&headers, &bytes, false),
    )
    .await
}

pub(super) async fn remove(
    state: State<ApiState>,
    principal: Extension<Principal>,
    id: Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let members = body::object(&headers, &bytes, false);
    change(MemberChange::Remove, &state, &principal, &id, members).await
}

pub(super) async fn member_status(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let plane = state.plane(&principal, &id, Action::Read).await?;
    let groups = state
        .planes
        .groups_of(principal.organisation, plane.id)
        .await?;
    Ok(Json(json!({"is_member": !groups.is_empty()})).into_response())
}

/// The merged configuration is built anew for this answer, so that a conflict is seen before a
/// node of the group is there.
pub(super) async fn status(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let group = group(&state, &principal, &id, Action::Read).await?;
    if let Err(error) = state.hashes.expected(group.id).await {
        tracing::debug!(%error, "the configuration of a group cannot be merged");
    }
    let status = state.planes.group_status(group.id);
    let name = match &status {
        None => "UNKNOWN",
        Some(status) if status.conflicts.is_empty() => "OK",
        Some(_) => "CONFLICT",
    };
    let (created, updated) = status
        .as_ref()
        .map_or((group.created_at, group.updated_at), |known| {
            (known.created_at, known.updated_at)
        });
    let conflicts: Vec<Value> = status
        .into_iter()
        .flat_map(|known| known.conflicts)
        .map(|conflict| {
            json!({
                "cluster_id": conflict.member,
                "description": conflict.description,
                "resource": {"id": conflict.resource_id, "type": conflict.resource_type},
            })
        })
        .collect();
    let item = json!({
        "id": group.id,
        "state": name,
        "conflicts": conflicts,
        "created_at": clock::rfc3339_millis(created),
        "updated_at": clock::rfc3339_millis(updated),
    });
    Ok(Json(json!({"item": item})).into_response())
}

async fn change(
    change: MemberChange,
    state: &ApiState,
    principal: &Principal,
    id: &str,
    members: Result<serde_json::Map<String, Value>, Problem>,
) -> Result<Response, Problem> {
    let group = group(state, principal, id, Action::Update).await?;
    let ids = body::members(&members?).map_err(Problem::invalid)?;
    let planes = &state.planes;
    planes
        .change_members(principal.organisation, group.id, change, &ids)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn group(
    state: &ApiState,
    principal: &Principal,
    id: &str,
    action: Action,
) -> Result<ControlPlane, Problem> {
    let plane = state.plane(principal, id, action).await?;
    if plane.cluster_type == ClusterType::Group {
        return Ok(plane);
    }
    let mut fault = InvalidParameter::body("id", "invalid", "the control plane is not a group");
    fault.source = "path";
    Err(Problem::invalid(vec![fault]))
}
