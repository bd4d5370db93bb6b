//! The status API of every node and the Admin API of one without a database.

use std::net::SocketAddr;
use std::sync::Arc;

use conf::{Listen, Role, Secret, Settings};
use http::HeaderValue;
use pki::{CertifiedPair, certified_key, crypto_provider, pem_or_path_or_base64};
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use uuid::Uuid;

use super::PRODUCT;
use super::error::NodeError;
use crate::admin::{AdminApi, Information, Load};
use crate::intake::Intake;
use crate::snapshot::SetupError;
use crate::status::{Facts, StatusApi};
use crate::surface::{Server, Shown, Surface};

/// Limit: bytes of a body of the Admin API where the settings set none.
const ADMIN_BODY_MAX: usize = 64 << 20;

/// What the surfaces know of the node.
pub(super) struct About<'a> {
    pub(super) settings: &'a Settings,
    pub(super) facts: Facts,
    pub(super) intake: Arc<Intake>,
    pub(super) certificate: Option<Arc<CertifiedPair>>,
    pub(super) node_id: Uuid,
}

/// The running surfaces.
#[derive(Debug)]
pub(super) struct Surfaces {
    status: Server,
    admin: Option<Server>,
}

impl Surfaces {
    pub(super) async fn start(about: About<'_>) -> Result<Self, NodeError> {
        let settings = about.settings;
        let shown = Shown {
            server: settings
                .headers
                .server
                .then(|| HeaderValue::from_static(PRODUCT)),
            shows_latency: settings.headers.admin_latency,
        };
        let status = Arc::new(StatusApi::new(about.facts.clone())) as Arc<dyn Surface>;
        let tls = server_tls(
            &settings.status_listen,
            "status_ssl_cert",
            (&settings.status_ssl_cert, &settings.status_ssl_cert_key),
            about.certificate.as_ref(),
        )?;
        let listens = &settings.status_listen;
        let status = Server::start(listens, status, shown.clone(), tls.as_ref()).await?;
        let admin = match settings.role {
            Role::Traditional if !settings.admin_listen.is_empty() => {
                Some(Self::start_admin(&about, shown).await?)
            }
            _ => None,
        };
        Ok(Self { status, admin })
    }

    async fn start_admin(about: &About<'_>, shown: Shown) -> Result<Server, NodeError> {
        let settings = about.settings;
        for listen in &settings.admin_listen {
            if !listen.address.ip().is_loopback() {
                tracing::warn!(
                    address = %listen.address,
                    "`admin_listen` reaches beyond this machine and asks for no credentials: \
                     whoever reaches it replaces the whole configuration"
                );
            }
        }
        let plugins: Vec<_> = plugins::DEFINITIONS
            .iter()
            .map(|plugin| (plugin.name, plugin.version, plugin.priority))
            .collect();
        let body_max = settings.admin_client_max_body_size;
        let body_max = body_max.map_or(ADMIN_BODY_MAX, |max| {
            usize::try_from(max).unwrap_or(usize::MAX)
        });
        let api = AdminApi::new(
            about.facts.clone(),
            Information::new(settings, about.node_id, &plugins, PRODUCT),
            Arc::clone(&about.intake) as Arc<dyn Load>,
            body_max,
        );
        let tls = server_tls(
            &settings.admin_listen,
            "admin_ssl_cert",
            (&settings.admin_ssl_cert, &settings.admin_ssl_cert_key),
            about.certificate.as_ref(),
        )?;
        let listens = &settings.admin_listen;
        Ok(Server::start(listens, Arc::new(api), shown, tls.as_ref()).await?)
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
