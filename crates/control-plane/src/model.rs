//! The platform's nouns around a control plane.
//!
//! Storage and rules are in `planes`; the shapes of the HTTP API are in `api`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What kind of configuration space a control plane is.
///
/// Compat: names as on the wire; the two older names are accepted on input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClusterType {
    /// Ordinary: users write, nodes connect.
    #[default]
    #[serde(rename = "CLUSTER_TYPE_CONTROL_PLANE", alias = "CLUSTER_TYPE_HYBRID")]
    ControlPlane,
    /// Mirror of a Kubernetes ingress controller; nodes only report telemetry.
    #[serde(rename = "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER")]
    KubernetesIngressController,
    /// A read-only union of other control planes; nodes connect to the group.
    #[serde(
        rename = "CLUSTER_TYPE_CONTROL_PLANE_GROUP",
        alias = "CLUSTER_TYPE_COMPOSITE"
    )]
    Group,
    /// Hosted without machines of one's own.
    #[serde(rename = "CLUSTER_TYPE_SERVERLESS")]
    Serverless,
    /// The second form of the hosted kind.
    #[serde(rename = "CLUSTER_TYPE_SERVERLESS_V1")]
    ServerlessV1,
    /// The first form of the event gateway.
    #[serde(rename = "CLUSTER_TYPE_KAFKA_NATIVE_EVENT_PROXY")]
    KafkaNativeEventProxy,
}

impl ClusterType {
    /// All types, in the order in which they are listed to a caller.
    pub const ALL: [Self; 6] = [
        Self::ControlPlane,
        Self::KubernetesIngressController,
        Self::Group,
        Self::Serverless,
        Self::ServerlessV1,
        Self::KafkaNativeEventProxy,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ControlPlane => "CLUSTER_TYPE_CONTROL_PLANE",
            Self::KubernetesIngressController => "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER",
            Self::Group => "CLUSTER_TYPE_CONTROL_PLANE_GROUP",
            Self::Serverless => "CLUSTER_TYPE_SERVERLESS",
            Self::ServerlessV1 => "CLUSTER_TYPE_SERVERLESS_V1",
            Self::KafkaNativeEventProxy => "CLUSTER_TYPE_KAFKA_NATIVE_EVENT_PROXY",
        }
    }

    /// Reads a name from the wire, the two older ones included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "CLUSTER_TYPE_HYBRID" => Some(Self::ControlPlane),
            "CLUSTER_TYPE_COMPOSITE" => Some(Self::Group),
            other => Self::ALL.into_iter().find(|kind| kind.as_str() == other),
        }
    }
}

/// How nodes prove that they belong to a control plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthType {
    /// The presented leaf equals a registered certificate.
    #[default]
    PinnedClientCerts,
    /// The presented chain verifies to a registered CA, intermediate or leaf.
    PkiClientCerts,
}

impl AuthType {
    /// All types.
    pub const ALL: [Self; 2] = [Self::PinnedClientCerts, Self::PkiClientCerts];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PinnedClientCerts => "pinned_client_certs",
            Self::PkiClientCerts => "pki_client_certs",
        }
    }

    /// Reads a name from the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One proxy address of a control plane's nodes; metadata only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyUrl {
    /// Host name or address, 1 to 120 characters.
    pub host: String,
    /// TCP port, at least 1.
    pub port: u16,
    /// Scheme, 1 to 32 characters.
    pub protocol: String,
}

/// One configuration space of an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlPlane {
    /// Made by the server.
    pub id: Uuid,
    /// The tenant that owns it; nobody else sees that it exists.
    pub organisation: Uuid,
    /// Unique within the organisation, 2 to 256 characters.
    pub name: String,
    /// Free text of at most 2048 characters; empty by default.
    pub description: String,
    /// The caller's own labels.
    pub labels: BTreeMap<String, String>,
    /// Ten lower-case hexadecimal characters, unique in the geo: the first label of its hosts.
    pub prefix: String,
    /// Fixed at creation.
    pub cluster_type: ClusterType,
    /// How nodes prove themselves.
    pub auth_type: AuthType,
    /// Whether its nodes are hosted; fixed at creation.
    pub cloud_gateway: bool,
    /// At most five.
    pub proxy_urls: Vec<ProxyUrl>,
    /// Made together with the organisation; it cannot be deleted.
    pub is_default: bool,
    /// Milliseconds since the epoch.
    pub created_at: u64,
    /// Milliseconds since the epoch.
    pub updated_at: u64,
}

/// What a caller gives to create a control plane; checked by `Planes::create`.
#[derive(Clone, Debug, Default)]
pub struct NewControlPlane {
    /// See [`ControlPlane::name`].
    pub name: String,
    /// See [`ControlPlane::description`].
    pub description: String,
    /// See [`ControlPlane::labels`].
    pub labels: BTreeMap<String, String>,
    /// See [`ControlPlane::cluster_type`].
    pub cluster_type: ClusterType,
    /// See [`ControlPlane::auth_type`].
    pub auth_type: AuthType,
    /// See [`ControlPlane::cloud_gateway`].
    pub cloud_gateway: bool,
    /// See [`ControlPlane::proxy_urls`].
    pub proxy_urls: Vec<ProxyUrl>,
    /// See [`ControlPlane::is_default`].
    pub is_default: bool,
}

/// What a caller gives to change a control plane; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct PatchControlPlane {
    /// See [`ControlPlane::name`].
    pub name: Option<String>,
    /// See [`ControlPlane::description`].
    pub description: Option<String>,
    /// Replaces all labels.
    pub labels: Option<BTreeMap<String, String>>,
    /// See [`ControlPlane::auth_type`].
    pub auth_type: Option<AuthType>,
    /// Replaces all.
    pub proxy_urls: Option<Vec<ProxyUrl>>,
}

