//! What compiling needs of the node, prepared once: settings, trust, the node's own certificate,
//! state of plugins that outlives a configuration.

use std::fmt;
use std::sync::Arc;

use conf::{RouterFlavor, Settings, Trust};
use parking_lot::Mutex;
use pki::{CertifiedPair, Roots, certified_key, pem_or_path_or_base64};
use plugin_api::{NodeInfo, Shared};
use router::Flavor;
use rustls::sign::CertifiedKey;

use super::fails_closed;
use super::routes::Memory;
use super::service_tls::KnownTls;
use super::vaults::VaultSettings;
use crate::health::Upstreams;

/// The node as the compiler of configurations sees it. One per node, shared.
pub struct Compile {
    pub(super) flavor: Flavor,
    pub(super) verifies_services: bool,
    pub(super) roots: Roots,
    pub(super) client_certificate: Option<Arc<CertifiedKey>>,
    /// What earlier configurations made and running ones still hold.
    pub(super) service_tls: KnownTls,
    pub(super) default_certificate: Option<Arc<CertifiedPair>>,
    pub(crate) node: NodeInfo,
    pub(crate) shared: Shared,
    /// The routes that were compiled last.
    pub(super) routes: Mutex<Option<Memory>>,
    pub(super) vaults: VaultSettings,
    /// The upstreams in use.
    pub(crate) upstreams: Arc<Upstreams>,
}

/// Why a node cannot compile any configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A certificate or key of the settings cannot be used.
    #[error("`{property}` cannot be used: {reason}; give a path, PEM text or base64 of PEM text")]
    Certificate {
        /// The property of the settings.
        property: &'static str,
        /// What is wrong.
        #[source]
        reason: pki::Error,
    },
}

impl Compile {
    /// Reads what the settings name. `default_certificate` is shown to clients that ask for no
    /// known name, unless `ssl_cert` names one.
    ///
    /// # Errors
    ///
    /// [`SetupError`] with the property at fault.
    pub fn new(
        settings: &Settings,
        node: NodeInfo,
        default_certificate: Option<Arc<CertifiedPair>>,
    ) -> Result<Self, SetupError> {
        let flavor = match settings.router_flavor {
            RouterFlavor::Traditional => Flavor::Traditional,
            RouterFlavor::TraditionalCompatible => Flavor::TraditionalCompatible,
            RouterFlavor::Expressions => Flavor::Expressions,
        };
        let (shared, roots) = (Shared::default(), roots(settings)?);
        shared.get::<plugins::Trust>().set(&roots);
        Ok(Self {
            flavor,
            verifies_services: settings.tls_certificate_verify,
            roots,
            client_certificate: client_certificate(settings)?,
            service_tls: KnownTls::default(),
            default_certificate: configured_certificate(settings)?.or(default_certificate),
            node,
            shared,
            routes: Mutex::default(),
            vaults: VaultSettings::new(settings),
            upstreams: Arc::new(Upstreams::new(&settings.dns)),
        })
    }

    /// The same, for a node that brings plugins along.
    #[must_use]
    pub fn with_brought(self, brought: &Arc<plugins::Brought>) -> Self {
        let installed = self.shared.get::<plugins::Installed>();
        installed.set(Arc::clone(brought));
        self
    }

    /// Requests refused since the node started because it cannot run a plugin that applies to
    /// them.
    #[must_use]
    pub fn refused_without_plugin(&self) -> u64 {
        fails_closed::refused(&self.shared)
    }
}

impl fmt::Debug for Compile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compile")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

fn roots(settings: &Settings) -> Result<Roots, SetupError> {
    let property = "lua_ssl_trusted_certificate";
    let fault = |reason| SetupError::Certificate { property, reason };
    let mut roots = Roots::empty();
    for trust in &settings.lua_ssl_trusted_certificate {
        match trust {
            // A machine without a store trusts nobody; that shows when a service is verified.
            Trust::System => roots.extend(Roots::system().unwrap_or_else(|_| Roots::empty())),
            Trust::Bundle(text) => {
                let pem = pem_or_path_or_base64(text).map_err(fault)?;
                roots.add_pem(&pem).map_err(fault)?;
            }
        }
    }
    Ok(roots)
}

fn client_certificate(settings: &Settings) -> Result<Option<Arc<CertifiedKey>>, SetupError> {
    let (true, Some(certificate), Some(key)) = (
        settings.client_ssl,
        &settings.client_ssl_cert,
        &settings.client_ssl_cert_key,
    ) else {
        return Ok(None);
    };
    load_pair("client_ssl_cert", certificate, key.expose()).map(Some)
}

/// `ssl_cert` and `ssl_cert_key`: one pair, or two of different key kinds.
fn configured_certificate(settings: &Settings) -> Result<Option<Arc<CertifiedPair>>, SetupError> {
    let mut pairs = settings
        .ssl_cert
        .iter()
        .zip(&settings.ssl_cert_key)
        .map(|(certificate, key)| load_pair("ssl_cert", certificate, key.expose()));
    let Some(primary) = pairs.next().transpose()? else {
        return Ok(None);
    };
    let alternative = pairs.next().transpose()?;
    Ok(Some(Arc::new(CertifiedPair::new(primary, alternative))))
}

fn load_pair(
    property: &'static str,
    certificate: &str,
    key: &str,
) -> Result<Arc<CertifiedKey>, SetupError> {
    let load = || {
        let certificate = pem_or_path_or_base64(certificate)?;
        certified_key(&certificate, &pem_or_path_or_base64(key)?)
    };
    load().map_err(|reason| SetupError::Certificate { property, reason })
}
