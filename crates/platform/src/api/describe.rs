//! `/openapi.json`: what a host serves, for machines.
//!
//! Made from the same tables as the routers and from the entities' own descriptions; it says
//! nothing that is not served.

use admin_api::core::Mount;
use axum::routing::get;
use axum::{Json, Router};
use entities::Catalogue;
use openapi::{Access, Document, Operation};
use serde_json::{Map, Value, json};

use super::{Parts, me, requests};
use crate::assembly::GeoParts;

/// The path of the description.
pub(crate) const PATH: &str = "/openapi.json";

/// Everything served under `global.api.D`.
pub(crate) fn global_operations() -> Vec<Operation> {
    let mut operations = me::operations();
    operations.push(description());
    operations
}

/// Everything served under `GEO.api.D`.
pub(crate) fn geo_operations(catalogue: &Catalogue) -> Vec<Operation> {
    let mut operations: Vec<_> = control_plane::api::operations().collect();
    operations.extend(admin_api::core::operations(catalogue, Mount::CoreEntities));
    operations.push(requests::operation());
    operations.push(import());
    operations.extend(admin_api::batch::operations());
    operations.extend(admin_api::revision::operations());
    operations.push(description());
    operations
}

/// Everything served under `GEO.kic.api.D`.
pub(crate) fn kic_operations(catalogue: &Catalogue) -> Vec<Operation> {
    let mut operations = admin_api::core::operations(catalogue, Mount::IngressController);
    operations.extend(control_plane::api::kic::operations());
    operations.push(description());
    operations
}

fn import() -> Operation {
    let summary = "Replace the whole configuration by a declarative file";
    let mut operation = Operation::new("POST", admin_api::import::PATH, summary);
    operation.tag = "control planes";
    operation.errors = openapi::ErrorForm::Configuration;
    operation.body = Some(json!({"type": "object"}));
    operation.media = &["application/json", "application/yaml"];
    operation.answer = Some(json!({"type": "object"}));
    operation
}

/// The description describes itself.
fn description() -> Operation {
    let mut operation = Operation::new("GET", PATH, "This description");
    operation.tag = "description";
    operation.access = Access::Open;
    operation.answer = Some(json!({"type": "object", "required": ["openapi", "paths"]}));
    operation
}

pub(super) fn global(parts: &Parts) -> Router {
    serve(&Document {
        title: "Organisation and users".to_owned(),
        server: Some(url(parts, "global.api")),
        operations: global_operations(),
        schemas: me::schemas(),
    })
}

pub(super) fn geo(parts: &Parts, geo: &GeoParts) -> Router {
    let catalogue = geo.entities.catalogue();
    let host = format!("{}.api", geo.planes.geo().name);
    serve(&Document {
        title: "Control planes".to_owned(),
        server: Some(url(parts, &host)),
        operations: geo_operations(catalogue),
        schemas: geo_schemas(catalogue),
    })
}

pub(super) fn kic(parts: &Parts, geo: &GeoParts) -> Router {
    let catalogue = geo.entities.catalogue();
    let host = format!("{}.kic.api", geo.planes.geo().name);
    let mut schemas = admin_api::core::components(catalogue);
    schemas.extend(control_plane::api::kic::schemas());
    serve(&Document {
        title: "Ingress controllers".to_owned(),
        server: Some(url(parts, &host)),
        operations: kic_operations(catalogue),
        schemas,
    })
}

/// The description of what an address serves: the default geo and the global API.
pub(super) fn local(geo: Option<&GeoParts>) -> Router {
    let mut operations = me::operations();
    let mut schemas = me::schemas();
    match geo {
        Some(geo) => {
            let catalogue = geo.entities.catalogue();
            operations.extend(geo_operations(catalogue));
            schemas.extend(geo_schemas(catalogue));
        }
        None => operations.push(description()),
    }
    serve(&Document {
        title: "Organisation, users and control planes".to_owned(),
        server: None,
        operations,
        schemas,
    })
}

fn geo_schemas(catalogue: &Catalogue) -> Map<String, Value> {
    let mut schemas = control_plane::api::schemas();
    schemas.extend(admin_api::core::components(catalogue));
    schemas
}

fn serve(document: &Document) -> Router {
    let document = document.render();
    Router::new().route(PATH, get(move || async move { Json(document) }))
}

fn url(parts: &Parts, first: &str) -> String {
    let port = match parts.port {
        443 => String::new(),
        other => format!(":{other}"),
    };
    format!("https://{first}.{}{port}", parts.hosts.base())
}
