//! TLS of the one port: which certificate a name gets, and whether the caller is asked for one.
//!
//! Configurations are made when a name is first asked for and kept; names come from
//! [`Hosts::certificate_names`], so their number is bounded by the classes and geos.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use pki::Authority;
use rustls::ServerConfig;
use rustls::server::NoClientAuth;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::SingleCertAndKey;

use crate::hosts::{Class, Hosts};

/// Configurations kept; reached only by a machine with very many addresses.
const MAX_CONFIGURATIONS: usize = 512;
/// Seconds after which a certificate is issued anew, long before it ends.
const REISSUED_AFTER: u64 = 30 * 24 * 60 * 60;
/// TLS sessions remembered per configuration (TLS 1.2 and stateful 1.3).
const SESSIONS: usize = 1024;

/// The certificates and configurations of the port.
#[derive(Debug)]
pub(crate) struct Certificates {
    hosts: Hosts,
    authority: Arc<Authority>,
    made: Mutex<HashMap<Key, Made>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    names: Vec<String>,
    asks: bool,
    is_for_nodes: bool,
}

#[derive(Debug)]
struct Made {
    at: u64,
    config: Arc<ServerConfig>,
}

impl Certificates {
    pub(crate) fn new(hosts: Hosts, authority: Arc<Authority>) -> Self {
        Self {
            hosts,
            authority,
            made: Mutex::default(),
        }
    }

    /// The configuration for a server name; `local` is the address that was connected to. A name
    /// of no class gets the certificate of `cloud.D`: the answer that nothing is there has to be
    /// sent under some certificate, and none is issued for names of strangers.
    pub(crate) fn config(
        &self,
        server_name: Option<&str>,
        local: IpAddr,
    ) -> Result<Arc<ServerConfig>, pki::Error> {
        let class = server_name.map_or(Some(Class::Local), |name| self.hosts.classify(name));
        let key = Key {
            names: self.names(server_name, local),
            asks: class.as_ref().is_some_and(Class::wants_client_certificate),
            is_for_nodes: class.as_ref().is_some_and(Class::is_for_nodes),
        };
        let now = clock::unix_seconds();
        let mut made = self.made.lock();
        if let Some(known) = made.get(&key)
            && now.saturating_sub(known.at) < REISSUED_AFTER
        {
            return Ok(Arc::clone(&known.config));
        }
        let config = Arc::new(self.make(&key)?);
        if made.len() >= MAX_CONFIGURATIONS {
            made.clear();
        }
        let (at, kept) = (now, Arc::clone(&config));
        made.insert(key, Made { at, config: kept });
        Ok(config)
    }

    fn names(&self, server_name: Option<&str>, local: IpAddr) -> Vec<String> {
        let local_names = || {
            let address = match local {
                IpAddr::V6(v6) => v6.to_canonical(),
                v4 @ IpAddr::V4(_) => v4,
            };
            let mut names = vec![
                "localhost".to_owned(),
                "127.0.0.1".to_owned(),
                "::1".to_owned(),
            ];
            if !address.is_loopback() || !names.contains(&address.to_string()) {
                names.push(address.to_string());
            }
            names
        };
        match server_name.map(|name| self.hosts.certificate_names(name)) {
            None => local_names(),
            Some(Some(names)) if names.is_empty() => local_names(),
            Some(Some(names)) => names,
            Some(None) => vec![format!("cloud.{}", self.hosts.base())],
        }
    }

    fn make(&self, key: &Key) -> Result<ServerConfig, pki::Error> {
        let issued = self.authority.issue_server(&key.names)?;
        let certified = pki::certified_key(issued.cert_pem.as_bytes(), issued.key_pem.as_bytes())?;
        let verifier: Arc<dyn ClientCertVerifier> = if key.asks {
            Arc::new(pki::verifiers::AnyClient::optional())
        } else {
            Arc::new(NoClientAuth)
        };
        let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
        let mut config = ServerConfig::builder_with_provider(pki::crypto_provider())
            .with_protocol_versions(&versions)
            .map_err(|error| pki::Error::Issue(error.to_string()))?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = if key.is_for_nodes {
            vec![b"http/1.1".to_vec()]
        } else {
            vec![b"h2".to_vec(), b"http/1.1".to_vec()]
        };
        config.session_storage = rustls::server::ServerSessionMemoryCache::new(SESSIONS);
        Ok(config)
    }
}
