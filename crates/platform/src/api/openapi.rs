//! `/openapi.json`: what a host serves, for machines.
//!
//! Made from the same tables as the routers and from the entities' own descriptions; it says
//! nothing that is not served.

use std::collections::BTreeSet;

use axum::routing::get;
use axum::{Json, Router};
use entities::Catalogue;
use serde_json::{Map, Value, json};

use super::{Parts, me, requests};
use crate::assembly::GeoParts;

/// The path of the description.
pub(crate) const PATH: &str = "/openapi.json";

/// One operation, from whichever table.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) summary: String,
    pub(crate) success: u16,
    /// Plural name of the entity that the body describes.
    pub(crate) kind: Option<&'static str>,
    pub(crate) needs_token: bool,
}

impl From<control_plane::api::Endpoint> for Operation {
    fn from(endpoint: control_plane::api::Endpoint) -> Self {
        Self {
            method: endpoint.method,
            path: endpoint.path.to_owned(),
            summary: endpoint.summary.to_owned(),
            success: endpoint.success,
            kind: None,
            needs_token: endpoint != me::REGIONS,
        }
    }
}

impl From<admin_api::core::Endpoint> for Operation {
    fn from(endpoint: admin_api::core::Endpoint) -> Self {
        Self {
            method: endpoint.method,
            path: endpoint.path,
            summary: endpoint.summary,
            success: endpoint.success,
            kind: endpoint.kind,
            needs_token: true,
        }
    }
}

/// Everything served under `global.api.D`.
pub(crate) fn global_operations() -> Vec<Operation> {
    me::ENDPOINTS.into_iter().map(Operation::from).collect()
}

/// Everything served under `GEO.api.D`.
pub(crate) fn geo_operations(catalogue: &Catalogue) -> Vec<Operation> {
    let mut operations: Vec<_> = control_plane::api::endpoints()
        .map(Operation::from)
        .collect();
    operations.extend(
        admin_api::core::endpoints(catalogue)
            .into_iter()
            .map(Operation::from),
    );
    operations.push(requests::ENDPOINT.into());
    operations.push(Operation {
        method: "POST",
        path: admin_api::import::PATH.to_owned(),
        summary: "Replace the whole configuration by a declarative file".to_owned(),
        success: 200,
        kind: None,
        needs_token: true,
    });
    operations
}

pub(super) fn global(parts: &Parts) -> Router {
    let url = url(parts, "global");
    serve(describe(
        "Organisation and users",
        &url,
        &global_operations(),
        None,
    ))
}

pub(super) fn geo(parts: &Parts, geo: &GeoParts) -> Router {
    let url = url(parts, &geo.planes.geo().name);
    let catalogue = geo.entities.catalogue();
    serve(describe(
        "Control planes",
        &url,
        &geo_operations(catalogue),
        Some(catalogue),
    ))
}

fn serve(document: Value) -> Router {
    Router::new().route(PATH, get(move || async move { Json(document) }))
}

fn url(parts: &Parts, first: &str) -> String {
    let port = match parts.port {
        443 => String::new(),
        other => format!(":{other}"),
    };
    format!("https://{first}.api.{}{port}", parts.hosts.base())
}

fn describe(
    title: &str,
    url: &str,
    operations: &[Operation],
    catalogue: Option<&Catalogue>,
) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let item = paths
            .entry(operation.path.clone())
            .or_insert_with(|| json!({}));
        if let Value::Object(methods) = item {
            methods.insert(operation.method.to_ascii_lowercase(), one(operation));
        }
    }
    let kinds: BTreeSet<_> = operations
        .iter()
        .filter_map(|operation| operation.kind)
        .collect();
    let schemas: Map<String, Value> = kinds
        .into_iter()
        .filter_map(|kind| catalogue?.kind(kind))
        .map(|kind| (kind.name.to_owned(), kind.schema.json_schema()))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": format!("Gatehouse: {title}"),
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{"url": url}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
        },
    })
}

fn one(operation: &Operation) -> Value {
    let parameters: Vec<_> = operation
        .path
        .split(['{', '}'])
        .skip(1)
        .step_by(2)
        .map(|name| {
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
        })
        .collect();
    let reference = operation
        .kind
        .map(|kind| json!({"$ref": format!("#/components/schemas/{kind}")}));
    let mut success = json!({"description": "Success"});
    let is_item = matches!(operation.method, "POST" | "PUT") || operation.path.ends_with("{key}");
    if let (Some(schema), true, 200 | 201) = (&reference, is_item, operation.success) {
        success["content"] = json!({"application/json": {"schema": schema}});
    }
    let mut described = json!({
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            operation.success.to_string(): success,
            "default": {"description": "An error with a message, as JSON or problem+json"},
        },
        "security": if operation.needs_token { json!([{"token": []}]) } else { json!([]) },
    });
    if let (Some(schema), "POST" | "PUT") = (reference, operation.method) {
        described["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    described
}
