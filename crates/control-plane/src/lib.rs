//! Control planes: their records, client certificates, groups and nodes, and the push of
//! configuration to nodes.
//!
//! Entities of a control plane are not served here (see the `admin-api` room); who a caller is
//! comes from `identity`; host names and TLS belong to `platform`.

pub mod api;
mod error;
mod geo;
mod model;
pub mod outlet;
mod planes;

pub use error::{InvalidParameter, PlaneError};
pub use geo::Geo;
pub use model::{
    AuthType, ClusterType, Conflict, ControlPlane, GroupStatus, NewControlPlane, Node, NodeReport,
    NodeSeen, PatchControlPlane, Pinned, PlaneEvent, ProxyUrl,
};
pub use planes::{
    ConfigStore, MAX_CERTIFICATES, MAX_CONFIG_STORES, MAX_CONTROL_PLANES, MAX_GROUPS, MAX_MEMBERS,
    MAX_MEMBERS_PER_CALL, MAX_SECRET_KEY, MAX_SECRET_VALUE, MAX_SECRETS, MAX_STORE_NAME,
    MemberChange, Planes, Secret,
};
