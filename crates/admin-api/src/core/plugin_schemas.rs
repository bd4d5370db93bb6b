//! `plugin-schemas`: descriptions of plugins whose code is installed on the nodes.
//!
//! Compat: one is addressed by the name in its text, answers lie in `item`, and lists in `items`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use schema::Map;
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::error::CoreError;
use super::query;
use crate::entity::{EntityError, Listing};
use entities::brought::CustomPlugin;

const KIND: &str = "plugin_schemas";

pub(super) async fn all(call: &Call<'_>) -> Result<Response, CoreError> {
    match *call.method {
        Method::GET => list(call).await,
        Method::POST => {
            let body = call.object()?;
            let plugin = read(call, &body)?;
            let kind = call.kind(KIND)?;
            match call
                .entities
                .get(call.scope, kind, plugin.name(), None)
                .await
            {
                Ok(_) => return Err(CoreError::Conflict),
                Err(EntityError::NotFound) => {}
                Err(other) => return Err(other.into()),
            }
            let row = row(&body, &plugin);
            let written = call.entities.create(call.scope, kind, row, None).await?;
            Ok((StatusCode::CREATED, item(&written.body)).into_response())
        }
        _ => Err(CoreError::MethodNotAllowed("GET, HEAD, POST")),
    }
}

pub(super) async fn one(call: &Call<'_>, name: &str) -> Result<Response, CoreError> {
    let kind = call.kind(KIND)?;
    let (entities, scope) = (call.entities, call.scope);
    match *call.method {
        Method::GET => {
            let row = entities.get(scope, kind, name, None).await?;
            Ok(item(&row).into_response())
        }
        Method::PUT => {
            let body = call.object()?;
            let plugin = read(call, &body)?;
            if plugin.name() != name {
                let message = format!("the description is one of `{}`", plugin.name());
                return Err(fault(&message));
            }
            let row = row(&body, &plugin);
            let written = entities.upsert(scope, kind, name, row, None).await?;
            Ok(item(&written.body).into_response())
        }
        Method::DELETE => {
            entities.delete(scope, kind, name, None).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        _ => Err(CoreError::MethodNotAllowed("GET, HEAD, PUT, DELETE")),
    }
}

fn read(call: &Call<'_>, body: &Map) -> Result<CustomPlugin, CoreError> {
    let text = match body.get("lua_schema") {
        Some(Value::String(text)) => text,
        None | Some(Value::Null) => return Err(fault("required field missing")),
        Some(_) => return Err(fault("expected a string")),
    };
    let plugin = CustomPlugin::read(text).map_err(|why| fault(&why.to_string()))?;
    let name = plugin.name();
    if call.entities.catalogue().plugins().schema(name).is_some() {
        return Err(fault(&format!("`{name}` is a plugin that everybody has")));
    }
    Ok(plugin)
}

fn fault(message: &str) -> CoreError {
    CoreError::Query {
        name: "lua_schema".to_owned(),
        message: message.to_owned(),
    }
}

fn row(body: &Map, plugin: &CustomPlugin) -> Map {
    let mut row = Map::new();
    row.insert("name".to_owned(), json!(plugin.name()));
    let text = body.get("lua_schema").cloned().unwrap_or_default();
    row.insert("lua_schema".to_owned(), text);
    row
}

fn show(row: &Map) -> Value {
    json!({
        "name": row.get("name"),
        "lua_schema": row.get("lua_schema"),
        "created_at": row.get("created_at"),
        "updated_at": row.get("updated_at"),
    })
}

fn item(row: &Map) -> Json<Value> {
    Json(json!({"item": show(row)}))
}

async fn list(call: &Call<'_>) -> Result<Response, CoreError> {
    let kind = call.kind(KIND)?;
    let size = query::page_size(call)?;
    let after = match call.parameter("page[after]").as_deref() {
        None | Some("") => None,
        Some(text) => Some(Uuid::try_parse(text).map_err(|_| CoreError::Query {
            name: "page[after]".to_owned(),
            message: "must be the `next` of the page before".to_owned(),
        })?),
    };
    let listing = Listing {
        size,
        after,
        ..Listing::default()
    };
    let rows = call.entities.list(call.scope, kind, &listing).await?;
    let store = call.entities.store()?;
    let total = store.count(call.scope.control_plane, kind.name).await;
    let mut page = json!({"total_count": total.map_err(EntityError::from)?});
    if let Some(next) = rows.next {
        page["next"] = json!(next);
    }
    let items: Vec<_> = rows.rows.iter().map(show).collect();
    Ok(Json(json!({"items": items, "page": page})).into_response())
}
