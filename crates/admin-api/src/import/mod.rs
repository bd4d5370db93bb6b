//! Whole declarative files: `POST /v2/control-planes/{id}/declarative`.
//!
//! An endpoint of our own. The body is the file as it is (YAML or JSON); either all of it becomes
//! the configuration of the control plane, in one transaction, or nothing changes and every
//! problem is answered with its path and line. Files of decK are taken: its `_plugin_configs` are
//! filled in; `_info`, `_workspace` and `_konnect`, which steer decK itself, are read over.

mod keep;

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use declarative::{Config, Document, Format, Limits, Options, Problem};
use entities::Catalogue;
use http::StatusCode;
use serde_json::{Map, Value, json};
use store::{Batch, Operation, Store};
use tokio::sync::Semaphore;

use crate::core::CoreError;
use crate::entity::{Entities, EntityError};
use crate::scope::Scope;

type Tables = BTreeMap<String, Vec<Map<String, Value>>>;

/// The path, with the control plane's id as `{id}`.
pub const PATH: &str = "/v2/control-planes/{id}/declarative";

/// Bytes of a file: 100 MB (decimal).
pub const MAX_BYTES: usize = 100_000_000;

/// Files read at one time; further ones wait. Reading takes several times a file's size in memory.
static TURNS: Semaphore = Semaphore::const_new(4);

/// The API of one geo. Whoever mounts it checks the caller, leaves a [`Scope`] and lets bodies of
/// [`MAX_BYTES`] pass.
pub fn router(entities: Entities) -> Router {
    Router::new().route(PATH, post(import)).with_state(entities)
}

async fn import(
    State(entities): State<Entities>,
    Extension(scope): Extension<Scope>,
    body: Bytes,
) -> Response {
    if let Some(reason) = scope.read_only {
        return CoreError::from(EntityError::ReadOnly(reason)).into_response();
    }
    let Ok(_turn) = TURNS.acquire().await else {
        return broken("imports are not taken any more");
    };
    let store = match entities.store() {
        Ok(store) => store.clone(),
        Err(error) => return CoreError::from(error).into_response(),
    };
    let stored = match store.export(scope.control_plane).await {
        Ok(export) => export.tables,
        Err(error) => return CoreError::from(EntityError::from(error)).into_response(),
    };
    let catalogue = entities.catalogue().clone();
    let read = tokio::task::spawn_blocking(move || read(&body, &stored, &catalogue));
    match read.await {
        Ok(Ok(config)) => apply(&store, &scope, config).await,
        Ok(Err(problems)) => refuse(&problems),
        Err(error) => {
            tracing::error!(%error, "reading a declarative file broke off");
            broken("reading the file broke off")
        }
    }
}

/// The configuration that a file means, or everything that is wrong with it.
fn read(body: &[u8], stored: &Tables, catalogue: &Catalogue) -> Result<Config, Vec<Value>> {
    let limits = Limits {
        bytes: MAX_BYTES,
        ..Limits::default()
    };
    let document =
        Document::parse(body, Format::Auto, limits).map_err(|error| vec![unreadable(&error)])?;
    let options = Options {
        tolerate_deck: true,
        ..Options::default()
    };
    let mut config = document
        .normalise(catalogue, options)
        .map_err(|problems| problems.iter().map(shown).collect::<Vec<_>>())?;
    let named = keep::named_ids(&document);
    keep::keep_ids(&mut config, stored, &named, catalogue);
    Ok(config)
}

fn broken(message: &str) -> Response {
    let body = json!({"message": message});
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}

async fn apply(store: &Store, scope: &Scope, config: Config) -> Response {
    let counts: Map<String, Value> = config
        .tables
        .iter()
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(kind, rows)| (kind.clone(), json!(rows.len())))
        .collect();
    let tables = config.tables;
    let operation = Operation::ReplaceAll { tables };
    let batch = Batch::of_one(scope.control_plane, scope.actor.clone(), operation);
    match store.apply(batch).await {
        Ok(applied) => Json(json!({
            "version": applied.version,
            "changed": applied.changed,
            "entities": counts,
        }))
        .into_response(),
        Err(error) => CoreError::from(EntityError::from(error)).into_response(),
    }
}

/// A text that cannot be read at all.
fn unreadable(error: &declarative::ParseError) -> Value {
    json!({
        "path": "",
        "line": Some(error.line).filter(|line| *line > 0),
        "message": format!("column {}: {}", error.column, error.message),
        "entity": Value::Null,
    })
}

fn shown(problem: &Problem) -> Value {
    json!({
        "path": problem.path,
        "line": problem.line,
        "message": problem.message,
        "entity": problem.entity.as_ref().map(|entity| {
            json!({"kind": entity.kind, "path": entity.path})
        }),
    })
}

fn refuse(problems: &[Value]) -> Response {
    let message = match problems.len() {
        1 => "the file has 1 problem; nothing was changed".to_owned(),
        count => format!("the file has {count} problems; nothing was changed"),
    };
    let body = json!({"code": 3, "message": message, "problems": problems});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
