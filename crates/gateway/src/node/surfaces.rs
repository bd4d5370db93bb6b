//! The status API of every node, and the listeners of the Admin API of a traditional one. What
//! answers there is given by whoever starts the node.

use std::net::SocketAddr;
use std::sync::Arc;

use conf::{Listen, Role, Secret, Settings};
use http::HeaderValue;
use pki::{CertifiedPair, certified_key, crypto_provider, pem_or_path_or_base64};
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::PRODUCT;
use super::error::NodeError;
use super::handle::Handle;
use crate::handover::Sockets;
use crate::snapshot::SetupError;
use crate::status::StatusApi;
use crate::surface::{Handler, Paths, Server, Shown};

/// The running surfaces.
#[derive(Debug)]
pub(super) struct Surfaces {
    status: Server,
    admin: Option<Server>,
}

impl Surfaces {
    /// Listens everywhere; `admin` answers on the listeners of the Admin API.
    pub(super) async fn start(
        node: &Handle,
        certificate: Option<&Arc<CertifiedPair>>,
        admin: Arc<dyn Handler>,
        sockets: &Sockets,
    ) -> Result<Self, NodeError> {
        let settings = &node.settings;
        let shown = Shown {
            server: settings
                .headers
                .server
                .then(|| HeaderValue::from_static(PRODUCT)),
            shows_latency: settings.headers.admin_latency,
        };
        let status = Paths::new(
            StatusApi::new(node.facts.clone(), Arc::clone(&node.snapshot)),
            shown,
        );
        let tls = server_tls(
            &settings.status_listen,
            "status_ssl_cert",
            (&settings.status_ssl_cert, &settings.status_ssl_cert_key),
            certificate,
        )?;
        let listens = &settings.status_listen;
        let status = Server::start(listens, Arc::new(status), tls.as_ref(), sockets).await?;
        let admin = if has_admin(settings) {
            Some(Self::start_admin(settings, certificate, admin, sockets).await?)
        } else {
            None
        };
        Ok(Self { status, admin })
    }

    async fn start_admin(
        settings: &Settings,
        certificate: Option<&Arc<CertifiedPair>>,
        handler: Arc<dyn Handler>,
        sockets: &Sockets,
    ) -> Result<Server, NodeError> {
        for listen in &settings.admin_listen {
            if !listen.address.ip().is_loopback() {
                tracing::warn!(
                    address = %listen.address,
                    "`admin_listen` reaches beyond this machine and asks for no credentials: \
                     whoever reaches it changes the whole configuration and reads every secret \
                     in it"
                );
            }
        }
        let tls = server_tls(
            &settings.admin_listen,
            "admin_ssl_cert",
            (&settings.admin_ssl_cert, &settings.admin_ssl_cert_key),
            certificate,
        )?;
        Ok(Server::start(&settings.admin_listen, handler, tls.as_ref(), sockets).await?)
    }

    pub(super) fn status_addresses(&self) -> &[SocketAddr] {
        self.status.addresses()
    }

    pub(super) fn admin_addresses(&self) -> &[SocketAddr] {
        self.admin.as_ref().map_or(&[], Server::addresses)
    }

    pub(super) async fn stop(self) {
        if let Some(admin) = self.admin {
            admin.stop().await;
        }
        self.status.stop().await;
    }
}

/// Whether the node has an Admin API. Compat: a data plane has none.
pub(super) fn has_admin(settings: &Settings) -> bool {
    settings.role == Role::Traditional && !settings.admin_listen.is_empty()
}

/// TLS of a surface; `None` if none of its listeners asks for it.
fn server_tls(
    listens: &[Listen],
    property: &'static str,
    (certificates, keys): (&[String], &[Secret]),
    default: Option<&Arc<CertifiedPair>>,
) -> Result<Option<Arc<ServerConfig>>, NodeError> {
    if !listens.iter().any(|listen| listen.ssl) {
        return Ok(None);
    }
    let fault = |reason| SetupError::Certificate { property, reason };
    let pair = match (certificates.first(), keys.first()) {
        (Some(certificate), Some(key)) => {
            let certificate = pem_or_path_or_base64(certificate).map_err(fault)?;
            let key = pem_or_path_or_base64(key.expose()).map_err(fault)?;
            let key = certified_key(&certificate, &key).map_err(fault)?;
            Some(Arc::new(CertifiedPair::new(key, None)))
        }
        _ => default.cloned(),
    };
    let mut config = ServerConfig::builder_with_provider(crypto_provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Fixed(pair)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}

/// Shows one certificate whatever name is asked for.
#[derive(Debug)]
struct Fixed(Option<Arc<CertifiedPair>>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let pair = self.0.as_ref()?;
        Some(Arc::clone(pair.choose(hello.signature_schemes())))
    }
}
