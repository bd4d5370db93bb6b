//! What the node itself tells, beside what was counted of requests.

use uuid::Uuid;

/// The node at the moment of collecting.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Id of the node.
    pub node_id: Uuid,
    /// Release of the reference that the node is compatible with.
    pub version: String,
    /// Client connections accepted since the start.
    pub accepted: u64,
    /// Client connections taken into service since the start.
    pub handled: u64,
    /// Client connections open now.
    pub active: u64,
    /// Of these, those whose request head is being read.
    pub reading: u64,
    /// Of these, those that are being answered.
    pub writing: u64,
    /// Of these, those that are kept without a request.
    pub waiting: u64,
    /// Requests since the start.
    pub requests: u64,
    /// Whether the database can be reached; a node without one says yes.
    pub is_database_reachable: bool,
    /// Resident memory of the process, bytes.
    pub memory: u64,
    /// The link of a data plane; `None` on other nodes.
    pub control_plane: Option<ControlPlane>,
    /// Addresses of targets; asked for only if [`shows_targets`](super::shows_targets).
    pub targets: Vec<TargetHealth>,
    /// Counters that the reference does not have: name, what it counts, value.
    pub own: Vec<(&'static str, &'static str, u64)>,
}

/// The link of a data plane.
#[derive(Clone, Copy, Debug, Default)]
pub struct ControlPlane {
    /// Whether it stands.
    pub is_connected: bool,
    /// Unix second at which the node's certificate ends; `None` if it is not known.
    pub certificate_expires: Option<i64>,
}

/// How an address of a target does.
#[derive(Clone, Debug)]
pub struct TargetHealth {
    /// Name of the upstream.
    pub upstream: String,
    /// The target as configured.
    pub target: String,
    /// One of its addresses; empty if its name leads to none.
    pub address: String,
    /// How it does.
    pub state: TargetState,
}

/// How an address of a target does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// Nobody looks.
    Unchecked,
    /// It gets traffic.
    Healthy,
    /// It gets none.
    Unhealthy,
    /// Its name leads nowhere.
    DnsError,
}

impl TargetState {
    pub(super) const ALL: [(Self, &'static str); 4] = [
        (Self::Unchecked, "healthchecks_off"),
        (Self::Healthy, "healthy"),
        (Self::Unhealthy, "unhealthy"),
        (Self::DnsError, "dns_error"),
    ];
}
