//! What the engine asks of a configuration.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use entities::Protocol;
use plugin_api::{Chain, Lookups, RouteInfo, Scheme, ServiceEdits, ServiceInfo};

use super::certificates::Certificates;
use super::routes::Routes;
use crate::health::Group;

/// The snapshot in force, shared by all cores.
pub type SharedSnapshot = Arc<ArcSwap<Snapshot>>;

/// A compiled configuration.
pub struct Snapshot {
    /// Finds the route of a request or of a connection of layer 4; its indices point into `routes`.
    pub router: router::Router,
    /// The routes, by the numbers that the router has for them.
    pub routes: Routes,
    /// The upstreams that [`Destination::Upstream`] names.
    pub balancers: Arc<Vec<Arc<Group>>>,
    /// Plugins of global scope: for the rewrite phase, and for requests without a route.
    pub globals: Arc<Chain>,
    /// Consumers and credentials.
    pub lookups: Arc<Lookups>,
    /// TLS for requests that a plugin sends encrypted although their service is plain.
    pub raised: Option<Arc<ServiceTls>>,
    /// Certificates by server name, and the node's own.
    pub certificates: Arc<Certificates>,
    /// The hash of the configuration this was made of; 32 zeros for an empty one.
    pub hash: String,
    /// Whether the configuration holds nothing at all.
    pub is_empty: bool,
    /// Names of the plugins that the configuration holds, sorted.
    pub plugin_names: Vec<String>,
    /// Remarks for the operator about what has no effect or works differently on this node.
    pub notices: Vec<String>,
}

/// A route as the engine needs it.
#[derive(Debug)]
pub struct RouteEntry {
    /// The route.
    pub route: entities::Route,
    /// The route as plugins see it.
    pub info: RouteInfo,
    /// Its service; `None` for a route that only plugins answer.
    pub service: Option<Arc<ServiceEntry>>,
    /// The plugins of route and service.
    pub chain: Arc<Chain>,
}

/// A service as the engine needs it.
#[derive(Clone, Debug)]
pub struct ServiceEntry {
    /// The service.
    pub service: entities::Service,
    /// The service as plugins see it.
    pub info: ServiceInfo,
    /// Where requests go.
    pub destination: Destination,
    /// The upstream that `destination` names: what its balancer hashes.
    pub upstream: Option<Arc<entities::Upstream>>,
    /// Value of the `Host` field towards the service, port included where it is not the default.
    /// For an upstream its `host_header`, if it has one; otherwise empty, and the target's.
    pub host_header: Bytes,
    /// How to speak TLS to it; `None` for plain services.
    pub tls: Option<Arc<ServiceTls>>,
}

impl ServiceEntry {
    /// The service spoken to as a plugin wants: HTTP/1.1 with or without TLS.
    pub(crate) fn with_scheme(&self, scheme: Scheme, raised: Option<&Arc<ServiceTls>>) -> Self {
        let mut changed = self.clone();
        let is_grpc = matches!(self.service.protocol, Protocol::Grpc | Protocol::Grpcs);
        (changed.service.protocol, changed.tls) = match scheme {
            Scheme::Http => (Protocol::Http, None),
            Scheme::Https => {
                let own = changed.tls.take().filter(|_| !is_grpc);
                (Protocol::Https, own.or_else(|| raised.cloned()))
            }
        };
        changed
    }

    /// The service as plugins changed it for one request.
    pub(crate) fn with_edits(&self, edits: &ServiceEdits, balancers: &[Arc<Group>]) -> Self {
        let mut changed = self.clone();
        if let Some(retries) = edits.retries {
            changed.service.retries = retries;
        }
        if let Some((connect, write, read)) = edits.timeouts {
            changed.service.connect_timeout = connect;
            changed.service.write_timeout = write;
            changed.service.read_timeout = read;
        }
        let named = edits.upstream.as_ref().and_then(|name| {
            let position = |group: &Arc<Group>| group.name().as_bytes() == name.as_ref();
            let at = balancers.iter().position(position)?;
            Some((at, balancers[at].upstream()))
        });
        if let Some((at, upstream)) = named {
            let host = upstream.host_header.as_deref().unwrap_or_default();
            changed.destination = Destination::Upstream(at);
            changed.host_header = Bytes::copy_from_slice(host.as_bytes());
            changed.upstream = Some(Arc::clone(upstream));
        }
        changed
    }
}

/// Where the requests of a service go.
#[derive(Clone, Debug)]
pub enum Destination {
    /// To a fixed address.
    Address(SocketAddr),
    /// To a name that is resolved when needed: the service's host and port.
    Name,
    /// To a balancer of the snapshot.
    Upstream(usize),
}

/// TLS towards a service.
pub struct ServiceTls {
    /// Tells connections apart that must not be mixed in a pool: equal settings, equal number;
    /// never zero.
    pub identity: u64,
    /// The client side's settings.
    pub config: Arc<rustls::ClientConfig>,
}

impl fmt::Debug for ServiceTls {
    /// Leaves out the settings: they may hold a private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceTls")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("hash", &self.hash)
            .field("routes", &self.routes.len())
            .finish_non_exhaustive()
    }
}
