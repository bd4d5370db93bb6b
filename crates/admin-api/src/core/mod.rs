//! The dialect of control planes: `/v2/control-planes/{id}/core-entities/…`.
//!
//! Compat: JSON only, PUT replaces or creates and always answers 200, there is no PATCH, and
//! errors have the older form with `details`.

mod endpoints;
mod error;
mod query;
mod schemas;
mod target;

#[cfg(test)]
mod tests;

use axum::body::Bytes;
use axum::extract::{Extension, OriginalUri, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use entities::EntityKind;
use http::{HeaderMap, Method, StatusCode, header};
use schema::Map;
use serde_json::{Value, json};

pub use endpoints::{Endpoint, endpoints};
pub use error::CoreError;

use crate::entity::{Entities, Parent};
use crate::scope::Scope;
use target::{Nest, Target};

/// The path of everything below, with the control plane's id as `{id}`.
pub const BASE: &str = "/v2/control-planes/{id}/core-entities";

/// The API of one geo. Whoever mounts it checks the caller and leaves a [`Scope`].
pub fn router(entities: Entities) -> Router {
    Router::new()
        .route("/v2/control-planes/{id}/core-entities/{*rest}", any(serve))
        .with_state(entities)
}

struct Call<'r> {
    entities: &'r Entities,
    scope: &'r Scope,
    method: &'r Method,
    headers: &'r HeaderMap,
    query: Option<&'r str>,
    body: &'r Bytes,
}

async fn serve(
    State(entities): State<Entities>,
    Extension(scope): Extension<Scope>,
    Path((_, rest)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    request: (Method, HeaderMap, Bytes),
) -> Result<Response, CoreError> {
    let (method, headers, body) = &request;
    // HEAD is GET; the server leaves the body out.
    let method = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    // Split before decoding, so that an encoded slash stays inside its segment.
    let raw = uri.path().split("/core-entities/").nth(1).unwrap_or(&rest);
    let segments = target::segments(raw).ok_or(CoreError::NotFound)?;
    let call = Call {
        entities: &entities,
        scope: &scope,
        method,
        headers,
        query: uri.query(),
        body,
    };
    match target::resolve(&segments, entities.catalogue()).ok_or(CoreError::NotFound)? {
        Target::Collection(kind, nest) => collection(&call, kind, nest).await,
        Target::Item(kind, key, nest) => item(&call, kind, &key, nest).await,
        Target::JsonSchema(kind) => read_only(&call, || kind.schema.json_schema()),
        Target::Form(kind) => read_only(&call, || kind.schema.admin_form()),
        Target::PluginForm(name) => {
            let form = schemas::plugin_form(entities.catalogue(), &name);
            let form = form.ok_or(CoreError::NotFound)?;
            read_only(&call, || form)
        }
        Target::Validate(kind) => validate(&call, kind),
    }
}

async fn collection(
    call: &Call<'_>,
    kind: &EntityKind,
    nest: Nest<'_>,
) -> Result<Response, CoreError> {
    let Call {
        entities, scope, ..
    } = call;
    match *call.method {
        Method::GET => {
            let parent = parent(call, &nest).await?;
            let mut listing = query::read(kind, call.query)?;
            listing.parent = parent;
            let page = entities.list(scope, kind, &listing).await?;
            let mut answer = json!({"data": page.rows});
            query::add_links(&mut answer, &nest, kind, call.query, page.next);
            Ok(Json(answer).into_response())
        }
        Method::POST if nest.is_writable() => {
            let parent = parent(call, &nest).await?;
            let body = object(call.headers, call.body)?;
            let written = entities.create(scope, kind, body, parent).await?;
            Ok((StatusCode::CREATED, Json(written.body)).into_response())
        }
        _ => Err(CoreError::MethodNotAllowed),
    }
}

async fn item(
    call: &Call<'_>,
    kind: &EntityKind,
    key: &str,
    nest: Nest<'_>,
) -> Result<Response, CoreError> {
    let Call {
        entities, scope, ..
    } = call;
    match *call.method {
        Method::GET => {
            let parent = parent(call, &nest).await?;
            let body = entities.get(scope, kind, key, parent).await?;
            Ok(Json(body).into_response())
        }
        Method::PUT if nest.is_writable() => {
            let parent = parent(call, &nest).await?;
            let body = object(call.headers, call.body)?;
            let written = entities.upsert(scope, kind, key, body, parent).await?;
            Ok(Json(written.body).into_response())
        }
        Method::DELETE if nest.is_writable() => {
            let parent = parent(call, &nest).await?;
            entities.delete(scope, kind, key, parent).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        _ => Err(CoreError::MethodNotAllowed),
    }
}

fn validate(call: &Call<'_>, kind: &EntityKind) -> Result<Response, CoreError> {
    if *call.method != Method::POST {
        return Err(CoreError::MethodNotAllowed);
    }
    let body = object(call.headers, call.body)?;
    call.entities.check(kind, body)?;
    Ok(Json(json!({"message": "schema validation successful"})).into_response())
}

fn read_only(call: &Call<'_>, body: impl FnOnce() -> Value) -> Result<Response, CoreError> {
    if *call.method == Method::GET {
        Ok(Json(body()).into_response())
    } else {
        Err(CoreError::MethodNotAllowed)
    }
}

async fn parent(call: &Call<'_>, nest: &Nest<'_>) -> Result<Option<Parent>, CoreError> {
    let Nest::Inside {
        kind, key, field, ..
    } = nest
    else {
        return Ok(None);
    };
    let parent = call.entities.parent(call.scope, kind, key, field).await?;
    Ok(Some(parent))
}

fn object(headers: &HeaderMap, body: &Bytes) -> Result<Map, CoreError> {
    let content_type = headers.get(header::CONTENT_TYPE);
    let is_json = content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| {
            let essence = text.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/json")
        });
    if !is_json {
        return Err(CoreError::UnsupportedMediaType);
    }
    serde_json::from_slice(body).map_err(|error| CoreError::Unreadable(error.to_string()))
}
