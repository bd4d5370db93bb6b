//! TLS towards services: whom to trust, what to present. Equal settings share one client
//! configuration, so that their connections can share a pool and its sessions.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use declarative::Config;
use entities::{CaCertificate, Protocol, Service, Upstream};
use parking_lot::Mutex;
use pki::verifiers::{AnchoredServer, AnyServer};
use pki::{Roots, crypto_provider, sha256};
use rustls::client::ResolvesClientCert;
use rustls::client::danger::ServerCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};
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

/// Client configurations that running snapshots hold, by identity: a change of a configuration that
/// does not touch them keeps them, and with them the sessions that can be resumed.
#[derive(Debug, Default)]
pub(super) struct KnownTls(Mutex<HashMap<u64, Weak<ServiceTls>>>);

impl KnownTls {
    fn find(&self, identity: u64) -> Option<Arc<ServiceTls>> {
        self.0.lock().get(&identity)?.upgrade()
    }

    fn remember(&self, tls: &Arc<ServiceTls>) {
        let mut known = self.0.lock();
        known.retain(|_, tls| tls.strong_count() > 0);
        known.insert(tls.identity, Arc::downgrade(tls));
    }
}

/// Everything in which two configurations can differ.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    verifies: bool,
    /// Longest chain believed; `None` for any sensible one.
    depth: Option<u8>,
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
            depth: service.tls_verify_depth,
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
            depth: None,
            authorities: Vec::new(),
            client_certificate: None,
            offers: Some("http/1.1"),
        };
        let made = self.made.get(&key).cloned();
        made.or_else(|| self.make(&key).ok())
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
            depth: None,
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

    fn make(&self, key: &Key) -> Result<Arc<ServiceTls>, (&'static str, String)> {
        let mut material = format!("{key:?}").into_bytes();
        // Compat: services are not verified unless they or the node's settings say so.
        let verifier: Arc<dyn ServerCertVerifier> = if key.verifies {
            let anchored = AnchoredServer::new(self.trust(key, &mut material)?);
            Arc::new(match key.depth {
                Some(depth) => anchored.with_depth(usize::from(depth)),
                None => anchored,
            })
        } else {
            Arc::new(AnyServer)
        };
        let client = match key.client_certificate {
            None => self.node.client_certificate.clone(),
            Some(id) => Some(self.client_certificate(id)?),
        };
        if let Some(leaf) = client.as_ref().and_then(|client| client.cert.first()) {
            material.extend_from_slice(leaf);
        }
        let identity = identity(&material);
        if let Some(known) = self.node.service_tls.find(identity) {
            // The sessions of the configuration before can be resumed.
            return Ok(known);
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
        let made = Arc::new(ServiceTls {
            identity,
            config: Arc::new(config),
        });
        self.node.service_tls.remember(&made);
        Ok(made)
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
