//! The control plane in whose configuration a request works.

use admin_api::Scope;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use axum::response::Response;
use control_plane::api::Family;
use control_plane::{ClusterType, ControlPlane, Planes};
use http::{Request, StatusCode};
use identity::{Principal, ResourceKind};

/// Lets a request through when its caller may do to the control plane's configuration what the
/// method does, and leaves the [`Scope`].
pub(super) async fn enter(
    State(planes): State<Planes>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let family = Family::of(request.uri().path());
    let Some(principal) = request.extensions().get::<Principal>() else {
        return family.answer(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    };
    let id = request.uri().path().split('/').nth(3).unwrap_or_default();
    let action = control_plane::api::action(request.method());
    let kind = ResourceKind::Configuration;
    match control_plane::api::plane(&planes, principal, id, action, kind).await {
        Ok(plane) => {
            let scope = Scope {
                control_plane: plane.id,
                actor: control_plane::api::actor(principal),
                read_only: read_only(&plane),
            };
            request.extensions_mut().insert(scope);
            next.run(request).await
        }
        Err(refusal) => refusal.answer(family),
    }
}

/// Compat: groups and the mirrors of ingress controllers are read-only.
fn read_only(plane: &ControlPlane) -> Option<&'static str> {
    match plane.cluster_type {
        ClusterType::Group => {
            Some("the control plane is a group and read-only; write to its members")
        }
        ClusterType::KubernetesIngressController => {
            Some("the control plane mirrors an ingress controller and is read-only")
        }
        _ => None,
    }
}
