//! `config-stores`: stores of secrets, and the secrets in them.
//!
//! A value goes in and never comes out again.

mod secrets;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use identity::{Action, Principal, ResourceKind};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::paging::Page;
use super::problem::Problem;
use super::{ApiState, body, guard, query};
use crate::error::InvalidParameter;
use crate::model::{ClusterType, ControlPlane};
use crate::planes::ConfigStore;

pub(super) use secrets::{
    create as create_secret, delete as delete_secret, get as get_secret, list as list_secrets,
    put as put_secret,
};

/// Items of a page when nothing is said.
const DEFAULT_PAGE: usize = 100;

pub(super) async fn list(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let plane = plane(&state, &principal, &id, Action::Read).await?;
    let stores = state.planes.config_stores(plane.id).await?;
    let ids: Vec<_> = stores.iter().map(|store| store.id).collect();
    let page = Page::read(query.as_deref(), &ids, DEFAULT_PAGE).map_err(Problem::invalid)?;
    let path = format!("/v2/control-planes/{}/config-stores", plane.id);
    let data: Vec<_> = page.of(&stores).iter().map(show).collect();
    let meta = json!({"page": page.links(&ids, &path)});
    Ok(Json(json!({"data": data, "meta": meta})).into_response())
}

pub(super) async fn create(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let plane = plane(&state, &principal, &id, Action::Create).await?;
    let [name] = texts(&headers, &bytes, ["name"])?;
    let actor = guard::actor(&principal);
    let written = state
        .planes
        .write_config_store(plane.id, None, &name, actor);
    Ok((StatusCode::CREATED, Json(show(&written.await?))).into_response())
}

pub(super) async fn get(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path((id, store)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let plane = plane(&state, &principal, &id, Action::Read).await?;
    let found = state.planes.config_store(plane.id, uuid(&store)?).await?;
    Ok(Json(show(&found)).into_response())
}

pub(super) async fn put(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path((id, store)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let plane = plane(&state, &principal, &id, Action::Update).await?;
    let store = uuid(&store)?;
    let [name] = texts(&headers, &bytes, ["name"])?;
    let actor = guard::actor(&principal);
    let written = state
        .planes
        .write_config_store(plane.id, Some(store), &name, actor);
    Ok(Json(show(&written.await?)).into_response())
}

pub(super) async fn delete(
    State(state): State<ApiState>,
    Extension(principal): Extension<Principal>,
    Path((id, store)): Path<(String, String)>,
    RawQuery(text): RawQuery,
) -> Result<Response, Problem> {
    let plane = plane(&state, &principal, &id, Action::Delete).await?;
    let store = uuid(&store)?;
    let pairs = query::pairs(text.as_deref());
    let is_forced = match query::value(&pairs, "force") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            let reason = "must be `true` or `false`";
            let fault = InvalidParameter::query("force", "is_boolean", reason);
            return Err(Problem::invalid(vec![fault]));
        }
    };
    let actor = guard::actor(&principal);
    state
        .planes
        .delete_config_store(plane.id, store, is_forced, actor)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn show(store: &ConfigStore) -> Value {
    json!({
        "id": store.id,
        "name": store.name,
        "created_at": clock::rfc3339_millis(store.created_at * 1000),
        "updated_at": clock::rfc3339_millis(store.updated_at * 1000),
    })
}

/// The control plane, if the caller may do this to its configuration and it has one of its own.
async fn plane(
    state: &ApiState,
    principal: &Principal,
    id: &str,
    action: Action,
) -> Result<ControlPlane, Problem> {
    let kind = ResourceKind::Configuration;
    let plane = guard::plane(&state.planes, principal, id, action, kind).await?;
    if plane.cluster_type == ClusterType::Group && action != Action::Read {
        let detail = "The control plane is a group and read-only; write to its members";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    Ok(plane)
}

fn uuid(text: &str) -> Result<Uuid, Problem> {
    let missing = |_| Problem::new(StatusCode::NOT_FOUND, "No config store with this id");
    Uuid::try_parse(text).map_err(missing)
}

/// The members of a body, all of which must be there and be texts; others are not known.
fn texts<const N: usize>(
    headers: &HeaderMap,
    bytes: &Bytes,
    names: [&str; N],
) -> Result<[String; N], Problem> {
    let members: Map<String, Value> = body::object(headers, bytes, false)?;
    let mut found = body::unknown(&members, &names);
    let texts = names.map(|name| match members.get(name) {
        Some(Value::String(text)) => text.clone(),
        None => {
            found.push(InvalidParameter::body(name, "required", "must be given"));
            String::new()
        }
        Some(_) => {
            found.push(InvalidParameter::body(
                name,
                "is_string",
                "must be a string",
            ));
            String::new()
        }
    });
    if found.is_empty() {
        Ok(texts)
    } else {
        Err(Problem::invalid(found))
    }
}
