//! Whether a presented chain leads to registered anchors, partial chains included.

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};

use crate::verifiers::signature;
use crate::{PeerCertificate, crypto_provider};

/// What a chain is to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The leaf authenticates a client.
    Client,
    /// The leaf authenticates a server.
    Server,
}

/// Why a chain does not lead to any anchor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// A certificate is outside its validity.
    #[error("the certificate `{subject}` is not valid at this time")]
    Dates {
        /// Its subject.
        subject: String,
    },
    /// All anchors are outside their validity.
    #[error("no registered authority is valid at this time")]
    AnchorDates,
    /// No path to an anchor.
    #[error("the issuer `{issuer}` of the certificate leads to no registered authority")]
    UnknownIssuer {
        /// The leaf's issuer.
        issuer: String,
    },
    /// The certificate may not be used for this, or breaks a rule of its chain.
    #[error("the certificate cannot be used: {0}")]
    Unsuitable(String),
    /// A certificate is not well-formed.
    #[error("{0}")]
    Malformed(String),
}

/// Checks that `leaf`, with the help of `intermediates`, leads to one of `anchors` (DER; roots or
/// intermediates) and that every certificate on the way, the anchor included, is valid at
/// `unix_seconds`.
///
/// A leaf of version 1 is accepted when an anchor itself signed it.
///
/// # Errors
///
/// A [`ChainError`] that names the certificate at fault.
pub fn verify_chain(
    leaf: &[u8],
    intermediates: &[CertificateDer<'_>],
    anchors: &[CertificateDer<'_>],
    purpose: Purpose,
    unix_seconds: u64,
) -> Result<(), ChainError> {
    let parsed = read(leaf)?;
    if !parsed.is_valid_at(unix_seconds) {
        return Err(ChainError::Dates {
            subject: parsed.subject().to_owned(),
        });
    }
    let mut valid = Vec::with_capacity(anchors.len());
    for anchor in anchors {
        let authority = read(anchor)?;
        if authority.is_valid_at(unix_seconds) {
            valid.push((anchor, authority));
        }
    }
    if valid.is_empty() && !anchors.is_empty() {
        return Err(ChainError::AnchorDates);
    }
    if parsed.version() < 3 {
        return directly_signed(&parsed, &valid);
    }
    let mut trusted: Vec<TrustAnchor<'_>> = Vec::with_capacity(valid.len());
    for (anchor, _) in &valid {
        let anchor = webpki::anchor_from_trusted_cert(anchor);
        trusted.push(anchor.map_err(|error| ChainError::Malformed(error.to_string()))?);
    }
    path(&parsed, intermediates, &trusted, purpose, unix_seconds)
}

/// Whether [`verify_chain`] accepts a client's certificate now.
#[must_use]
pub fn chain_verifies_to(
    leaf: &[u8],
    intermediates: &[CertificateDer<'_>],
    anchors: &[CertificateDer<'_>],
) -> bool {
    let now = UnixTime::now().as_secs();
    verify_chain(leaf, intermediates, anchors, Purpose::Client, now).is_ok()
}

fn read(der: &[u8]) -> Result<PeerCertificate, ChainError> {
    PeerCertificate::from_der(der).map_err(|error| ChainError::Malformed(error.to_string()))
}

fn path(
    leaf: &PeerCertificate,
    intermediates: &[CertificateDer<'_>],
    anchors: &[TrustAnchor<'_>],
    purpose: Purpose,
    unix_seconds: u64,
) -> Result<(), ChainError> {
    let usage = match purpose {
        Purpose::Client => webpki::KeyUsage::client_auth(),
        Purpose::Server => webpki::KeyUsage::server_auth(),
    };
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(unix_seconds));
    let algorithms = crypto_provider().signature_verification_algorithms.all;
    let explain = |error: webpki::Error| match error {
        webpki::Error::UnknownIssuer => ChainError::UnknownIssuer {
            issuer: leaf.issuer().to_owned(),
        },
        webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => {
            ChainError::Dates {
                subject: leaf.issuer().to_owned(),
            }
        }
        other => ChainError::Unsuitable(other.to_string()),
    };
    let entity = webpki::EndEntityCert::try_from(leaf.der()).map_err(explain)?;
    entity
        .verify_for_usage(algorithms, anchors, intermediates, at, usage, None, None)
        .map(|_| ())
        .map_err(explain)
}

fn directly_signed(
    leaf: &PeerCertificate,
    anchors: &[(&CertificateDer<'_>, PeerCertificate)],
) -> Result<(), ChainError> {
    let is_signed = anchors.iter().any(|(_, authority)| {
        authority.subject_der() == leaf.issuer_der() && signature::is_issued_by(leaf, authority)
    });
    if is_signed {
        Ok(())
    } else {
        Err(ChainError::UnknownIssuer {
            issuer: leaf.issuer().to_owned(),
        })
    }
}
