//! The HTTP API of control planes: `/v2/control-planes` and what belongs to one besides its
//! entities.
//!
//! The table in [`endpoints`] is the only list of what is served; the router, the machine-readable
//! description and the tests that walk all endpoints are made from it.

mod body;
mod certificates;
mod eol;
mod groups;
mod guard;
mod legacy;
mod nodes;
mod object;
mod planes;
mod problem;
mod query;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use identity::{Action, Principal, ResourceKind};
use uuid::Uuid;

pub use guard::{Family, Refusal, action, actor, authenticate, plane};
pub use legacy::Legacy;
pub use problem::{Problem, TRACE_HEADER};

use crate::error::PlaneError;
use crate::model::ControlPlane;
use crate::planes::Planes;

/// The hash that nodes in sync report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedHash {
    /// 32 characters.
    pub hash: String,
    /// Seconds since the epoch when it last changed; `None` when that is not known.
    pub updated_at: Option<u64>,
}

/// A future in a box, as traits need it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who knows the hash that nodes should report: the push of configuration.
pub trait Hashes: Send + Sync {
    /// The hash of what the control plane's nodes should run now.
    fn expected(&self, control_plane: Uuid) -> BoxFuture<'_, Result<ExpectedHash, PlaneError>>;
}

/// What the handlers work with: one geo.
#[derive(Clone)]
pub struct ApiState {
    /// The geo's control planes.
    pub planes: Planes,
    /// Who knows expected hashes.
    pub hashes: Arc<dyn Hashes>,
}

impl std::fmt::Debug for ApiState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiState")
            .field("planes", &self.planes)
            .finish_non_exhaustive()
    }
}

impl ApiState {
    async fn plane(
        &self,
        principal: &Principal,
        id: &str,
        action: Action,
    ) -> Result<ControlPlane, Refusal> {
        plane(
            &self.planes,
            principal,
            id,
            action,
            ResourceKind::ControlPlane,
        )
        .await
    }
}

/// One endpoint as it is described to people and machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Upper case.
    pub method: &'static str,
    /// With `{parameters}`.
    pub path: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// The status of success.
    pub success: u16,
}

struct Row {
    endpoint: Endpoint,
    handler: fn() -> MethodRouter<ApiState>,
}

const fn row(
    (method, success): (&'static str, u16),
    path: &'static str,
    summary: &'static str,
    handler: fn() -> MethodRouter<ApiState>,
) -> Row {
    let endpoint = Endpoint {
        method,
        path,
        summary,
        success,
    };
    Row { endpoint, handler }
}

const PLANES: &str = "/v2/control-planes";
const PLANE: &str = "/v2/control-planes/{id}";
const MEMBERS: &str = "/v2/control-planes/{id}/group-memberships";
const MEMBERS_ADD: &str = "/v2/control-planes/{id}/group-memberships/add";
const MEMBERS_REMOVE: &str = "/v2/control-planes/{id}/group-memberships/remove";
const MEMBER_STATUS: &str = "/v2/control-planes/{id}/group-member-status";
const GROUP_STATUS: &str = "/v2/control-planes/{id}/group-status";
const CERTIFICATES: &str = "/v2/control-planes/{id}/dp-client-certificates";
const CERTIFICATE: &str = "/v2/control-planes/{id}/dp-client-certificates/{certificate}";
const NODES: &str = "/v2/control-planes/{id}/nodes";
const NODES_EOL: &str = "/v2/control-planes/{id}/nodes/eol";
const NODE: &str = "/v2/control-planes/{id}/nodes/{node}";
const HASH: &str = "/v2/control-planes/{id}/expected-config-hash";
const OLDER: &str = "/konnect-api/api/runtime_groups";

const TABLE: &[Row] = &[
    row(("GET", 200), PLANES, "List control planes", || {
        get(planes::list)
    }),
    row(("POST", 201), PLANES, "Create a control plane", || {
        post(planes::create)
    }),
    row(("GET", 200), PLANE, "Read a control plane", || {
        get(planes::get)
    }),
    row(("PATCH", 200), PLANE, "Change a control plane", || {
        patch(planes::patch)
    }),
    row(("DELETE", 204), PLANE, "Delete a control plane", || {
        delete(planes::delete)
    }),
    row(("GET", 200), MEMBERS, "List the members of a group", || {
        get(groups::list)
    }),
    row(("PUT", 204), MEMBERS, "Set the members of a group", || {
        put(groups::set)
    }),
    row(("POST", 204), MEMBERS_ADD, "Add members to a group", || {
        post(groups::add)
    }),
    row(
        ("POST", 204),
        MEMBERS_REMOVE,
        "Remove members from a group",
        || post(groups::remove),
    ),
    row(
        ("GET", 200),
        MEMBER_STATUS,
        "Whether a group includes it",
        || get(groups::member_status),
    ),
    row(("GET", 200), GROUP_STATUS, "Conflicts in a group", || {
        get(groups::status)
    }),
    row(
        ("GET", 200),
        CERTIFICATES,
        "List certificates of nodes",
        || get(certificates::list),
    ),
    row(
        ("POST", 201),
        CERTIFICATES,
        "Register a certificate of nodes",
        || post(certificates::create),
    ),
    row(
        ("GET", 200),
        CERTIFICATE,
        "Read a registered certificate",
        || get(certificates::get),
    ),
    row(
        ("PUT", 200),
        CERTIFICATE,
        "Replace a registered certificate",
        || put(certificates::put),
    ),
    row(
        ("DELETE", 204),
        CERTIFICATE,
        "Remove a registered certificate",
        || delete(certificates::delete),
    ),
    row(("GET", 200), NODES, "List nodes", || get(nodes::list)),
    row(
        ("GET", 200),
        NODES_EOL,
        "List nodes of unmaintained releases",
        || get(nodes::end_of_life),
    ),
    row(("GET", 200), NODE, "Read a node", || get(nodes::get)),
    row(("DELETE", 204), NODE, "Forget a node", || {
        delete(nodes::delete)
    }),
    row(
        ("GET", 200),
        HASH,
        "The hash that nodes in sync report",
        || get(nodes::expected_hash),
    ),
    row(("GET", 200), OLDER, "List control planes for decK", || {
        get(planes::older_list)
    }),
];

/// Everything that [`router`] serves.
pub fn endpoints() -> impl Iterator<Item = Endpoint> {
    TABLE.iter().map(|row| row.endpoint)
}

/// The API of one geo. Whoever mounts it lays [`authenticate`] around it.
pub fn router(state: ApiState) -> Router {
    TABLE
        .iter()
        .fold(Router::new(), |router, row| {
            router.route(row.endpoint.path, (row.handler)())
        })
        .with_state(state)
}
