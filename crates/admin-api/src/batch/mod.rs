//! Whole declarative documents with a plan: `…/declarative-configuration`.
//!
//! An endpoint of our own. `GET` writes the configuration as a document. `POST` makes the
//! configuration what a document says, all of it in one transaction: with `dry_run=true` it only
//! tells what would change (the plan), with `plan=ID` it does exactly what that plan said or
//! nothing, without either it does what is to be done. `select_tags` (or the document's own)
//! limits everything to rows with these tags.

mod answer;
mod desired;
mod difference;
mod keep;
mod mask;
mod plan;
mod query;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderMap;
use schema::Map;
use serde_json::{Value, json};
use store::{Applied, Batch, Export, Operation, Store, StoreError};
use tokio::sync::Semaphore;

pub use desired::MAX_BYTES;
pub use plan::MAX_TOLD;

pub(crate) use answer::{document, fault, refuse};
pub(crate) use difference::is_same;
pub(crate) use mask::Masks;
pub(crate) use plan::change;
pub(crate) use query::{Form, Query};

use crate::core::CoreError;
use crate::entity::{Entities, EntityError};
use crate::scope::Scope;
use desired::{Desired, Ground};
use plan::Plan;

/// The path, with the control plane's id as `{id}`.
pub const PATH: &str = "/v2/control-planes/{id}/declarative-configuration";

/// Documents read at one time; further ones wait. Reading takes several times a document's size
/// in memory.
pub(crate) static TURNS: Semaphore = Semaphore::const_new(4);

/// How often a document without a plan is compared anew when somebody else writes meanwhile.
const ATTEMPTS: usize = 5;

/// The API of one geo. Whoever mounts it checks the caller, leaves a [`Scope`] and lets bodies of
/// [`MAX_BYTES`] pass.
pub fn router(entities: Entities) -> Router {
    Router::new()
        .route(PATH, get(export).post(apply))
        .with_state(entities)
}

/// What is served, for the machine-readable description.
#[must_use]
pub fn operations() -> Vec<openapi::Operation> {
    let make = |method, summary: &str, query: Vec<openapi::Query>| {
        let mut operation = openapi::Operation::new(method, PATH, summary);
        operation.tag = "control planes";
        operation.errors = openapi::ErrorForm::Configuration;
        operation.answer = Some(json!({"type": "object"}));
        operation.query = query;
        operation
    };
    let tags = openapi::Query::text(
        "select_tags",
        "Only rows with these tags, with commas between",
    );
    let dry_run = openapi::Query::flag("dry_run", "Only tell what would change");
    let plan = openapi::Query::text("plan", "Do exactly what this plan said, or nothing");
    let write = "Make the configuration what a document says, or tell what would change";
    let mut write = make("POST", write, vec![dry_run, plan, tags]);
    write.body = Some(json!({"type": "object"}));
    write.media = &["application/json", "application/yaml"];
    let read = "Get the configuration as a document";
    vec![make("GET", read, vec![tags]), write]
}

async fn export(
    State(entities): State<Entities>,
    Extension(scope): Extension<Scope>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = match Query::read(query.as_deref()) {
        Ok(query) => query,
        Err(message) => return fault(http::StatusCode::BAD_REQUEST, &message),
    };
    let exported = async {
        let export = entities.store()?.export(scope.control_plane).await?;
        Ok::<_, EntityError>((export, entities.catalogue_for(&scope).await?))
    };
    match exported.await {
        Ok((exported, catalogue)) => {
            let form = query.form.unwrap_or_else(|| Form::wanted(&headers));
            document(exported, catalogue, form, query.tags).await
        }
        Err(error) => CoreError::from(error).into_response(),
    }
}

