//! TLS towards clients: which certificate, which versions, which protocols.

use std::fmt;
use std::sync::Arc;

use conf::{Settings, TlsSuite};
use plugin_api::{Hello, Phases};
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, ServerConfig};

use super::sessions::{Sessions, Tickets};
use crate::snapshot::SharedSnapshot;

/// Asks the snapshot in force for the certificate of each handshake.
struct FromSnapshot(SharedSnapshot);

impl fmt::Debug for FromSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FromSnapshot").finish()
    }
}

impl ResolvesServerCert for FromSnapshot {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let snapshot = self.0.load();
        let (name, offered) = (hello.server_name(), hello.signature_schemes());
        let globals = &snapshot.globals;
        if globals.phases().contains(Phases::CERTIFICATE) && !snapshot.certificates.knows(name) {
            let mut hello = Hello {
                server_name: name,
                certificate: None,
            };
            globals.certificate(&mut hello);
            if hello.certificate.is_some() {
                return hello.certificate;
            }
        }
        snapshot.certificates.choose(name, offered)
    }
}

/// Settings of a listener; `protocols` are offered by ALPN, in that order.
pub(crate) fn server_config(
    settings: &Settings,
    snapshot: SharedSnapshot,
    protocols: &[&[u8]],
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut versions = Vec::new();
    if settings.ssl_protocols.tls13 {
        versions.push(&rustls::version::TLS13);
    }
    if settings.ssl_protocols.tls12 {
        versions.push(&rustls::version::TLS12);
    }
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider(&settings.ssl_suites)))
        .with_protocol_versions(&versions)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(FromSnapshot(snapshot)));
    let timeout = settings.ssl_session_timeout;
    match settings.ssl_session_tickets {
        true => config.ticketer = Tickets::new(timeout)?,
        false => {
            config.session_storage = Sessions::new(settings.ssl_session_cache_size, timeout);
        }
    }
    config.ignore_client_order = settings.ssl_prefer_server_ciphers;
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

/// The node's cryptography with the suites of TLS 1.2 that are wanted, and all of TLS 1.3 that the
/// same list would allow.
fn provider(wanted: &[TlsSuite]) -> CryptoProvider {
    let common = pki::crypto_provider();
    let find = |name: CipherSuite| {
        let all = common.cipher_suites.iter();
        all.copied().find(|suite| suite.suite() == name)
    };
    // Who leaves a cipher out of one version does not want it in the other.
    let has_chacha = wanted
        .iter()
        .any(|suite| matches!(suite, TlsSuite::EcdsaChaCha20 | TlsSuite::RsaChaCha20));
    let of_13 = common.cipher_suites.iter().copied().filter(|suite| {
        suite.tls13().is_some()
            && (has_chacha || suite.suite() != CipherSuite::TLS13_CHACHA20_POLY1305_SHA256)
    });
    let of_12 = wanted.iter().filter_map(|suite| find(name_of(*suite)?));
    CryptoProvider {
        cipher_suites: of_13.chain(of_12).collect(),
        ..(*common).clone()
    }
}

/// A suite as rustls knows it.
fn name_of(suite: TlsSuite) -> Option<CipherSuite> {
    Some(match suite {
        TlsSuite::EcdsaAes128 => CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        TlsSuite::EcdsaAes256 => CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        TlsSuite::EcdsaChaCha20 => CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        TlsSuite::RsaAes128 => CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        TlsSuite::RsaAes256 => CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        TlsSuite::RsaChaCha20 => CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        _ => return None,
    })
}
