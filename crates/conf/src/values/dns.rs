//! How names are resolved.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::choice::DnsFamily;

/// Name resolution, from `dns_*` or, with `new_dns_client`, from `resolver_*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsSettings {
    /// Servers to ask; empty means those of `/etc/resolv.conf`.
    pub resolvers: Vec<SocketAddr>,
    /// The hosts file.
    pub hosts_file: PathBuf,
    /// Record kinds, in the order of asking.
    pub order: Vec<DnsFamily>,
    /// Whether service records are asked for only where the name has their form
    /// (`_service._protocol.…`), as the newer client does; the older one asks for every name.
    pub asks_services_by_form: bool,
    /// Replaces the lifetime that answers state.
    pub valid_ttl: Option<Duration>,
    /// How long an outdated answer may serve while a new one is fetched.
    pub stale_ttl: Duration,
    /// How long a failure is remembered.
    pub error_ttl: Duration,
    /// How long the absence of a name is remembered.
    pub not_found_ttl: Duration,
    /// Most answers remembered.
    pub cache_size: usize,
}
