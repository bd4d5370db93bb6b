//! Accepts exactly one server: shared mode of the hybrid protocol.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::signature;
use crate::{PeerCertificate, crypto_provider, sha256};

/// Accepts a server that presents exactly the pinned certificate and holds its key. Names are
/// ignored: the certificate of a cluster carries `kong_clustering` only, and version 1 has no
/// alternative names.
#[derive(Clone, Debug)]
pub struct PinnedServer {
    pin: [u8; 32],
}

impl PinnedServer {
    /// Pins `certificate` by SHA-256 over its DER.
    #[must_use]
    pub fn new(certificate: &PeerCertificate) -> Self {
        Self {
            pin: certificate.sha256(),
        }
    }
}

impl ServerCertVerifier for PinnedServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if sha256(end_entity) != self.pin {
            return Err(Error::General(
                "the control plane presents another certificate than `cluster_cert`; in shared \
                 mode both ends need the same one"
                    .to_owned(),
            ));
        }
        let certificate = PeerCertificate::from_der(end_entity)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        if !certificate.is_valid_at(now.as_secs()) {
            return Err(Error::General(format!(
                "the cluster certificate `{}` is outside its validity; make a new one for both \
                 ends",
                certificate.subject()
            )));
        }
        Ok(ServerCertVerified::assertion())
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
