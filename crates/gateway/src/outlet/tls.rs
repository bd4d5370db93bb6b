//! TLS settings of a node's links.

use std::sync::Arc;

use conf::{ClusterMtls, Settings, TlsVersions, Trust};
use pki::verifiers::{AnchoredServer, AnyServer, PinnedServer};
use pki::{PeerCertificate, Roots, certified_key, crypto_provider, pem_or_path_or_base64};
use rustls::client::danger::ServerCertVerifier;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, SupportedProtocolVersion};

use super::error::LinkError;

/// TLS settings for a control plane or telemetry endpoint: the node's certificate is always
/// presented, the server is always verified.
///
/// # Errors
///
/// [`LinkError::Setting`].
pub(super) fn for_cluster(settings: &Settings) -> Result<Arc<ClientConfig>, LinkError> {
    let cert = required(settings.cluster_cert.as_deref(), "cluster_cert")?;
    let key = settings.cluster_cert_key.as_ref().map(conf::Secret::expose);
    let key = required(key, "cluster_cert_key")?;
    let verifier: Arc<dyn ServerCertVerifier> = match settings.cluster_mtls {
        ClusterMtls::Shared => {
            let pin = PeerCertificate::from_pem(&cert);
            let pin = pin.map_err(|error| setting("cluster_cert", &error))?;
            Arc::new(PinnedServer::new(&pin))
        }
        _ => {
            let roots = roots(settings, true)?;
            if roots.is_empty() {
                return Err(LinkError::Setting {
                    setting: "lua_ssl_trusted_certificate",
                    reason: "it and `cluster_ca_cert` name no authority, so no control plane \
                             could be trusted"
                        .to_owned(),
                });
            }
            Arc::new(AnchoredServer::new(roots))
        }
    };
    warn_of_dates(&cert);
    let identity = certified_key(&cert, &key).map_err(|error| setting("cluster_cert", &error))?;
    let config = ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&versions(settings.lua_ssl_protocols))
        .map_err(|error| setting("lua_ssl_protocols", &error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        // Unlike rustls' own way, this takes certificates of version 1.
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
    Ok(Arc::new(config))
}

/// Says so when the node's own certificate is outside its dates; the control plane may have a
/// clock of its own, so it is presented all the same.
fn warn_of_dates(cert: &[u8]) {
    let Ok(leaf) = PeerCertificate::from_pem(cert) else {
        return;
    };
    let now = clock::unix_seconds();
    if !leaf.is_valid_at(now) {
        let has_expired = i64::try_from(now).is_ok_and(|now| now > leaf.not_after());
        let fault = if has_expired {
            "has expired"
        } else {
            "is not valid yet"
        };
        tracing::warn!(
            subject = leaf.subject(),
            "`cluster_cert` {fault}; make a new one and register it with the control plane"
        );
    }
}

/// TLS settings for a forward proxy reached by `https`.
pub(super) fn for_proxy(settings: &Settings) -> Result<Arc<ClientConfig>, LinkError> {
    let verifier: Arc<dyn ServerCertVerifier> = if settings.proxy_server_ssl_verify {
        Arc::new(AnchoredServer::new(roots(settings, false)?))
    } else {
        // What goes through the proxy's tunnel is protected by a TLS of its own.
        Arc::new(AnyServer)
    };
    let config = ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&versions(settings.lua_ssl_protocols))
        .map_err(|error| setting("lua_ssl_protocols", &error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn versions(allowed: TlsVersions) -> Vec<&'static SupportedProtocolVersion> {
    let mut versions = Vec::new();
    if allowed.tls13 {
        versions.push(&rustls::version::TLS13);
    }
    if allowed.tls12 {
        versions.push(&rustls::version::TLS12);
    }
    versions
}

fn roots(settings: &Settings, is_cluster: bool) -> Result<Roots, LinkError> {
    const TRUST: &str = "lua_ssl_trusted_certificate";
    let mut roots = Roots::empty();
    for trust in &settings.lua_ssl_trusted_certificate {
        match trust {
            Trust::System => roots.extend(Roots::system().map_err(|error| setting(TRUST, &error))?),
            Trust::Bundle(text) => {
                let pem = pem_or_path_or_base64(text).map_err(|error| setting(TRUST, &error))?;
                roots
                    .add_pem(&pem)
                    .map_err(|error| setting(TRUST, &error))?;
            }
        }
    }
    if let Some(text) = settings.cluster_ca_cert.as_deref().filter(|_| is_cluster) {
        let pem =
            pem_or_path_or_base64(text).map_err(|error| setting("cluster_ca_cert", &error))?;
        roots
            .add_pem(&pem)
            .map_err(|error| setting("cluster_ca_cert", &error))?;
    }
    Ok(roots)
}

fn required(text: Option<&str>, name: &'static str) -> Result<Vec<u8>, LinkError> {
    let Some(text) = text else {
        return Err(LinkError::Setting {
            setting: name,
            reason: "it is not set; links to a control plane need it".to_owned(),
        });
    };
    pem_or_path_or_base64(text).map_err(|error| setting(name, &error))
}

fn setting(name: &'static str, error: &dyn std::fmt::Display) -> LinkError {
    LinkError::Setting {
        setting: name,
        reason: error.to_string(),
    }
}
