//! What ingress controllers ask besides entities: their nodes, and a licence.
//!
//! Who calls was decided by certificate before a request gets here: the caller leaves the
//! [`ControlPlane`] in the request's extensions. Errors have the older form.

use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, put};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use openapi::{Access, ErrorForm, Operation, Query};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::legacy::Legacy;
use super::{certificates, describe, object, query};
use crate::model::{ControlPlane, NodeReport};
use crate::planes::Planes;

const NODES: &str = "/kic/api/control-planes/{id}/v1/kic-nodes";
const NODE: &str = "/kic/api/control-planes/{id}/v1/kic-nodes/{node}";
const LICENSES: &str = "/kic/api/control-planes/{id}/v1/licenses";

/// Items of a page when nothing is said, and at most.
const PAGE: (usize, usize, usize) = (1, 100, 1000);
/// Characters of a text about a node.
const MAX_TEXT: usize = 512;

const STATES: [&str; 8] = [
    "INGRESS_CONTROLLER_STATE_UNSPECIFIED",
    "INGRESS_CONTROLLER_STATE_OPERATIONAL",
    "INGRESS_CONTROLLER_STATE_PARTIAL_CONFIG_FAIL",
    "INGRESS_CONTROLLER_STATE_INOPERABLE",
    "INGRESS_CONTROLLER_STATE_OPERATIONAL_KONNECT_OUT_OF_SYNC",
    "INGRESS_CONTROLLER_STATE_PARTIAL_CONFIG_FAIL_KONNECT_OUT_OF_SYNC",
    "INGRESS_CONTROLLER_STATE_INOPERABLE_KONNECT_OUT_OF_SYNC",
    "INGRESS_CONTROLLER_STATE_UNKNOWN",
];

struct Row {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    success: u16,
    handler: fn() -> MethodRouter<Planes>,
}

const TABLE: &[Row] = &[
    Row {
        method: "GET",
        path: NODES,
        summary: "List nodes of the ingress controller",
        success: 200,
        handler: || get(list),
    },
    Row {
        method: "POST",
        path: NODES,
        summary: "Report a new node",
        success: 201,
        handler: || axum::routing::post(create),
    },
    Row {
        method: "PUT",
        path: NODE,
        summary: "Report a node",
        success: 200,
        handler: || put(replace),
    },
    Row {
        method: "DELETE",
        path: NODE,
        summary: "Forget a node",
        success: 204,
        handler: || axum::routing::delete(remove),
    },
    Row {
        method: "GET",
        path: LICENSES,
        summary: "List licences; there are none",
        success: 200,
        handler: || get(licenses),
    },
];

/// Everything that [`router`] serves.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let describe = |row: &Row| {
        let mut operation = Operation::new(row.method, row.path, row.summary);
        operation.tag = "ingress controllers";
        operation.success = vec![row.success];
        operation.errors = ErrorForm::Configuration;
        operation.access = Access::Certificate;
        let item = Some(openapi::reference("ControllerNodeItem"));
        match row.method {
            "GET" if row.path == LICENSES => {
                operation.answer = Some(openapi::reference("Licenses"));
            }
            "GET" => {
                operation.answer = Some(openapi::reference("ControllerNodes"));
                operation.query = vec![
                    Query::number(
                        "page.size",
                        (1, 1000),
                        "Items of a page; 100 when not given",
                    ),
                    Query::text("page.next_cursor", "The cursor of the page before"),
                ];
            }
            "POST" => {
                operation.body = Some(openapi::reference("NewControllerNode"));
                operation.answer = item;
            }
            "PUT" => {
                operation.body = Some(openapi::reference("ControllerNodeChange"));
                operation.answer = item;
            }
            _ => {}
        }
        operation
    };
    TABLE.iter().map(describe).collect()
}

/// The named schemas that the operations refer to.
#[must_use]
pub fn schemas() -> Map<String, Value> {
    let text = json!({"type": "string", "maxLength": MAX_TEXT});
    let change = json!({
        "hostname": text,
        "version": text,
        "type": {"enum": ["ingress-controller", "kong-proxy"]},
        "last_ping": {"type": "integer", "minimum": 0},
        "status": {"enum": STATES},
        "config_hash": text,
        "compatibility_status": {"type": ["object", "null"]},
    });
    let mut new = change.clone();
    new["id"] = json!({"type": "string", "format": "uuid"});
    let of = |required: &[&str], members: &Value| json!({"type": "object", "required": required, "properties": members});
    let node = describe::schemas().remove("Node").unwrap_or_default();
    let page = json!({
        "total_count": {"type": "integer"},
        "next_cursor": {"type": "string"},
        "has_next_page": {"type": "boolean"},
    });
    let nodes = json!({
        "items": {"type": "array", "items": openapi::reference("ControllerNode")},
        "page": of(&["total_count", "has_next_page"], &page),
    });
    let licenses = json!({"items": {"type": "array", "items": {"type": "object"}}});
    let item = json!({"item": openapi::reference("ControllerNode")});
    [
        ("ControllerNode", node),
        ("ControllerNodeItem", of(&["item"], &item)),
        ("ControllerNodes", of(&["items", "page"], &nodes)),
        ("NewControllerNode", of(&["id", "hostname", "type"], &new)),
        ("ControllerNodeChange", of(&["hostname", "type"], &change)),
        ("Licenses", of(&["items"], &licenses)),
    ]
    .into_iter()
    .map(|(name, schema)| (name.to_owned(), schema))
    .collect()
}

/// The API of one geo.
pub fn router(planes: Planes) -> Router {
    TABLE
        .iter()
        .fold(Router::new(), |router, row| {
            router.route(row.path, (row.handler)())
        })
        .with_state(planes)
}

