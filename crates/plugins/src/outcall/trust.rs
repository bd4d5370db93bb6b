//! TLS of calls: whom to trust.

use std::sync::{Arc, OnceLock};

use pki::verifiers::AnyServer;
use pki::{Roots, crypto_provider};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, Error};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whom the node trusts (`lua_ssl_trusted_certificate`), for the calls of its plugins. The node
/// says so before it compiles anything; until then nobody is trusted.
#[derive(Default)]
pub struct Trust {
    verified: OnceLock<Arc<ClientConfig>>,
    unverified: OnceLock<Arc<ClientConfig>>,
}

/// Whether the other side's certificate is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Verify {
    Yes,
    No,
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

impl Trust {
    /// Says whom to trust; only the first counts.
    pub fn set(&self, roots: &Roots) {
        if let Ok(config) = verified(roots) {
            drop(self.verified.set(Arc::new(config)));
        }
    }

    /// The settings of the client side.
    pub(crate) fn config(&self, verify: Verify) -> Option<Arc<ClientConfig>> {
        match verify {
            Verify::Yes => match self.verified.get() {
                Some(config) => Some(Arc::clone(config)),
                None => verified(&Roots::empty()).ok().map(Arc::new),
            },
            Verify::No => {
                if let Some(config) = self.unverified.get() {
                    return Some(Arc::clone(config));
                }
                let config = Arc::new(unverified().ok()?);
                Some(Arc::clone(self.unverified.get_or_init(|| config)))
            }
        }
    }
}

fn verified(roots: &Roots) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(crypto_provider());
    Ok(builder
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots.to_store())
        .with_no_client_auth())
}

fn unverified() -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(crypto_provider());
    Ok(builder
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer))
        .with_no_client_auth())
}

/// Raises a connection to TLS.
pub(crate) async fn raise(
    config: Arc<ClientConfig>,
    host: &str,
    stream: TcpStream,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await
}
