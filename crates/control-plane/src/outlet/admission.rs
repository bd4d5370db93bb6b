//! Who may open a link: certificates registered with the control plane, and room for one more.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::StatusCode;
use pki::{ChainError, PeerCertificate, Purpose, verify_chain};
use rustls_pki_types::CertificateDer;
use uuid::Uuid;

use super::Inner;
use super::accept::{Peer, Refusal};
use super::space::{Link, Space};
use crate::model::{AuthType, ControlPlane, Pinned};
use crate::planes::Planes;

/// A peer that proved to belong to its control plane.
#[derive(Debug, Clone)]
pub(super) struct Admitted {
    pub(super) plane: ControlPlane,
    /// The registered certificate that let it in.
    pub(super) certificate: Uuid,
}

/// Looks again this often when certificates changed while a link was being opened.
const ATTEMPTS: usize = 5;

/// Decides about a peer and takes its link in: as the configuration link of `node`, or as one of
/// another kind. A certificate revoked meanwhile is noticed.
pub(super) async fn enter(
    inner: &Arc<Inner>,
    peer: &Peer,
    node: Option<Uuid>,
) -> Result<(Admitted, Link), Refusal> {
    for _ in 0..ATTEMPTS {
        let epoch = inner.epoch.load(Ordering::SeqCst);
        let admitted = admit(&inner.planes, peer).await?;
        let space = Space::of(inner, admitted.plane.id);
        let link = match node {
            Some(node) => space.enter_node(inner, admitted.certificate, node)?,
            None => space.enter_other(inner, admitted.certificate)?,
        };
        if inner.epoch.load(Ordering::SeqCst) == epoch {
            return Ok((admitted, link));
        }
    }
    Err(Refusal::busy("certificates are being changed; come back"))
}

/// The control plane of a peer that proves by its certificate that it belongs to it; for requests
/// that open no link.
///
/// # Errors
///
/// The answer: 401 for a peer that is not let in (a control plane that does not exist is answered
/// in the same way), 503 when that cannot be decided now.
pub async fn prove(planes: &Planes, peer: &Peer) -> Result<ControlPlane, (StatusCode, String)> {
    match admit(planes, peer).await {
        Ok(admitted) => Ok(admitted.plane),
        Err(refusal) => Err((refusal.status(), refusal.into_message())),
    }
}

/// Decides about a peer.
async fn admit(planes: &Planes, peer: &Peer) -> Result<Admitted, Refusal> {
    let unavailable = |error: crate::PlaneError| {
        tracing::warn!(%error, "control planes cannot be read; a node is told to come back");
        Refusal::busy("the control plane cannot be reached now")
    };
    let plane = planes.find(peer.control_plane).await;
    let Some(plane) = plane.map_err(unavailable)? else {
        // Answered like a control plane that lets this peer not in, so that nobody learns which
        // prefixes exist.
        return Err(stranger(peer));
    };
    let pinned = planes.pinned(plane.id).await.map_err(unavailable)?;
    let certificate = check(&plane, &pinned, peer)?;
    Ok(Admitted { plane, certificate })
}

/// The answer to a peer that is not known to the control plane.
fn stranger(peer: &Peer) -> Refusal {
    Refusal::unauthorised(if peer.certificate.is_some() {
        "the client certificate is not registered with this control plane; register it or use \
         the one that is"
    } else {
        "no client certificate was presented; set `cluster_cert` and `cluster_cert_key`"
    })
}

fn check(plane: &ControlPlane, pinned: &[Pinned], peer: &Peer) -> Result<Uuid, Refusal> {
    let Some(leaf) = &peer.certificate else {
        return Err(stranger(peer));
    };
    let now = clock::unix_seconds();
    let wrong = || stranger(peer);
    match plane.auth_type {
        AuthType::PinnedClientCerts => {
            let found = pinned.iter().find(|pin| pin.der == leaf.der().as_ref());
            let found = found.ok_or_else(wrong)?;
            if !leaf.is_valid_at(now) {
                return Err(outside_validity(leaf, now));
            }
            Ok(found.id)
        }
        AuthType::PkiClientCerts => {
            let mut reason = wrong();
            for pin in pinned {
                let anchor = [CertificateDer::from(pin.der.as_slice())];
                match verify_chain(leaf.der(), &peer.chain, &anchor, Purpose::Client, now) {
                    Ok(()) => return Ok(pin.id),
                    Err(ChainError::Dates { subject }) => {
                        reason = if leaf.is_valid_at(now) {
                            Refusal::unauthorised(format!(
                                "certificate `{subject}` of the client's chain has expired or is \
                                 not valid yet; renew it"
                            ))
                        } else {
                            outside_validity(leaf, now)
                        };
                    }
                    Err(error) => {
                        tracing::debug!(%error, "a client's chain does not lead to an anchor");
                    }
                }
            }
            Err(reason)
        }
    }
}

fn outside_validity(leaf: &PeerCertificate, now: u64) -> Refusal {
    let has_expired = i64::try_from(now).is_ok_and(|now| now > leaf.not_after());
    Refusal::unauthorised(if has_expired {
        "the client certificate has expired; make and register a new one"
    } else {
        "the client certificate is not valid yet; compare the clocks of both ends"
    })
}
