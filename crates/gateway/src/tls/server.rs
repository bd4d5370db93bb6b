//! TLS towards clients: which certificate, which versions, which protocols.

use std::fmt;
use std::sync::Arc;

use conf::Settings;
use plugin_api::{Hello, Phases};
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

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
    let mut config = ServerConfig::builder_with_provider(pki::crypto_provider())
        .with_protocol_versions(&versions)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(FromSnapshot(snapshot)));
    if settings.ssl_session_tickets {
        config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
    }
    // The node's order of suites counts, as `docs/kong-conf.md` says.
    config.ignore_client_order = true;
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}
