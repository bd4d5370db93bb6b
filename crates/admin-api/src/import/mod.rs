//! Whole declarative files: `POST /v2/control-planes/{id}/declarative`.
//!
//! An endpoint of our own. The body is the file as it is (YAML or JSON); either all of it becomes
//! the configuration of the control plane, in one transaction, or nothing changes and every
//! problem is answered with its path and line. Files of decK are taken: defaults, shared
//! configurations and select tags have their meaning; a file with select tags changes only rows
//! with these tags. [`crate::batch`] does the same with a plan before.

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;

use crate::batch::{self, Outcome, Query};
use crate::entity::Entities;
use crate::scope::Scope;

/// The path, with the control plane's id as `{id}`.
pub const PATH: &str = "/v2/control-planes/{id}/declarative";

pub use crate::batch::MAX_BYTES;

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
    let query = Query::default();
    match batch::run(&entities, &scope, body, &query, "import").await {
        Ok(Outcome::Done(done)) => {
            let mut answer = json!({
                "version": done.applied.version,
                "changed": done.applied.changed,
                "entities": done.counts,
            });
            if !done.plan.warnings.is_empty() {
                answer["warnings"] = json!(done.plan.warnings);
            }
            Json(answer).into_response()
        }
        Ok(Outcome::Planned(plan, tags)) => Json(plan.body(&tags)).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}
