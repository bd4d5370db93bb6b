//! The APIs of the host names: what is mounted where, and what lies around it.
//!
//! Around every handler that needs a token, from the outside in: the token is checked, the
//! control plane named in the path is checked, then the body is read within its limit.

mod admin;
mod bodies;
mod describe;
mod me;
mod requests;
mod scope;

use std::sync::Arc;

use admin_api::core::Mount;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_request_with_state};
use axum::response::IntoResponse;
use control_plane::api::{ApiState, Family, authenticate};
use http::{StatusCode, Uri};
use identity::Identity;

use crate::assembly::GeoParts;
use crate::hosts::Hosts;
use crate::kic;
use crate::options::Limits;
use crate::site;
use bodies::BodyLimit;
#[cfg(test)]
pub(crate) use describe::{geo_operations, global_operations, kic_operations};

/// What all hosts share.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) identity: Identity,
    pub(crate) hosts: Hosts,
    pub(crate) port: u16,
    pub(crate) limits: Limits,
}

/// The service of `global.api.D`.
pub(crate) fn global(parts: &Parts) -> Router {
    finish(global_routes(parts).merge(describe::global(parts)))
}

/// The service of `GEO.api.D`.
pub(crate) fn geo(parts: &Parts, geo: &GeoParts) -> Router {
    finish(geo_routes(parts, geo).merge(describe::geo(parts, geo)))
}

/// The service of `GEO.kic.api.D`.
pub(crate) fn kic(parts: &Parts, geo: &GeoParts) -> Router {
    let entities = admin_api::core::router(geo.entities.clone(), Mount::IngressController);
    let limit = BodyLimit {
        bytes: parts.limits.body,
        time: parts.limits.body_read,
    };
    let closed = entities
        .merge(control_plane::api::kic::router(geo.planes.clone()))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(map_request_with_state(limit, bodies::read))
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(geo.planes.clone(), kic::enter));
    finish(closed.merge(describe::kic(parts, geo)))
}

/// The service of an address and of `localhost`: the default geo, the global API, the page.
pub(crate) fn local(parts: &Parts, default: Option<&GeoParts>) -> Router {
    let mut router = global_routes(parts).merge(site::page(&parts.hosts, parts.port));
    if let Some(geo) = default {
        router = router.merge(geo_routes(parts, geo));
    }
    finish(router.merge(describe::local(default)))
}

fn global_routes(parts: &Parts) -> Router {
    let open = me::open_router(&parts.hosts);
    let closed = guarded(parts, me::router(parts.identity.clone()), parts.limits.body);
    open.merge(closed)
}

fn geo_routes(parts: &Parts, geo: &GeoParts) -> Router {
    let state = ApiState {
        planes: geo.planes.clone(),
        hashes: Arc::new(geo.outlet.clone()),
    };
    let planes = control_plane::api::router(state);
    let entities = scoped(
        geo,
        admin_api::core::router(geo.entities.clone(), Mount::CoreEntities),
    );
    let files = admin_api::import::router(geo.entities.clone())
        .merge(admin_api::batch::router(geo.entities.clone()));
    let admin = scoped(geo, admin::router(geo));
    let files = scoped(geo, files);
    let revisions = scoped(geo, admin_api::revision::router(geo.entities.clone()));
    let requests = requests::router(requests::Source {
        planes: geo.planes.clone(),
        analytics: geo.analytics.clone(),
    });
    guarded(parts, planes.merge(requests), parts.limits.body)
        .merge(guarded(parts, entities, parts.limits.body))
        .merge(guarded(parts, admin, parts.limits.body))
        .merge(guarded(parts, revisions, parts.limits.body))
        .merge(guarded(parts, files, parts.limits.declarative_body))
}

/// Lays the check of the control plane around a router of its configuration.
fn scoped(geo: &GeoParts, router: Router) -> Router {
    router.layer(from_fn_with_state(geo.planes.clone(), scope::enter))
}

/// Lays the check of the token and the limit of bodies around a router.
fn guarded(parts: &Parts, router: Router, bytes: usize) -> Router {
    let limit = BodyLimit {
        bytes,
        time: parts.limits.body_read,
    };
    router
        .method_not_allowed_fallback(method_not_allowed)
        .layer(map_request_with_state(limit, bodies::read))
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(parts.identity.clone(), authenticate))
}

fn finish(router: Router) -> Router {
    router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(|uri: Uri| async move {
            Family::of(uri.path()).answer(StatusCode::NOT_FOUND, "Not Found")
        })
}

async fn method_not_allowed(uri: Uri) -> impl IntoResponse {
    Family::of(uri.path()).answer(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}
