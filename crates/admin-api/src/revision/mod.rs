//! The history of a control plane: `…/revisions`.
//!
//! An endpoint of our own. Every change of a control plane makes a revision with the next number;
//! the history tells who made it and when. A revision can be read as a document, compared with
//! another one, and gone back to, which makes a new revision with the old content in one
//! transaction. Kept are [`store::REVISIONS_KEPT`] revisions, none longer than
//! [`store::DAYS_KEPT`] days; the numbers go on.

mod query;

use std::collections::HashMap;

use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use openapi::{ErrorForm, Operation};
use serde_json::{Map, Value, json};
use store::{AuditEntry, Batch, RowChange, Store, StoreError};

use crate::batch::{Form, MAX_TOLD, Masks, change, document, fault, is_same};
use crate::core::CoreError;
use crate::entity::{Entities, EntityError};
use crate::scope::Scope;
use query::Query;

/// The path, with the control plane's id as `{id}`.
pub const PATH: &str = "/v2/control-planes/{id}/revisions";

/// What is served, for the machine-readable description.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let make = |method, rest: &str, summary: &str, query: Vec<openapi::Query>| {
        let mut operation = Operation::new(method, format!("{PATH}{rest}"), summary);
        operation.tag = "revisions";
        operation.errors = ErrorForm::Configuration;
        operation.answer = Some(json!({"type": "object"}));
        operation.query = query;
        operation
    };
    let number = |name, about| openapi::Query::number(name, (0, u64::MAX), about);
    let size = openapi::Query::number("size", (1, 1_000), "Revisions of a page");
    let before = number("before", "Only revisions before this one");
    let against = number("against", "The revision to compare with");
    let base = number("base_version", "Go on only when this is the current one");
    let document = "Get the configuration of a revision as a document";
    let compare = "Compare a revision with the one before, or with another";
    let back = "Make the configuration what it was at a revision";
    let mut back = make("POST", "/{number}/rollback", back, vec![base]);
    back.body = Some(json!({"type": "object"}));
    vec![
        make(
            "GET",
            "",
            "List revisions, newest first",
            vec![size, before],
        ),
        make("GET", "/{number}", "Get a revision", vec![]),
        make("GET", "/{number}/configuration", document, vec![]),
        make("GET", "/{number}/diff", compare, vec![against]),
        back,
    ]
}

/// The API of one geo. Whoever mounts it checks the caller and leaves a [`Scope`].
pub fn router(entities: Entities) -> Router {
    let at = |rest: &str| format!("{PATH}{rest}");
    Router::new()
        .route(PATH, get(list))
        .route(&at("/{number}"), get(one))
        .route(&at("/{number}/configuration"), get(configuration))
        .route(&at("/{number}/diff"), get(diff))
        .route(&at("/{number}/rollback"), post(rollback))
        .with_state(entities)
}

/// Why a revision cannot be given.
enum Refusal {
    /// There is none of that number, or no more.
    Unknown(String),
    /// A parameter is wrong.
    Query(String),
    /// The configuration has moved on.
    Conflict(String),
    Entity(EntityError),
}

impl From<EntityError> for Refusal {
    fn from(error: EntityError) -> Self {
        Self::Entity(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Moved { .. } => Self::Conflict(error.to_string()),
            other => Self::Entity(EntityError::from(other)),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Unknown(message) => fault(StatusCode::NOT_FOUND, &message),
            Self::Query(message) => fault(StatusCode::BAD_REQUEST, &message),
            Self::Conflict(message) => fault(StatusCode::CONFLICT, &message),
            Self::Entity(error) => CoreError::from(error).into_response(),
        }
    }
}

type Answer = Result<Response, Refusal>;

/// The number in a path, if the revision of that number is kept.
async fn number(
    store: &Store,
    scope: &Scope,
    parameters: &HashMap<String, String>,
) -> Result<u64, Refusal> {
    let text = parameters.get("number").map_or("", String::as_str);
    let unknown = |why: String| Refusal::Unknown(why);
    let number = text
        .parse::<u64>()
        .map_err(|_| unknown(format!("`{text}` is no revision number")))?;
    let known = store.revisions(scope.control_plane, None, 1).await?;
    if number > known.current {
        let current = known.current;
        return Err(unknown(format!(
            "there is no revision {number}; the newest is {current}"
        )));
    }
    if number < known.oldest {
        let oldest = known.oldest;
        return Err(unknown(format!(
            "revision {number} is not kept any more; the oldest is {oldest}"
        )));
    }
    Ok(number)
}

async fn list(
    State(entities): State<Entities>,
    Extension(scope): Extension<Scope>,
    RawQuery(query): RawQuery,
) -> Answer {
    let query = Query::read(query.as_deref()).map_err(Refusal::Query)?;
    let store = entities.store()?;
    let size = query.size;
    let found = store
        .revisions(scope.control_plane, query.before, size)
        .await?;
    let rows: Vec<Value> = found.entries.iter().map(shown).collect();
    let last = found.entries.last().map(|entry| entry.version);
    let next = last.filter(|last| rows.len() == size && *last > found.oldest && *last > 1);
    Ok(Json(json!({
        "data": rows,
        "current": found.current,
        "oldest": found.oldest,
        "next_before": next,
    }))
    .into_response())
}

