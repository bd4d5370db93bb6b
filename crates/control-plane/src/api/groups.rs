//! Group memberships and the state of a group's merged configuration.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use identity::{Action, Principal};
use serde_json::{Value, json};
use uuid::Uuid;

use super::problem::Problem;
use super::{ApiState, body, object, query};
use crate::error::{InvalidParameter, PlaneError};
use crate::model::{ClusterType, ControlPlane};
use crate::planes::MemberChange;

/// Items of a page when nothing is said, and at most.
const PAGE: (usize, usize, usize) = (1, 10, 1000);

pub(super) async fn list(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let group = group(&state, &principal, &id, Action::Read).await?;
    let ids = state.planes.members(group.id).await?;
    let pairs = query::pairs(query.as_deref());
    let mut found = Vec::new();
    let size = query::number(&pairs, "page[size]", PAGE, &mut found);
    let start = start(&pairs, &ids).unwrap_or_else(|fault| {
        found.push(fault);
        0
    });
    if !found.is_empty() {
        return Err(Problem::invalid(found));
    }
    let mut data = Vec::new();
    for id in ids.iter().skip(start).take(size) {
        match state.planes.get(principal.organisation, *id).await {
            Ok(plane) => data.push(object::control_plane(&plane, state.planes.geo())),
            // Deleted between the two reads.
            Err(PlaneError::NotFound { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    let path = format!(
        "/v2/control-planes/{}/group-memberships?page[size]={size}",
        group.id
    );
    let link = |position: usize| match position.checked_sub(1).and_then(|before| ids.get(before)) {
        Some(before) => format!("{path}&page[after]={before}"),
        None => path.clone(),
    };
    let end = start.saturating_add(size);
    let next = (end < ids.len()).then(|| link(end));
    let previous = (start > 0).then(|| link(start.saturating_sub(size)));
    let last = link(ids.len().saturating_sub(1) / size * size);
    let page = json!({
        "next": next, "previous": previous, "first": link(0), "last": last,
        "size": size, "total": ids.len(),
    });
    Ok(Json(json!({"data": data, "meta": {"page": page}})).into_response())
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

/// The position of the page's first member.
fn start(pairs: &[(String, String)], ids: &[Uuid]) -> Result<usize, InvalidParameter> {
    let position = |name: &str| match query::value(pairs, name) {
        None | Some("") => Ok(None),
        Some(text) => {
            let known = Uuid::try_parse(text).ok();
            let found = known.and_then(|known| ids.iter().position(|id| *id == known));
            let reason = "must be taken from the links of a page";
            found
                .map(Some)
                .ok_or_else(|| InvalidParameter::query(name, "invalid", reason))
        }
    };
    Ok(position("page[after]")?.map_or(0, |after| after + 1))
}
