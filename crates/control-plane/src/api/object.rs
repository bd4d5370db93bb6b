//! Control planes, certificates and nodes as the API shows them.

use serde_json::{Map, Value, json};

use crate::geo::Geo;
use crate::model::{ClusterType, ControlPlane, Node, Pinned};

/// Compat: exactly these members; ingress-controller planes have no `proxy_urls`.
pub(super) fn control_plane(plane: &ControlPlane, geo: &Geo) -> Value {
    let mut config = Map::new();
    let mut set = |member: &str, value: Value| config.insert(member.to_owned(), value);
    set("auth_type", json!(plane.auth_type));
    set("cloud_gateway", json!(plane.cloud_gateway));
    set("cluster_type", json!(plane.cluster_type));
    set(
        "control_plane_endpoint",
        json!(geo.control_plane_endpoint(&plane.prefix)),
    );
    if plane.cluster_type != ClusterType::KubernetesIngressController {
        set("proxy_urls", json!(plane.proxy_urls));
    }
    set(
        "telemetry_endpoint",
        json!(geo.telemetry_endpoint(&plane.prefix)),
    );
    json!({
        "config": config,
        "created_at": clock::rfc3339_millis(plane.created_at),
        "description": plane.description,
        "id": plane.id,
        "labels": plane.labels,
        "name": plane.name,
        "updated_at": clock::rfc3339_millis(plane.updated_at),
    })
}

pub(super) fn certificate(pin: &Pinned) -> Value {
    json!({
        "id": pin.id,
        "cert": pin.cert,
        "title": pin.title,
        "created_at": pin.created_at,
        "updated_at": pin.updated_at,
    })
}

pub(super) fn node(node: &Node) -> Value {
    let mut shown = json!({
        "id": node.id,
        "version": node.version,
        "hostname": node.hostname,
        "type": node.kind,
        "last_ping": node.last_ping,
        "created_at": node.created_at,
        "updated_at": node.updated_at,
        "config_hash": node.config_hash,
        "labels": node.labels,
        "compatibility_status": node.compatibility,
    });
    if let Value::Object(members) = &mut shown {
        if let Some(id) = node.certificate_id {
            members.insert("data_plane_cert_id".to_owned(), json!(id));
        }
        if let Some(status) = &node.status {
            members.insert("status".to_owned(), json!(status));
        }
    }
    shown
}
