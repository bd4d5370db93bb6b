//! What the bodies and answers of this API look like, for its machine-readable description.
//!
//! Tests send what these schemas allow and forbid, so a member that is missing here is found.

use openapi::Query;
use serde_json::{Map, Value, json};

use crate::model::{AuthType, ClusterType};
use crate::planes;

pub(super) const PLANES: &[Query] = &[
    Query::number(
        "page[size]",
        (1, 1000),
        "Items of a page; 10 when it is not given",
    ),
    Query::number("page[number]", (1, u64::MAX), "Which page, from 1"),
    Query::text("filter[name][eq]", "Only the one of this name"),
    Query::text(
        "filter[name][contains]",
        "Only those with this in their names",
    ),
    Query::text("filter[id][eq]", "Only the one with this id"),
    Query::text("filter[cluster_type][eq]", "Only those of this type"),
    Query::text(
        "labels",
        "Only those with all of these labels: `key:value,key`",
    ),
    Query::text(
        "sort",
        "`name`, `created_at` or `updated_at`, each with `desc` or nothing",
    ),
];

pub(super) const CURSOR: &[Query] = &[
    Query::number("page[size]", (1, 1000), "Items of a page"),
    Query::text("page[after]", "From the link to a page"),
    Query::text("page[before]", "From the link to a page"),
];

pub(super) const FORCE: &[Query] = &[Query::flag(
    "force",
    "Whether secrets in it are removed too",
)];

pub(super) const NODES: &[Query] = &[
    Query::number(
        "page[size]",
        (1, 1000),
        "Items of a page; 100 when it is not given",
    ),
    Query::text("page[after]", "The `next` of the page before"),
];

pub(super) const OLDER: &[Query] = &[
    Query::number(
        "size",
        (1, 1000),
        "Items of a page; 100 when it is not given",
    ),
    Query::number("page", (1, u64::MAX), "Which page, from 1"),
];

/// The named schemas that the operations refer to.
#[must_use]
pub fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    let tables = control_planes()
        .into_iter()
        .chain(groups())
        .chain(certificates())
        .chain(nodes())
        .chain(config_stores());
    for (name, schema) in tables {
        schemas.insert(name.to_owned(), schema);
    }
    schemas
}

type Named = (&'static str, Value);

fn text() -> Value {
    json!({"type": "string"})
}

fn id() -> Value {
    json!({"type": "string", "format": "uuid"})
}

fn moment() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn seconds() -> Value {
    json!({"type": "integer", "minimum": 0})
}

/// An object that has exactly these members; `required` of them must be there.
fn object(required: &[&str], members: &Value) -> Value {
    json!({
        "type": "object",
        "required": required,
        "properties": members,
        "additionalProperties": false,
    })
}

/// Exactly these members, all of them.
fn whole(members: &Value) -> Value {
    let names: Vec<&str> = members
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .map(String::as_str)
        .collect();
    object(&names, members)
}

fn list(of: &str) -> Value {
    json!({"type": "array", "items": openapi::reference(of)})
}

/// A page of control planes.
fn numbered_page() -> Value {
    whole(&json!({
        "data": list("ControlPlane"),
        "meta": whole(&json!({
            "page": whole(&json!({"number": seconds(), "size": seconds(), "total": seconds()})),
        })),
    }))
}

/// The page of control planes that decK reads.
fn older_list() -> Value {
    whole(&json!({
        "data": {"type": "array", "items": whole(&json!({"id": id(), "name": text()}))},
        "page": seconds(),
        "pageCount": seconds(),
    }))
}

fn control_planes() -> Vec<Named> {
    let labels = json!({
        "type": "object",
        "maxProperties": 50,
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 63},
    });
    let urls = json!({"type": "array", "maxItems": 5, "items": openapi::reference("ProxyUrl")});
    let name = json!({"type": "string", "minLength": 2, "maxLength": 256});
    let description = json!({"type": ["string", "null"], "maxLength": 2048});
    let auth = json!({"enum": AuthType::ALL.map(AuthType::as_str)});
    let types = ClusterType::ALL.map(ClusterType::as_str);
    let config = json!({
        "auth_type": auth,
        "cloud_gateway": {"type": "boolean"},
        "cluster_type": {"enum": types},
        "control_plane_endpoint": text(),
        "proxy_urls": urls,
        "telemetry_endpoint": text(),
    });
    let always = [
        "auth_type",
        "cloud_gateway",
        "cluster_type",
        "control_plane_endpoint",
        "telemetry_endpoint",
    ];
    let plane = json!({
        "config": object(&always, &config),
        "created_at": moment(),
        "description": text(),
        "id": id(),
        "labels": {"type": "object", "additionalProperties": text()},
        "name": text(),
        "updated_at": moment(),
    });
    let older: Vec<_> = types
        .into_iter()
        .chain(["CLUSTER_TYPE_HYBRID", "CLUSTER_TYPE_COMPOSITE"])
        .collect();
    let new = json!({
        "name": name,
        "description": description,
        "cluster_type": {"enum": older},
        "auth_type": auth,
        "cloud_gateway": {"type": "boolean"},
        "proxy_urls": {"oneOf": [urls, {"type": "null"}]},
        "labels": {"oneOf": [labels, {"type": "null"}]},
    });
    let mut change = new.clone();
    if let Value::Object(members) = &mut change {
        members.remove("cluster_type");
        members.remove("cloud_gateway");
    }
    let url = json!({
        "host": {"type": "string", "minLength": 1, "maxLength": 120},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
        "protocol": {"type": "string", "minLength": 1, "maxLength": 32},
    });
    let mut new = object(&["name"], &new);
    new["example"] = json!({"name": "orders", "labels": {"team": "a"}});
    vec![
        ("ControlPlane", whole(&plane)),
        ("ControlPlanes", numbered_page()),
        ("NewControlPlane", new),
        ("ControlPlaneChange", object(&[], &change)),
        ("ProxyUrl", whole(&url)),
        ("OlderControlPlanes", older_list()),
    ]
}

