//! Ingress controllers: who they are, by certificate.
//!
//! A certificate is compared for every request, not for every connection, so that one that was
//! revoked is refused at once.

use admin_api::Scope;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use axum::response::Response;
use control_plane::api::Family;
use control_plane::outlet::{Peer, prove};
use control_plane::{ClusterType, Planes};
use http::{Request, StatusCode};
use pki::PeerCertificate;
use store::Actor;
use uuid::Uuid;

use crate::dispatch::Caller;

/// What the handshake presented; left in the request's extensions by the dispatcher.
#[derive(Clone, Debug)]
pub(crate) struct Presented(Peer);

impl From<&Caller> for Presented {
    fn from(caller: &Caller) -> Self {
        let leaf = caller.certificates.first();
        Self(Peer {
            control_plane: Uuid::nil(),
            certificate: leaf.and_then(|leaf| PeerCertificate::from_der(leaf).ok()),
            chain: caller.certificates.iter().skip(1).cloned().collect(),
            address: caller.remote,
        })
    }
}

/// Lets a request through when its certificate belongs to the control plane of the path, and
/// leaves the control plane and its [`Scope`].
pub(crate) async fn enter(
    State(planes): State<Planes>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let family = Family::Configuration;
    let Some(Presented(mut peer)) = request.extensions_mut().remove::<Presented>() else {
        return family.answer(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    };
    if peer.certificate.is_none() {
        let reason = "no client certificate was presented; give the controller the one that is \
                      registered with its control plane";
        return family.answer(StatusCode::UNAUTHORIZED, reason);
    }
    let id = request.uri().path().split('/').nth(4).unwrap_or_default();
    // An id that is none is answered like one that does not exist.
    peer.control_plane = Uuid::try_parse(id).unwrap_or_default();
    let plane = match prove(&planes, &peer).await {
        Ok(plane) => plane,
        Err((status, reason)) => return family.answer(status, &reason),
    };
    // Compat: everything else is written by people.
    if plane.cluster_type != ClusterType::KubernetesIngressController {
        let reason = "the control plane is not of type CLUSTER_TYPE_K8S_INGRESS_CONTROLLER";
        return family.answer(StatusCode::FORBIDDEN, reason);
    }
    let scope = Scope {
        control_plane: plane.id,
        actor: Actor {
            kind: "ingress_controller".to_owned(),
            id: None,
        },
        read_only: None,
    };
    request.extensions_mut().insert(scope);
    request.extensions_mut().insert(plane);
    next.run(request).await
}
