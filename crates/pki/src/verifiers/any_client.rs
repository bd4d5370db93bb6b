//! Asks clients for a certificate and accepts any well-formed one.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::signature;
use crate::{PeerCertificate, crypto_provider};

/// Asks for a client's certificate and accepts any well-formed one, of version 1 or 3, whose key
/// signed the handshake. Chain, dates and names are the application's to decide, by pin or by
/// [`crate::verify_chain`].
///
/// `Compat:` control planes of the reference ask like this in shared and pinned modes.
#[derive(Clone, Copy, Debug)]
pub struct AnyClient {
    is_required: bool,
}

impl AnyClient {
    /// A connection without a certificate is accepted too; the application sees that there is
    /// none.
    #[must_use]
    pub fn optional() -> Self {
        Self { is_required: false }
    }

    /// The handshake fails without a certificate.
    #[must_use]
    pub fn required() -> Self {
        Self { is_required: true }
    }
}

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        self.is_required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // No hints: a client then offers whatever certificate it has.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        PeerCertificate::from_der(end_entity)
            .map(|_| ClientCertVerified::assertion())
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::verify_tls12(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::verify_tls13(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        crypto_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