async fn apply(
    State(entities): State<Entities>,
    Extension(scope): Extension<Scope>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let query = match Query::read(query.as_deref()) {
        Ok(query) => query,
        Err(message) => return fault(http::StatusCode::BAD_REQUEST, &message),
    };
    let note = "declarative-configuration";
    match run(&entities, &scope, body, &query, note).await {
        Ok(Outcome::Planned(plan, tags)) => axum::Json(plan.body(&tags)).into_response(),
        Ok(Outcome::Done(done)) => axum::Json(json!({
            "version": done.applied.version,
            "changed": done.applied.changed,
            "plan": done.plan.id,
            "summary": done.plan.summary(),
            "warnings": done.plan.warnings,
        }))
        .into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// What came of a document.
pub(crate) enum Outcome {
    /// Only looked at; with the tags of the selection.
    Planned(Plan, Vec<String>),
    /// In use.
    Done(Box<Done>),
}

/// A document in use.
pub(crate) struct Done {
    pub(crate) applied: Applied,
    pub(crate) plan: Plan,
    /// Rows that the document manages, by kind.
    pub(crate) counts: Map,
}

/// Why a document was not taken.
pub(crate) enum Refusal {
    /// It is wrong.
    Problems(Vec<Value>),
    /// It is not what was planned.
    Conflict { message: String, base_version: u64 },
    /// Entities cannot be written, or the store refused.
    Entity(EntityError),
    /// Our own fault.
    Broken(&'static str),
}

impl From<EntityError> for Refusal {
    fn from(error: EntityError) -> Self {
        Self::Entity(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Entity(EntityError::from(error))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Problems(problems) => refuse(&problems),
            Self::Conflict {
                message,
                base_version,
            } => answer::conflict(&message, base_version),
            Self::Entity(error) => CoreError::from(error).into_response(),
            Self::Broken(message) => fault(http::StatusCode::INTERNAL_SERVER_ERROR, message),
        }
    }
}

/// Reads a document, plans, and unless it is a dry run writes.
pub(crate) async fn run(
    entities: &Entities,
    scope: &Scope,
    body: Bytes,
    query: &Query,
    note: &str,
) -> Result<Outcome, Refusal> {
    if let Some(reason) = scope.read_only {
        return Err(EntityError::ReadOnly(reason).into());
    }
    let store = entities.store()?.clone();
    let _turn = TURNS
        .acquire()
        .await
        .map_err(|_| Refusal::Broken("documents are not taken any more"))?;
    for _ in 0..ATTEMPTS {
        let export = store.export(scope.control_plane).await?;
        let (desired, plan) = prepare(entities, scope, body.clone(), query, export).await?;
        if query.dry_run {
            return Ok(Outcome::Planned(plan, desired.tags));
        }
        judge(query, &plan, &desired)?;
        let counts = counts(&desired);
        match write(&store, scope, desired, plan.base_version, note).await {
            Ok(applied) => {
                return Ok(Outcome::Done(Box::new(Done {
                    applied,
                    plan,
                    counts,
                })));
            }
            Err(StoreError::Moved { .. }) if query.plan.is_none() => {}
            Err(StoreError::Moved { current, .. }) => return Err(moved(&plan, current)),
            Err(error) => return Err(error.into()),
        }
    }
    let base_version = store.version(scope.control_plane).await?;
    Err(Refusal::Conflict {
        message: "others keep changing the configuration; try again".to_owned(),
        base_version,
    })
}

/// Compares off the threads that serve connections.
async fn prepare(
    entities: &Entities,
    scope: &Scope,
    body: Bytes,
    query: &Query,
    export: Export,
) -> Result<(Desired, Plan), Refusal> {
    let usual = entities.catalogue().clone();
    let brought = entities.brought(scope).await?;
    let (plane, tags, is_shown) = (scope.control_plane, query.tags.clone(), query.dry_run);
    let work = move || {
        let document = desired::parse(&body)?;
        let catalogue = desired::catalogue(&usual, brought, (&body, &document), &tags)?;
        let Export {
            version,
            tables: stored,
        } = export;
        let ground = Ground {
            catalogue: &catalogue,
            plane,
            version,
            stored: &stored,
            tags,
        };
        let desired = desired::read(&body, document, &ground)?;
        drop(body);
        let mut plan = Plan::of(&stored, &desired, &catalogue, (version, is_shown));
        drop(stored);
        let (tables, managed) = (&desired.tables, Some(&desired.managed));
        plan.warnings = crate::warnings::of_tables(tables, &catalogue, managed);
        Ok((desired, plan))
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(prepared)) => Ok(prepared),
        Ok(Err(problems)) => Err(Refusal::Problems(problems)),
        Err(error) => {
            tracing::error!(%error, "reading a declarative document broke off");
            Err(Refusal::Broken("reading the document broke off"))
        }
    }
}

/// Whether this is what was planned. A repeat of what was done already finds nothing to do.
fn judge(query: &Query, plan: &Plan, desired: &Desired) -> Result<(), Refusal> {
    let Some(wanted) = query.plan.as_deref() else {
        return Ok(());
    };
    if plan::document_of(wanted) != Some(desired.digest.as_str()) {
        return Err(Refusal::Conflict {
            message: "the plan was made for another document or selection".to_owned(),
            base_version: plan.base_version,
        });
    }
    if *wanted == *plan.id || plan.is_empty() {
        return Ok(());
    }
    Err(moved(plan, plan.base_version))
}

fn moved(plan: &Plan, current: u64) -> Refusal {
    let message = "the configuration has changed since the plan was made; make a new one";
    Refusal::Conflict {
        message: message.to_owned(),
        base_version: current.max(plan.base_version),
    }
}

fn counts(desired: &Desired) -> Map {
    let mut counts = Map::new();
    for (kind, rows) in &desired.tables {
        let mine = desired
            .managed
            .iter()
            .filter(|(managed, _)| managed == kind);
        let count = if desired.tags.is_empty() {
            rows.len()
        } else {
            mine.count()
        };
        if count > 0 {
            counts.insert(kind.clone(), json!(count));
        }
    }
    counts
}

async fn write(
    store: &Store,
    scope: &Scope,
    desired: Desired,
    base_version: u64,
    note: &str,
) -> Result<Applied, StoreError> {
    let operations = vec![
        Operation::AtVersion {
            version: base_version,
        },
        Operation::Note {
            text: note.to_owned(),
        },
        Operation::ReplaceAll {
            tables: desired.tables,
        },
    ];
    store
        .apply(Batch {
            control_plane: scope.control_plane,
            actor: scope.actor.clone(),
            operations,
        })
        .await
}
