//! Who the caller is, and which geos there are: what clients ask before anything else.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use control_plane::api::{Family, Problem};
use http::StatusCode;
use identity::{Action, Identity, IdentityError, Principal, Resource, ResourceKind};
use openapi::{Access, Operation};
use serde_json::{Map, Value, json};

use crate::hosts::Hosts;

/// The endpoint that needs no token.
const REGIONS: &str = "/v3/available-regions";

/// Everything that is served here.
///
/// Compat: both versions of the paths are still called.
pub(super) fn operations() -> Vec<Operation> {
    let mut found = Vec::new();
    for version in ["v2", "v3"] {
        for (path, summary, answer) in [
            (
                "organizations/me",
                "The caller's organisation",
                "Organization",
            ),
            ("users/me", "The user whom the token speaks for", "User"),
        ] {
            let mut operation = Operation::new("GET", format!("/{version}/{path}"), summary);
            operation.tag = "identity";
            operation.answer = Some(openapi::reference(answer));
            found.push(operation);
        }
    }
    let mut regions = Operation::new("GET", REGIONS, "The geos served");
    regions.tag = "geos";
    regions.access = Access::Open;
    regions.answer = Some(openapi::reference("Regions"));
    found.push(regions);
    found
}

/// The named schemas that the operations refer to.
pub(super) fn schemas() -> Map<String, Value> {
    let text = json!({"type": "string"});
    let id = json!({"type": ["string", "null"], "format": "uuid"});
    let moment = json!({"type": "string", "format": "date-time"});
    let names = json!({"type": "array", "items": text});
    let organisation = json!({
        "id": id, "name": text, "owner_id": id, "login_path": {"type": ["string", "null"]},
        "state": {"enum": ["active", "inactive"]}, "retention_period_days": {"type": "integer"},
        "created_at": moment, "updated_at": moment,
    });
    let user = json!({
        "id": id, "email": text, "full_name": {"type": ["string", "null"]},
        "preferred_name": {"type": ["string", "null"]}, "active": {"type": "boolean"},
        "created_at": moment, "updated_at": moment,
    });
    let regions = json!({
        "regions": {
            "type": "object",
            "required": ["stable"],
            "properties": {"stable": names, "stable_opt_in": names, "beta": names},
        },
    });
    [
        ("Organization", organisation),
        ("User", user),
        ("Regions", regions),
    ]
    .into_iter()
    .map(|(name, members)| {
        let required: Vec<_> = members
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .collect();
        let schema = json!({"type": "object", "required": required, "properties": members});
        (name.to_owned(), schema)
    })
    .collect()
}

/// What needs no token.
pub(super) fn open_router(hosts: &Hosts) -> Router {
    let regions = json!({
        "regions": {"stable": hosts.geos(), "stable_opt_in": [], "beta": []},
    });
    Router::new().route(REGIONS, get(move || async move { Json(regions) }))
}

/// What needs a token.
pub(super) fn router(identity: Identity) -> Router {
    let mut router = Router::new();
    for version in ["v2", "v3"] {
        router = router
            .route(&format!("/{version}/organizations/me"), get(organisation))
            .route(&format!("/{version}/users/me"), get(user));
    }
    router.with_state(identity)
}

async fn organisation(
    State(identity): State<Identity>,
    Extension(principal): Extension<Principal>,
) -> Response {
    let resource = Resource::of_organisation(ResourceKind::Organisation, principal.organisation);
    if !identity::permits(&principal, Action::Read, &resource) {
        return Problem::forbidden().titled("Forbidden").into_response();
    }
    let found = identity.organisation(principal.organisation).await;
    answer(found, |organisation| {
        json!({
            "id": organisation.id,
            "name": organisation.name,
            "owner_id": organisation.owner_id,
            "login_path": organisation.login_path,
            "state": if organisation.is_active { "active" } else { "inactive" },
            "retention_period_days": 0,
            "created_at": clock::rfc3339_millis(organisation.created_at),
            "updated_at": clock::rfc3339_millis(organisation.updated_at),
        })
    })
}

/// Compat: a system account has no user; its token is answered with 401 here.
async fn user(
    State(identity): State<Identity>,
    Extension(principal): Extension<Principal>,
) -> Response {
    let Some(id) = principal.user else {
        return Family::Identity.unauthenticated();
    };
    answer(identity.user(id).await, |user| {
        json!({
            "id": user.id,
            "email": user.email,
            "full_name": user.full_name,
            "preferred_name": user.preferred_name,
            "active": user.is_active,
            "created_at": clock::rfc3339_millis(user.created_at),
            "updated_at": clock::rfc3339_millis(user.updated_at),
        })
    })
}

fn answer<T>(found: Result<Option<T>, IdentityError>, show: impl FnOnce(T) -> Value) -> Response {
    match found {
        Ok(Some(noun)) => Json(show(noun)).into_response(),
        Ok(None) => Family::Identity.answer(StatusCode::NOT_FOUND, "Not Found"),
        Err(error) => {
            tracing::error!(%error, "identities cannot be read");
            let detail = "Identities cannot be read now; try again";
            Family::Identity.answer(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }
}
