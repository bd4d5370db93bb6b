//! Collections and single entities of any kind.

use axum::Json;
use axum::response::{IntoResponse, Response};
use entities::EntityKind;
use http::{Method, StatusCode};
use serde_json::json;

use super::call::Call;
use super::error::CoreError;
use super::table::Access;
use super::target::Nest;
use super::{links, members, query};

pub(super) async fn all(
    call: &Call<'_>,
    kind: &EntityKind,
    nest: &Nest<'_>,
) -> Result<Response, CoreError> {
    let Call {
        entities, scope, ..
    } = call;
    let is_full = nest.access() == Access::Full;
    match *call.method {
        Method::GET => {
            let parent = call.parent(nest).await?;
            let mut listing = query::read(kind, call.query)?;
            listing.parent = parent;
            let page = entities.list(scope, kind, &listing).await?;
            let mut answer = json!({"data": page.rows});
            query::add_links(&mut answer, &nest.path(), call.query, page.next);
            Ok(Json(answer).into_response())
        }
        Method::POST if is_full => {
            let parent = call.parent(nest).await?;
            let body = call.object()?;
            let written = entities.create(scope, kind, body, parent).await?;
            Ok((StatusCode::CREATED, Json(written.body)).into_response())
        }
        _ if is_full => Err(CoreError::MethodNotAllowed("GET, HEAD, POST")),
        _ => Err(CoreError::MethodNotAllowed("GET, HEAD")),
    }
}

pub(super) async fn one(
    call: &Call<'_>,
    kind: &EntityKind,
    key: &str,
    nest: &Nest<'_>,
) -> Result<Response, CoreError> {
    let Call {
        entities, scope, ..
    } = call;
    let is_full = nest.access() == Access::Full;
    match *call.method {
        Method::GET => {
            let parent = call.parent(nest).await?;
            let mut body = entities.get(scope, kind, key, parent).await?;
            let is_expanded = call.parameter("expand_partials").as_deref() == Some("true");
            if kind.name == "plugins" && is_expanded {
                links::expand(call, &mut body).await?;
            }
            if kind.name == "consumer_groups" {
                return members::group(call, body).await;
            }
            Ok(Json(body).into_response())
        }
        Method::PUT if is_full => {
            let parent = call.parent(nest).await?;
            let body = call.object()?;
            let written = entities.upsert(scope, kind, key, body, parent).await?;
            Ok(Json(written.body).into_response())
        }
        Method::DELETE if is_full => {
            let parent = call.parent(nest).await?;
            entities.delete(scope, kind, key, parent).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        _ if is_full => Err(CoreError::MethodNotAllowed("GET, HEAD, PUT, DELETE")),
        _ => Err(CoreError::MethodNotAllowed("GET, HEAD")),
    }
}