/// A page of a list that is paged by cursor.
fn cursor_page(of: &str) -> Value {
    let link = json!({"type": ["string", "null"]});
    let page = json!({
        "next": link, "previous": link, "first": link, "last": link,
        "size": seconds(), "total": seconds(),
    });
    whole(&json!({"data": list(of), "meta": whole(&json!({"page": whole(&page)}))}))
}

fn config_stores() -> Vec<Named> {
    let limited = |most: usize| json!({"type": "string", "minLength": 1, "maxLength": most});
    let name = limited(planes::MAX_STORE_NAME);
    let (key, value) = (
        limited(planes::MAX_SECRET_KEY),
        limited(planes::MAX_SECRET_VALUE),
    );
    let store = json!({"id": id(), "name": name, "created_at": moment(), "updated_at": moment()});
    let secret = json!({"key": key, "created_at": moment(), "updated_at": moment()});
    vec![
        ("ConfigStore", whole(&store)),
        ("ConfigStores", cursor_page("ConfigStore")),
        ("NewConfigStore", whole(&json!({"name": name}))),
        ("Secret", whole(&secret)),
        ("Secrets", cursor_page("Secret")),
        ("NewSecret", whole(&json!({"key": key, "value": value}))),
        ("SecretChange", whole(&json!({"value": value}))),
    ]
}

fn groups() -> Vec<Named> {
    let members = json!({
        "members": {
            "type": "array",
            "maxItems": planes::MAX_MEMBERS_PER_CALL,
            "items": {"type": "object", "required": ["id"], "properties": {"id": id()}},
        },
    });
    let conflict = json!({
        "cluster_id": id(),
        "description": text(),
        "resource": {
            "type": "object",
            "required": ["id", "type"],
            "properties": {"id": text(), "type": text()},
        },
    });
    let status = json!({
        "item": whole(&json!({
            "id": id(),
            "state": {"enum": ["OK", "CONFLICT", "UNKNOWN"]},
            "conflicts": {"type": "array", "items": whole(&conflict)},
            "created_at": moment(),
            "updated_at": moment(),
        })),
    });
    vec![
        ("Members", whole(&members)),
        ("Memberships", cursor_page("ControlPlane")),
        (
            "GroupMemberStatus",
            whole(&json!({"is_member": {"type": "boolean"}})),
        ),
        ("GroupStatus", whole(&status)),
    ]
}

fn certificates() -> Vec<Named> {
    let certificate = json!({
        "id": id(),
        "cert": text(),
        "title": text(),
        "created_at": seconds(),
        "updated_at": seconds(),
    });
    let title = json!({"type": ["string", "null"], "maxLength": 256});
    let new = json!({
        "cert": {"type": "string", "minLength": 1, "description": "PEM"},
        "title": title,
        "id": {},
        "created_at": {},
        "updated_at": {},
    });
    let page = whole(&json!({"total_count": seconds()}));
    vec![
        ("NodeCertificate", whole(&certificate)),
        ("NewNodeCertificate", object(&["cert"], &new)),
        (
            "NodeCertificateItem",
            whole(&json!({"item": openapi::reference("NodeCertificate")})),
        ),
        (
            "NodeCertificates",
            whole(&json!({"items": list("NodeCertificate"), "page": page})),
        ),
    ]
}

fn nodes() -> Vec<Named> {
    let node = json!({
        "id": id(),
        "version": text(),
        "hostname": text(),
        "type": text(),
        "last_ping": seconds(),
        "created_at": seconds(),
        "updated_at": seconds(),
        "config_hash": text(),
        "labels": {"type": "object", "additionalProperties": text()},
        "compatibility_status": {"type": "object"},
        "data_plane_cert_id": id(),
        "status": text(),
    });
    let always = [
        "id",
        "version",
        "hostname",
        "type",
        "last_ping",
        "created_at",
        "updated_at",
        "config_hash",
        "labels",
        "compatibility_status",
    ];
    let page = object(
        &["total_count"],
        &json!({"total_count": seconds(), "next": text()}),
    );
    let unmaintained = json!({"node_id": id(), "node_version": text(), "message": text()});
    let counted = whole(&json!({"total_count": seconds()}));
    let hash = json!({
        "expected_hash": {"type": "string", "minLength": 32, "maxLength": 32},
        "created_at": seconds(),
        "updated_at": seconds(),
    });
    let version = json!({"expected_config_version": text(), "created_at": seconds()});
    vec![
        ("Node", object(&always, &node)),
        (
            "NodeItem",
            whole(&json!({"item": openapi::reference("Node")})),
        ),
        (
            "Nodes",
            whole(&json!({"items": list("Node"), "page": page})),
        ),
        (
            "UnmaintainedNodes",
            whole(&json!({
                "items": {"type": "array", "items": whole(&unmaintained)},
                "page": counted,
            })),
        ),
        ("ExpectedHash", whole(&hash)),
        ("ExpectedVersion", whole(&version)),
    ]
}