async fn list(
    State(planes): State<Planes>,
    Extension(plane): Extension<ControlPlane>,
    RawQuery(text): RawQuery,
) -> Result<Response, Legacy> {
    let pairs = query::pairs(text.as_deref());
    let mut found = Vec::new();
    let size = query::number(&pairs, "page.size", PAGE, &mut found);
    let mut faults: Vec<_> = found
        .into_iter()
        .map(|fault| (fault.field, fault.reason))
        .collect();
    let after = match query::value(&pairs, "page.next_cursor") {
        None | Some("") => None,
        Some(text) => {
            let id = Uuid::try_parse(text).ok();
            if id.is_none() {
                let message = "must be the `next_cursor` of the page before";
                faults.push(("page.next_cursor".to_owned(), message.to_owned()));
            }
            id
        }
    };
    if !faults.is_empty() {
        return Err(Legacy::invalid(faults));
    }
    let nodes = planes.nodes(plane.id);
    let mut rest = nodes
        .iter()
        .filter(|node| after.is_none_or(|after| node.id > after));
    let shown: Vec<_> = rest.by_ref().take(size).collect();
    let next = rest.next().and_then(|_| shown.last()).map(|last| last.id);
    let mut page = json!({"total_count": nodes.len(), "has_next_page": next.is_some()});
    if let Some(next) = next {
        page["next_cursor"] = json!(next);
    }
    let items: Vec<_> = shown.into_iter().map(object::node).collect();
    Ok(Json(json!({"items": items, "page": page})).into_response())
}

async fn create(
    State(planes): State<Planes>,
    Extension(plane): Extension<ControlPlane>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Legacy> {
    let members = certificates::object_of(&headers, &bytes)?;
    let node = planes.put_node(plane.id, report(&members, None)?).await?;
    let item = Json(json!({"item": object::node(&node)}));
    Ok((StatusCode::CREATED, item).into_response())
}

async fn replace(
    State(planes): State<Planes>,
    Extension(plane): Extension<ControlPlane>,
    Path((_, node)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Legacy> {
    let id = uuid(&node)?;
    let members = certificates::object_of(&headers, &bytes)?;
    let node = planes
        .put_node(plane.id, report(&members, Some(id))?)
        .await?;
    Ok(Json(json!({"item": object::node(&node)})).into_response())
}

async fn remove(
    State(planes): State<Planes>,
    Extension(plane): Extension<ControlPlane>,
    Path((_, node)): Path<(String, String)>,
) -> Result<Response, Legacy> {
    planes.delete_node(plane.id, uuid(&node)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// There are no licences here, and nothing that would need one.
async fn licenses() -> Response {
    Json(json!({"items": []})).into_response()
}

fn uuid(text: &str) -> Result<Uuid, Legacy> {
    Uuid::try_parse(text).map_err(|_| Legacy::new(StatusCode::NOT_FOUND, "Not Found"))
}

/// What a body says about a node; members that are not known are passed over, because newer
/// controllers say more.
fn report(members: &Map<String, Value>, id: Option<Uuid>) -> Result<NodeReport, Legacy> {
    let mut faults = Vec::new();
    let id = id.unwrap_or_else(|| {
        let given = members.get("id").and_then(Value::as_str);
        given
            .and_then(|text| Uuid::try_parse(text).ok())
            .unwrap_or_else(|| {
                faults.push(("id".to_owned(), "expected a valid UUID".to_owned()));
                Uuid::nil()
            })
    });
    let mut text = |name: &str, is_required: bool| match members.get(name) {
        None | Some(Value::Null) if is_required => {
            faults.push((name.to_owned(), "required field missing".to_owned()));
            None
        }
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.chars().count() <= MAX_TEXT => Some(text.clone()),
        Some(Value::String(_)) => {
            faults.push((
                name.to_owned(),
                format!("length must be at most {MAX_TEXT}"),
            ));
            None
        }
        Some(_) => {
            faults.push((name.to_owned(), "expected a string".to_owned()));
            None
        }
    };
    let (kind, hostname) = (text("type", true), text("hostname", true));
    let (version, status) = (text("version", false), text("status", false));
    let config_hash = text("config_hash", false).filter(|hash| !hash.is_empty());
    let mut one_of = |name: &str, value: Option<&String>, known: &[&str]| {
        if value.is_some_and(|value| !known.contains(&value.as_str())) {
            let message = format!("expected one of: {}", known.join(", "));
            faults.push((name.to_owned(), message));
        }
    };
    one_of("type", kind.as_ref(), &["ingress-controller", "kong-proxy"]);
    one_of("status", status.as_ref(), &STATES);
    let ping = members.get("last_ping").filter(|ping| !ping.is_null());
    let last_ping = ping.and_then(Value::as_u64);
    if ping.is_some() && last_ping.is_none() {
        faults.push(("last_ping".to_owned(), "expected an integer".to_owned()));
    }
    let compatibility = match members.get("compatibility_status") {
        None | Some(Value::Null) => None,
        Some(Value::Object(status)) => Some(Value::Object(status.clone())),
        Some(_) => {
            faults.push((
                "compatibility_status".to_owned(),
                "expected a record".to_owned(),
            ));
            None
        }
    };
    if !faults.is_empty() {
        return Err(Legacy::invalid(faults));
    }
    Ok(NodeReport {
        id,
        kind: kind.unwrap_or_default(),
        hostname: hostname.unwrap_or_default(),
        version: version.unwrap_or_default(),
        status,
        config_hash,
        compatibility,
        last_ping,
    })
}