/// A certificate registered with a control plane: a leaf to compare whole
/// ([`AuthType::PinnedClientCerts`]) or an anchor ([`AuthType::PkiClientCerts`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// Made by the server.
    pub id: Uuid,
    /// The text as it was uploaded.
    pub cert: String,
    /// The first certificate of the text.
    pub der: Vec<u8>,
    /// SHA-256 of `der`, lower-case hexadecimal.
    pub sha256: String,
    /// The caller's own words; may be empty.
    pub title: String,
    /// Seconds since the epoch.
    pub created_at: u64,
    /// Seconds since the epoch.
    pub updated_at: u64,
}

/// What a connection says about its node; given to `Planes::record_node` on connect, on every
/// ping and on disconnect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSeen {
    /// The control plane to which the node connected (a group for nodes of a group).
    pub control_plane: Uuid,
    /// The node's own id.
    pub node_id: Uuid,
    /// As the node states it, such as `3.9.1`.
    pub version: String,
    /// As the node states it.
    pub hostname: String,
    /// The address from which it connected, without the port.
    pub ip: String,
    /// 32 characters; all zero means that it runs no configuration yet. `None` leaves the
    /// recorded one.
    pub config_hash: Option<String>,
    /// Labels of the node (`cluster_dp_labels`).
    pub labels: BTreeMap<String, String>,
    /// The registered certificate it presented.
    pub certificate_id: Option<Uuid>,
    /// `COMPATIBILITY_STATE_…` with issues as the API shows them. `None` leaves the recorded one.
    pub compatibility: Option<serde_json::Value>,
    /// Whether it has a connection now.
    pub is_connected: bool,
}

/// A node as the platform remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The node's own id.
    pub id: Uuid,
    /// As the node states it.
    pub version: String,
    /// As the node states it.
    pub hostname: String,
    /// The address from which it last connected.
    pub ip: String,
    /// `kong-proxy`, or `ingress-controller`.
    #[serde(rename = "type")]
    pub kind: String,
    /// 32 characters; all zero means no configuration yet.
    pub config_hash: String,
    /// Labels of the node.
    pub labels: BTreeMap<String, String>,
    /// The registered certificate it presented.
    pub certificate_id: Option<Uuid>,
    /// `{"state": …, "issues": […]}` as the API shows it.
    pub compatibility: serde_json::Value,
    /// What an ingress controller says about itself, `INGRESS_CONTROLLER_STATE_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Seconds since the epoch.
    pub last_ping: u64,
    /// Seconds since the epoch: first seen.
    pub created_at: u64,
    /// Seconds since the epoch: last change other than a ping.
    pub updated_at: u64,
    /// Whether it has a connection now; false after a restart of the platform until it is seen.
    #[serde(default, skip_serializing)]
    pub is_connected: bool,
}

/// What an ingress controller reports about itself or one of its gateways; given to
/// `Planes::put_node`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeReport {
    /// The node's own id.
    pub id: Uuid,
    /// `ingress-controller` or `kong-proxy`.
    pub kind: String,
    /// As it is stated, such as `namespace/pod`.
    pub hostname: String,
    /// As it is stated.
    pub version: String,
    /// `INGRESS_CONTROLLER_STATE_…`; `None` when nothing is said.
    pub status: Option<String>,
    /// `None` leaves the recorded one.
    pub config_hash: Option<String>,
    /// As the API shows it. `None` leaves the recorded one.
    pub compatibility: Option<serde_json::Value>,
    /// Seconds since the epoch; `None`, or a moment that cannot be, means now.
    pub last_ping: Option<u64>,
}

/// What building the merged configuration of a group found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStatus {
    /// Two members define the same thing; empty when the merge works.
    pub conflicts: Vec<Conflict>,
    /// Milliseconds since the epoch: when this state was first found.
    pub created_at: u64,
    /// Milliseconds since the epoch: when it was last found.
    pub updated_at: u64,
}

/// One thing that two members of a group define.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The member whose entity was found to clash.
    pub member: Uuid,
    /// One sentence for a person.
    pub description: String,
    /// The entity's id.
    pub resource_id: Uuid,
    /// The entity's kind in the singular, such as `service`.
    pub resource_type: String,
}

/// What the push of configuration must act on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaneEvent {
    /// A registered certificate was removed or replaced: connections that used it end.
    CertificateRevoked {
        /// The control plane.
        control_plane: Uuid,
        /// The registered certificate.
        certificate: Uuid,
    },
    /// A control plane is gone: its connections end.
    PlaneDeleted {
        /// The control plane.
        control_plane: Uuid,
    },
    /// The members of a group changed: its nodes need another configuration.
    MembersChanged {
        /// The group.
        group: Uuid,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_cluster_type_names_are_read_and_never_written() {
        assert_eq!(
            ClusterType::parse("CLUSTER_TYPE_HYBRID"),
            Some(ClusterType::ControlPlane)
        );
        assert_eq!(
            ClusterType::parse("CLUSTER_TYPE_COMPOSITE"),
            Some(ClusterType::Group)
        );
        for kind in ClusterType::ALL {
            assert_eq!(ClusterType::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(ClusterType::parse("CLUSTER_TYPE_OTHER"), None);
    }

    #[test]
    fn auth_types_have_the_names_of_the_wire() {
        for kind in AuthType::ALL {
            assert_eq!(AuthType::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
