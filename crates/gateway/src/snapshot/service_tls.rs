//! TLS towards services: whom to trust, what to present. Equal settings share one client
//! configuration, so that their connections can share a pool and its sessions.

use std::collections::HashMap;
use std::sync::Arc;

use declarative::Config;
use entities::{CaCertificate, Protocol, Service, Upstream};
use pki::verifiers::AnchoredServer;
use pki::{Roots, crypto_provider, sha256};
use rustls::ClientConfig;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use uuid::Uuid;

use super::compile::{CertificateKeys, Report, Row, rows};
use super::setup::Compile;
use super::types::ServiceTls;

/// Client configurations made so far.
pub(super) struct TlsCache<'a> {
    node: &'a Compile,
    keys: &'a CertificateKeys,
    authorities: HashMap<Uuid, String>,
    made: HashMap<Key, Arc<ServiceTls>>,
}

/// Everything in which two configurations can differ.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    verifies: bool,
    /// Empty: the node's own trust.
    authorities: Vec<Uuid>,
    client_certificate: Option<Uuid>,
    /// What is offered by ALPN; nothing for streams.
    offers: Option<&'static str>,
}

impl<'a> TlsCache<'a> {
    pub(super) fn new(
        config: &Config,
        node: &'a Compile,
        keys: &'a CertificateKeys,
        report: &mut Report,
    ) -> Self {
        let mut authorities = HashMap::new();
        for row in rows(config, "ca_certificates") {
            if let Some(authority) = report.read::<CaCertificate>(row) {
                authorities.insert(authority.id, authority.cert);
            }
        }
        Self {
            node,
            keys,
            authorities,
            made: HashMap::new(),
        }
    }

    /// How to speak TLS to a service; `None` for one that is spoken to in clear.
    pub(super) fn of(
        &mut self,
        service: &Service,
        upstream: Option<&Upstream>,
        row: Row<'_>,
        report: &mut Report,
    ) -> Option<Arc<ServiceTls>> {
        if !service.protocol.is_tls() {
            return None;
        }
        let upstreams = || upstream.and_then(|upstream| upstream.client_certificate);
        let key = Key {
            verifies: service.tls_verify.unwrap_or(self.node.verifies_services),
            authorities: service.ca_certificates.clone(),
            client_certificate: service.client_certificate.or_else(upstreams),
            offers: match service.protocol {
                Protocol::Grpcs => Some("h2"),
                Protocol::Tls => None,
                _ => Some("http/1.1"),
            },
        };
        if let Some(tls) = self.made.get(&key) {
            return Some(Arc::clone(tls));
        }
        match self.make(&key) {
            Ok(tls) => {
                let tls = Arc::new(tls);
                self.made.insert(key, Arc::clone(&tls));
                Some(tls)
            }
            Err((field, text)) => {
                report.problem(row, field, text);
                None
            }
        }
    }

    /// How to speak TLS to a place that only a plugin names.
    pub(super) fn raised(&self) -> Option<Arc<ServiceTls>> {
        let key = Key {
            verifies: self.node.verifies_services,
            authorities: Vec::new(),
            client_certificate: None,
            offers: Some("http/1.1"),
        };
        let made = self.made.get(&key).cloned();
        made.or_else(|| self.make(&key).ok().map(Arc::new))
    }

    /// How probes of an upstream speak TLS; `None` where they do not, or cannot.
    pub(super) fn of_probes(
        &mut self,
        upstream: &Upstream,
        report: &mut Report,
    ) -> Option<Arc<ServiceTls>> {
        let check = &upstream.healthchecks.active;
        let is_probed = check.healthy.interval > 0.0 || check.unhealthy.interval > 0.0;
        if !is_probed || !matches!(check.kind.as_str(), "https" | "grpcs") {
            return None;
        }
        let key = Key {
            verifies: check.https_verify_certificate,
            authorities: Vec::new(),
            client_certificate: upstream.client_certificate,
            offers: Some(if check.kind == "grpcs" {
                "h2"
            } else {
                "http/1.1"
            }),
        };
        if let Some(tls) = self.made.get(&key) {
            return Some(Arc::clone(tls));
        }
        match self.make(&key) {
            Ok(tls) => {
                let tls = Arc::new(tls);
                self.made.insert(key, Arc::clone(&tls));
                Some(tls)
            }
            Err((_, text)) => {
                report.notices.push(format!(
                    "targets of upstream `{}` cannot be probed with TLS and are probed in clear: \
                     {text}",
                    upstream.name
                ));
                None
            }
        }
    }

    fn make(&self, key: &Key) -> Result<ServiceTls, (&'static str, String)> {
        let mut material = format!("{key:?}").into_bytes();
        let verifier: Arc<dyn ServerCertVerifier> = if key.verifies {
            Arc::new(AnchoredServer::new(self.trust(key, &mut material)?))
        } else {
            Arc::new(Unverified::new())
        };
        let client = match key.client_certificate {
            None => self.node.client_certificate.clone(),
            Some(id) => Some(self.client_certificate(id)?),
        };
        if let Some(leaf) = client.as_ref().and_then(|client| client.cert.first()) {
            material.extend_from_slice(leaf);
        }
        let builder = ClientConfig::builder_with_provider(crypto_provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| ("protocol", error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match client {
            None => builder.with_no_client_auth(),
            Some(client) => builder.with_client_cert_resolver(Arc::new(Always(client))),
        };
        config
            .alpn_protocols
            .extend(key.offers.map(|name| name.as_bytes().to_vec()));
        Ok(ServiceTls {
            identity: identity(&material),
            config: Arc::new(config),
        })
    }

    fn trust(&self, key: &Key, material: &mut Vec<u8>) -> Result<Roots, (&'static str, String)> {
        if key.authorities.is_empty() {
            return Ok(self.node.roots.clone());
        }
        let mut roots = Roots::empty();
        for id in &key.authorities {
            let Some(pem) = self.authorities.get(id) else {
                let text = format!("CA certificate `{id}` is not part of the configuration");
                return Err(("ca_certificates", text));
            };
            material.extend_from_slice(pem.as_bytes());
            roots
                .add_pem(pem.as_bytes())
                .map_err(|error| ("ca_certificates", error.to_string()))?;
        }
        Ok(roots)
    }

    fn client_certificate(&self, id: Uuid) -> Result<Arc<CertifiedKey>, (&'static str, String)> {
        let Some(pair) = self.keys.get(&id) else {
            let text = format!("certificate `{id}` cannot be used or is not there");
            return Err(("client_certificate", text));
        };
        Ok(Arc::clone(pair.choose(&[])))
    }
}

/// A number for the pool: equal settings, equal number, over configurations too.
fn identity(material: &[u8]) -> u64 {
    let hash = sha256(material);
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(first).max(1)
}

/// Presents one certificate to whoever asks.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesClientCert for Always {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Takes any certificate; only the handshake's signature must fit it.
///
/// Compat: services are not verified unless they or the node's settings say so.
#[derive(Debug)]
struct Unverified {
    provider: Arc<CryptoProvider>,
}

impl Unverified {
    fn new() -> Self {
        Self {
            provider: crypto_provider(),
        }
    }
}

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
