//! Accepts servers whose chain leads to trusted authorities: pki mode, and outgoing TLS.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::signature;
use crate::{PeerCertificate, Roots, crypto_provider};

/// Accepts a server whose certificate chains to one of the roots, is within its dates (as is the
/// authority) and carries the name that was asked for.
///
/// `Compat:` a certificate without subject alternative names is matched by its common name, as
/// OpenSSL does.
#[derive(Clone, Debug)]
pub struct AnchoredServer {
    roots: Roots,
    store: RootCertStore,
    checks_name: bool,
    depth: usize,
}

impl AnchoredServer {
    /// Trusts `roots`.
    #[must_use]
    pub fn new(roots: Roots) -> Self {
        let store = roots.to_store();
        Self {
            roots,
            store,
            checks_name: true,
            depth: usize::MAX,
        }
    }

    /// The same, but whatever name the certificate carries.
    #[must_use]
    pub fn without_name_check(mut self) -> Self {
        self.checks_name = false;
        self
    }

    /// The same, but at most `depth` certificates count between that of the server and the
    /// authority. Those that a server sends beyond are not looked at, so one that sends needless
    /// ones is not refused for it.
    #[must_use]
    pub fn with_depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    fn explain(
        &self,
        error: Error,
        certificate: &PeerCertificate,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Error {
        let Error::InvalidCertificate(reason) = &error else {
            return error;
        };
        let text = match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => format!(
                "the server's certificate `{}` or one of its chain has expired; renew it",
                certificate.subject()
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => format!(
                "the server's certificate `{}` is not valid yet; compare the clocks",
                certificate.subject()
            ),
            CertificateError::UnknownIssuer
                if self
                    .roots
                    .has_outdated(&issuers(certificate, intermediates), now.as_secs()) =>
            {
                format!(
                    "the authority that vouches for the server's certificate `{}` is trusted but \
                     outside its validity; renew the bundle",
                    certificate.subject()
                )
            }
            CertificateError::UnknownIssuer => format!(
                "the issuer `{}` of the server's certificate is not trusted; add its authority \
                 to `lua_ssl_trusted_certificate` or `cluster_ca_cert`",
                certificate.issuer()
            ),
            _ => return error,
        };
        Error::General(text)
    }
}

impl ServerCertVerifier for AnchoredServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let intermediates = &intermediates[..intermediates.len().min(self.depth)];
        let certificate = PeerCertificate::from_der(end_entity)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let filtered = self.roots.store_at(now.as_secs());
        let store = filtered.as_ref().unwrap_or(&self.store);
        let algorithms = crypto_provider().signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, store, intermediates, now, algorithms)
            .map_err(|error| self.explain(error, &certificate, intermediates, now))?;
        if self.checks_name {
            let by_common_name = !certificate.has_alternative_names()
                && certificate
                    .common_name()
                    .is_some_and(|name| is_name(name, server_name));
            if !by_common_name {
                verify_server_name(&parsed, server_name)?;
            }
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

/// Who signed the certificate, and each of its chain.
fn issuers(certificate: &PeerCertificate, chain: &[CertificateDer<'_>]) -> Vec<Vec<u8>> {
    let of_chain = chain
        .iter()
        .filter_map(|der| PeerCertificate::from_der(der).ok())
        .map(|parsed| parsed.issuer_der().to_vec());
    std::iter::once(certificate.issuer_der().to_vec())
        .chain(of_chain)
        .collect()
}

/// Whether the common name `pattern`, possibly `*.rest`, names the server.
fn is_name(pattern: &str, server_name: &ServerName<'_>) -> bool {
    let ServerName::DnsName(name) = server_name else {
        return false;
    };
    let name = name.as_ref();
    if pattern.eq_ignore_ascii_case(name) {
        return true;
    }
    match (pattern.strip_prefix("*."), name.split_once('.')) {
        (Some(suffix), Some((first, rest))) => {
            !first.is_empty() && suffix.contains('.') && suffix.eq_ignore_ascii_case(rest)
        }
        _ => false,
    }
}
