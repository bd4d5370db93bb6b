//! The HTTP API of control planes: `/v2/control-planes` and what belongs to one besides its
//! entities.
//!
//! The table behind [`operations`] is the only list of what is served; the router, the machine-readable
//! description and the tests that walk all endpoints are made from it.

mod body;
mod certificates;
mod config_stores;
mod describe;
mod eol;
mod groups;
mod guard;
pub mod kic;
mod legacy;
mod nodes;
mod object;
mod paging;
mod planes;
mod problem;
mod query;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use identity::{Action, Principal, ResourceKind};
use openapi::{Operation, Query};
use uuid::Uuid;

pub use describe::schemas;
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

struct Row {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    success: u16,
    /// Whether 201 is another status of success.
    creates: bool,
    tag: &'static str,
    query: &'static [Query],
    body: Option<&'static str>,
    answer: Option<&'static str>,
    handler: fn() -> MethodRouter<ApiState>,
}

const fn row(
    (method, success): (&'static str, u16),
    (tag, path): (&'static str, &'static str),
    summary: &'static str,
    handler: fn() -> MethodRouter<ApiState>,
) -> Row {
    Row {
        method,
        path,
        summary,
        success,
        creates: false,
        tag,
        query: &[],
        body: None,
        answer: None,
        handler,
    }
}

impl Row {
    /// Names the schemas of the body and of the answer.
    const fn with(mut self, body: Option<&'static str>, answer: Option<&'static str>) -> Self {
        self.body = body;
        self.answer = answer;
        self
    }

    const fn answers(self, answer: &'static str) -> Self {
        self.with(None, Some(answer))
    }

    const fn asks(mut self, query: &'static [Query]) -> Self {
        self.query = query;
        self
    }

    const fn creates(mut self) -> Self {
        self.creates = true;
        self
    }

    fn operation(&self) -> Operation {
        let mut operation = Operation::new(self.method, self.path, self.summary);
        operation.tag = self.tag;
        operation.success = vec![self.success];
        if self.creates {
            operation.success.push(201);
        }
        operation.query = self.query.to_vec();
        operation.body = self.body.map(openapi::reference);
        operation.answer = self.answer.map(openapi::reference);
        operation.errors = Family::of(self.path).form();
        operation
    }
}

const PLANES: (&str, &str) = ("control planes", "/v2/control-planes");
const PLANE: (&str, &str) = ("control planes", "/v2/control-planes/{id}");
const MEMBERS: (&str, &str) = ("groups", "/v2/control-planes/{id}/group-memberships");
const MEMBERS_ADD: (&str, &str) = ("groups", "/v2/control-planes/{id}/group-memberships/add");
const MEMBERS_REMOVE: (&str, &str) = ("groups", "/v2/control-planes/{id}/group-memberships/remove");
const MEMBER_STATUS: (&str, &str) = ("groups", "/v2/control-planes/{id}/group-member-status");
const GROUP_STATUS: (&str, &str) = ("groups", "/v2/control-planes/{id}/group-status");
const CERTIFICATES: (&str, &str) = ("nodes", "/v2/control-planes/{id}/dp-client-certificates");
const CERTIFICATE: (&str, &str) = (
    "nodes",
    "/v2/control-planes/{id}/dp-client-certificates/{certificate}",
);
const NODES: (&str, &str) = ("nodes", "/v2/control-planes/{id}/nodes");
const NODES_EOL: (&str, &str) = ("nodes", "/v2/control-planes/{id}/nodes/eol");
const NODE: (&str, &str) = ("nodes", "/v2/control-planes/{id}/nodes/{node}");
const HASH: (&str, &str) = ("nodes", "/v2/control-planes/{id}/expected-config-hash");
const VERSION: (&str, &str) = ("nodes", "/v2/control-planes/{id}/expected-config-version");
const STORES: (&str, &str) = ("config stores", "/v2/control-planes/{id}/config-stores");
const STORE: (&str, &str) = (
    "config stores",
    "/v2/control-planes/{id}/config-stores/{store}",
);
const SECRETS: (&str, &str) = (
    "config stores",
    "/v2/control-planes/{id}/config-stores/{store}/secrets",
);
const SECRET: (&str, &str) = (
    "config stores",
    "/v2/control-planes/{id}/config-stores/{store}/secrets/{key}",
);
const OLDER: (&str, &str) = ("control planes", "/konnect-api/api/runtime_groups");

const TABLE: &[Row] = &[
    row(("GET", 200), PLANES, "List control planes", || {
        get(planes::list)
    })
    .answers("ControlPlanes")
    .asks(describe::PLANES),
    row(("POST", 201), PLANES, "Create a control plane", || {
        post(planes::create)
    })
    .with(Some("NewControlPlane"), Some("ControlPlane")),
    row(("GET", 200), PLANE, "Read a control plane", || {
        get(planes::get)
    })
    .answers("ControlPlane"),
    row(("PATCH", 200), PLANE, "Change a control plane", || {
        patch(planes::patch)
    })
    .with(Some("ControlPlaneChange"), Some("ControlPlane")),
    row(("DELETE", 204), PLANE, "Delete a control plane", || {
        delete(planes::delete)
    }),
    row(("GET", 200), MEMBERS, "List the members of a group", || {
        get(groups::list)
    })
    .answers("Memberships")
    .asks(describe::CURSOR),
    row(("PUT", 204), MEMBERS, "Set the members of a group", || {
        put(groups::set)
    })
    .with(Some("Members"), None),
    row(("POST", 204), MEMBERS_ADD, "Add members to a group", || {
        post(groups::add)
    })
    .with(Some("Members"), None),
    row(
        ("POST", 204),
        MEMBERS_REMOVE,
        "Remove members from a group",
        || post(groups::remove),
    )
    .with(Some("Members"), None),
    row(
        ("GET", 200),
        MEMBER_STATUS,
        "Whether a group includes it",
        || get(groups::member_status),
    )
    .answers("GroupMemberStatus"),
    row(("GET", 200), GROUP_STATUS, "Conflicts in a group", || {
        get(groups::status)
    })
    .answers("GroupStatus"),
    row(
        ("GET", 200),
        CERTIFICATES,
        "List certificates of nodes",
        || get(certificates::list),
    )
    .answers("NodeCertificates"),
    row(
        ("POST", 201),
        CERTIFICATES,
        "Register a certificate of nodes",
        || post(certificates::create),
    )
    .with(Some("NewNodeCertificate"), Some("NodeCertificateItem")),
    row(
        ("GET", 200),
        CERTIFICATE,
        "Read a registered certificate",
        || get(certificates::get),
    )
    .answers("NodeCertificateItem"),
    row(
        ("PUT", 200),
        CERTIFICATE,
        "Replace a registered certificate",
        || put(certificates::put),
    )
    .with(Some("NewNodeCertificate"), Some("NodeCertificateItem")),
    row(
        ("DELETE", 204),
        CERTIFICATE,
        "Remove a registered certificate",
        || delete(certificates::delete),
    ),
    row(("GET", 200), NODES, "List nodes", || get(nodes::list))
        .answers("Nodes")
        .asks(describe::NODES),
    row(
        ("GET", 200),
        NODES_EOL,
        "List nodes of unmaintained releases",
        || get(nodes::end_of_life),
    )
    .answers("UnmaintainedNodes"),
    row(("GET", 200), NODE, "Read a node", || get(nodes::get)).answers("NodeItem"),
    row(("DELETE", 204), NODE, "Forget a node", || {
        delete(nodes::delete)
    }),
    row(
        ("GET", 200),
        HASH,
        "The hash that nodes in sync report",
        || get(nodes::expected_hash),
    )
    .answers("ExpectedHash"),
    row(
        ("GET", 200),
        VERSION,
        "The version that nodes in sync report",
        || get(nodes::expected_version),
    )
    .answers("ExpectedVersion"),
    row(("GET", 200), STORES, "List stores of secrets", || {
        get(config_stores::list)
    })
    .answers("ConfigStores")
    .asks(describe::CURSOR),
    row(("POST", 201), STORES, "Create a store of secrets", || {
        post(config_stores::create)
    })
    .with(Some("NewConfigStore"), Some("ConfigStore")),
    row(("GET", 200), STORE, "Read a store of secrets", || {
        get(config_stores::get)
    })
    .answers("ConfigStore"),
    row(("PUT", 200), STORE, "Rename a store of secrets", || {
        put(config_stores::put)
    })
    .with(Some("NewConfigStore"), Some("ConfigStore")),
    row(("DELETE", 204), STORE, "Delete a store of secrets", || {
        delete(config_stores::delete)
    })
    .asks(describe::FORCE),
    row(("GET", 200), SECRETS, "List secrets", || {
        get(config_stores::list_secrets)
    })
    .answers("Secrets")
    .asks(describe::CURSOR),
    row(("POST", 201), SECRETS, "Create a secret", || {
        post(config_stores::create_secret)
    })
    .with(Some("NewSecret"), Some("Secret")),
    row(
        ("GET", 200),
        SECRET,
        "Read what is known of a secret",
        || get(config_stores::get_secret),
    )
    .answers("Secret"),
    row(("PUT", 200), SECRET, "Create or replace a secret", || {
        put(config_stores::put_secret)
    })
    .with(Some("SecretChange"), Some("Secret"))
    .creates(),
    row(("DELETE", 204), SECRET, "Delete a secret", || {
        delete(config_stores::delete_secret)
    }),
    row(("GET", 200), OLDER, "List control planes for decK", || {
        get(planes::older_list)
    })
    .answers("OlderControlPlanes")
    .asks(describe::OLDER),
];

/// Everything that [`router`] serves.
pub fn operations() -> impl Iterator<Item = Operation> {
    TABLE.iter().map(Row::operation)
}

/// The API of one geo. Whoever mounts it lays [`authenticate`] around it.
pub fn router(state: ApiState) -> Router {
    TABLE
        .iter()
        .fold(Router::new(), |router, row| {
            router.route(row.path, (row.handler)())
        })
        .with_state(state)
}
