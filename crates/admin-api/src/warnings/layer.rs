//! Warnings of single writes, as headers.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use entities::Route;
use http::{HeaderName, HeaderValue, Method};
use router::Flavor;
use serde_json::{Map, Value};
use store::{ListQuery, Store};
use uuid::Uuid;

use super::{Warning, of_plugin, of_routes};
use crate::entity::Entities;
use crate::scope::Scope;

/// The header; one line for each warning.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-gatehouse-warning");

/// Routes of a control plane up to which a written one is compared with the others; with more,
/// a write would become slow. Plans compare any number.
const MAX_COMPARED: usize = 500;

/// Bytes of an answer that is looked at; routes are far smaller.
const MAX_ANSWER: usize = 4 << 20;

/// What warnings are made of: the entities, and how nodes order their routes.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) entities: Entities,
    pub(crate) flavor: Flavor,
}

/// Adds the warnings about a route or plugin that was written. The body stays as it is.
pub(crate) async fn tell(State(ground): State<Ground>, request: Request, next: Next) -> Response {
    let is_write = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
    let mut steps = request.uri().path().split('/');
    let is_told = steps.any(|step| matches!(step, "routes" | "plugins"));
    let scope = request.extensions().get::<Scope>().cloned();
    let response = next.run(request).await;
    let (true, true, Some(scope)) = (is_write && is_told, response.status().is_success(), scope)
    else {
        return response;
    };
    let (mut parts, body) = response.into_parts();
    // Answers lie in memory: reading one cannot fail, but for its size.
    let Ok(bytes) = to_bytes(body, MAX_ANSWER).await else {
        return Response::from_parts(parts, Body::empty());
    };
    for warning in of_answer(&ground, scope.control_plane, &bytes).await {
        if let Ok(value) = HeaderValue::from_str(&line(&warning)) {
            parts.headers.append(HEADER, value);
        }
    }
    Response::from_parts(parts, Body::from(bytes))
}

async fn of_answer(ground: &Ground, plane: Uuid, bytes: &[u8]) -> Vec<Warning> {
    let Some(body) = written(bytes) else {
        return Vec::new();
    };
    if body.contains_key("strip_path") {
        return match (Route::try_from(&body), ground.entities.store()) {
            (Ok(route), Ok(store)) => of_written(store, plane, route, ground.flavor).await,
            _ => Vec::new(),
        };
    }
    let is_plugin = body.contains_key("config") && body.contains_key("protocols");
    let catalogue = ground.entities.catalogue();
    let name = body.get("name").and_then(Value::as_str);
    // What callers brought along is run by the nodes that have its code.
    let is_known = name.is_some_and(|name| catalogue.plugins().schema(name).is_some());
    let told = (is_plugin && is_known).then(|| of_plugin(&body, catalogue));
    told.flatten().into_iter().collect()
}

/// The entity in an answer.
fn written(bytes: &[u8]) -> Option<Map<String, Value>> {
    let Ok(Value::Object(mut body)) = serde_json::from_slice(bytes) else {
        return None;
    };
    // Some answers wrap the row.
    if let Some(Value::Object(item)) = body.get_mut("item") {
        body = std::mem::take(item);
    }
    Some(body)
}

async fn of_written(store: &Store, plane: Uuid, route: Route, flavor: Flavor) -> Vec<Warning> {
    let id = route.id.to_string();
    let mut beside = others(store, plane, &route).await.unwrap_or_default();
    beside.push(route);
    let all = of_routes(&beside, flavor).into_iter();
    let mut mine: Vec<Warning> = all.filter(|warning| warning.id == id).collect();
    // A service that is switched off takes its routes along: such a route takes no requests.
    let shadow = mine.iter().find_map(|warning| warning.by.clone());
    let taker = beside
        .iter()
        .find(|route| shadow == Some(route.id.to_string()));
    if let Some(service) = taker.and_then(|taker| taker.service)
        && !runs(store, plane, service).await
    {
        mine.retain(|warning| warning.by.is_none());
    }
    mine
}

/// The other routes; `None` when there are too many, or they cannot be read.
async fn others(store: &Store, plane: Uuid, route: &Route) -> Option<Vec<Route>> {
    let query = ListQuery {
        size: MAX_COMPARED,
        ..ListQuery::default()
    };
    let page = store.list(plane, "routes", query).await.ok()?;
    let rows = page.rows.iter().filter_map(|row| Route::try_from(row).ok());
    let others = rows.filter(|other| other.id != route.id);
    page.next.is_none().then(|| others.collect())
}

async fn runs(store: &Store, plane: Uuid, service: Uuid) -> bool {
    let row = store.get(plane, "services", service).await;
    let is_off = |row: &Map<String, Value>| row.get("enabled") == Some(&Value::Bool(false));
    !row.ok().flatten().is_some_and(|row| is_off(&row))
}

/// One line of visible ASCII.
fn line(warning: &Warning) -> String {
    let field = warning.field.as_deref().map(|field| format!(" {field}"));
    let text = format!(
        "{}{}: {}",
        warning.code,
        field.unwrap_or_default(),
        warning.message
    );
    let visible = |c: char| {
        if c.is_ascii_graphic() || c == ' ' {
            c
        } else {
            '?'
        }
    };
    text.chars().map(visible).collect()
}