/// One revision as it is told.
fn shown(entry: &AuditEntry) -> Value {
    let rows = entry.summary.as_array().map_or(&[][..], Vec::as_slice);
    let note = rows.first().and_then(|row| row.get("note")).cloned();
    let touched = rows.iter().filter(|row| row.get("kind").is_some());
    let further = rows.iter().filter_map(|row| row.get("further")?.as_u64());
    let touched: Vec<&Value> = touched.collect();
    let count = touched.len() as u64 + further.sum::<u64>();
    json!({
        "number": entry.version,
        "created_at": clock::rfc3339_millis(entry.at),
        "actor": {"type": entry.actor_kind, "id": entry.actor_id},
        "note": note,
        "changed": count,
        "entities": touched,
    })
}

async fn one(
    State(entities): State<Entities>,
    Extension(scope): Extension<Scope>,
    Path(parameters): Path<HashMap<String, String>>,
) -> Answer {
    let store = entities.store()?;
    let number = number(store, &scope, &parameters).await?;
    let plane = scope.control_plane;
    let found = store.revisions(plane, Some(number + 1), 1).await?;
    let entry = found.entries.iter().find(|entry| entry.version == number);
    // The empty beginning was made by nobody.
    let beginning = || {
        json!({
            "number": number, "created_at": null, "actor": null, "note": null, "changed": 0,
            "entities": [],
        })
    };
    Ok(Json(entry.map_or_else(beginning, shown)).into_response())
}

async fn configuration(
    State(entities): State<Entities>,
    Extension(scope): Extension<Scope>,
    Path(parameters): Path<HashMap<String, String>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let query = Query::read(query.as_deref()).map_err(Refusal::Query)?;
    let store = entities.store()?;
    let number = number(store, &scope, &parameters).await?;
    let export = store.export_at(scope.control_plane, number).await?;
    let export = export.ok_or_else(|| gone(number))?;
    let catalogue = entities.catalogue_for(&scope).await?;
    let form = query.form.unwrap_or_else(|| Form::wanted(&headers));
    Ok(document(export, catalogue, form, Vec::new()).await)
}

/// It was forgotten between two looks.
fn gone(number: u64) -> Refusal {
    Refusal::Unknown(format!("revision {number} is not kept any more"))
}

async fn diff(
    State(entities): State<Entities>,
    Extension(scope): Extension<Scope>,
    Path(parameters): Path<HashMap<String, String>>,
    RawQuery(query): RawQuery,
) -> Answer {
    let query = Query::read(query.as_deref()).map_err(Refusal::Query)?;
    let store = entities.store()?;
    let to = number(store, &scope, &parameters).await?;
    let from = query.against.unwrap_or_else(|| to.saturating_sub(1));
    let text = HashMap::from([("number".to_owned(), from.to_string())]);
    let from = number(store, &scope, &text).await?;
    let changes = store.changes_between(scope.control_plane, from, to).await?;
    let changes = changes.ok_or_else(|| gone(from.min(to)))?;
    let mut body = Map::new();
    body.insert("from".to_owned(), json!(from));
    body.insert("to".to_owned(), json!(to));
    body.extend(told(&entities, &changes));
    Ok(Json(Value::Object(body)).into_response())
}

/// Changes as plans tell them, without secrets.
fn told(entities: &Entities, changes: &[RowChange]) -> Map<String, Value> {
    let catalogue = entities.catalogue();
    let masks = Masks::new(catalogue);
    let (mut told, mut omitted) = (Vec::new(), 0);
    let (mut created, mut updated, mut deleted) = (0_u64, 0_u64, 0_u64);
    for row in changes {
        let Some(kind) = catalogue.kind(&row.kind) else {
            continue;
        };
        let (action, pair) = match (&row.before, &row.after) {
            (Some(before), Some(after)) if is_same(before, after) => continue,
            (Some(before), Some(after)) => ("update", (Some(before), after)),
            (None, Some(after)) => ("create", (None, after)),
            (Some(before), None) => ("delete", (None, before)),
            (None, None) => continue,
        };
        match action {
            "update" => updated += 1,
            "create" => created += 1,
            _ => deleted += 1,
        }
        if told.len() < MAX_TOLD {
            told.push(change(&masks, action, kind, pair));
        } else {
            omitted += 1;
        }
    }
    let summary = json!({"create": created, "update": updated, "delete": deleted});
    Map::from_iter([
        ("summary".to_owned(), summary),
        ("changes_omitted".to_owned(), json!(omitted)),
        ("changes".to_owned(), json!(told)),
    ])
}

async fn rollback(
    State(entities): State<Entities>,
    Extension(scope): Extension<Scope>,
    Path(parameters): Path<HashMap<String, String>>,
    RawQuery(query): RawQuery,
) -> Answer {
    if let Some(reason) = scope.read_only {
        return Err(EntityError::ReadOnly(reason).into());
    }
    let query = Query::read(query.as_deref()).map_err(Refusal::Query)?;
    let store = entities.store()?;
    let number = number(store, &scope, &parameters).await?;
    let plane = scope.control_plane;
    let export = store.export_at(plane, number).await?;
    let export = export.ok_or_else(|| gone(number))?;
    let mut operations = Vec::new();
    if let Some(version) = query.base_version {
        operations.push(store::Operation::AtVersion { version });
    }
    operations.push(store::Operation::Note {
        text: format!("rolled back to revision {number}"),
    });
    operations.push(store::Operation::ReplaceAll {
        tables: export.tables,
    });
    let applied = store
        .apply(Batch {
            control_plane: plane,
            actor: scope.actor.clone(),
            operations,
        })
        .await?;
    Ok(Json(json!({
        "revision": applied.version,
        "restored": number,
        "changed": applied.changed,
    }))
    .into_response())
}
