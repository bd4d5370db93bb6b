//! Services and upstreams: where requests go and how.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use declarative::Config;
use entities::{Protocol, Service, Target, Upstream};
use plugin_api::ServiceInfo;
use uuid::Uuid;

use super::compile::{CertificateKeys, Report, bytes, id_text, rows};
use super::service_tls::TlsCache;
use super::setup::Compile;
use super::types::{Destination, ServiceEntry, ServiceTls};
use crate::health::{self, Group, GroupParts};

/// Services by id; `None` for a disabled one.
pub(super) type ServicesById = HashMap<Uuid, Option<Arc<ServiceEntry>>>;

/// The services of a configuration, and its balancers.
pub(super) struct Services {
    pub(super) by_id: ServicesById,
    pub(super) balancers: Vec<Arc<Group>>,
    /// TLS for requests that a plugin sends encrypted although their service is plain.
    pub(super) raised: Option<Arc<ServiceTls>>,
}

impl Services {
    pub(super) fn compile(
        config: &Config,
        node: &Compile,
        keys: &CertificateKeys,
        report: &mut Report,
    ) -> Self {
        let mut tls = TlsCache::new(config, node, keys, report);
        let (upstreams, balancers) = balancers(config, node, &mut tls, report);
        let mut by_id = HashMap::new();
        for row in rows(config, "services") {
            let Some(service) = report.read::<Service>(row) else {
                continue;
            };
            if !service.enabled {
                by_id.insert(service.id, None);
                continue;
            }
            let upstream = upstreams.get(&service.host);
            let (destination, host_header) = match upstream {
                Some((position, upstream)) => (
                    Destination::Upstream(*position),
                    bytes(upstream.host_header.as_ref()).unwrap_or_default(),
                ),
                None => direct(&service),
            };
            let upstream = upstream.map(|(_, upstream)| upstream);
            let entry = ServiceEntry {
                tls: tls.of(&service, upstream.map(Arc::as_ref), row, report),
                info: ServiceInfo {
                    id: service.id,
                    id_text: id_text(service.id),
                    name: bytes(service.name.as_ref()),
                    host: Bytes::copy_from_slice(service.host.as_bytes()),
                    document: plugin_api::document(row.body),
                },
                upstream: upstream.cloned(),
                destination,
                host_header,
                service,
            };
            by_id.insert(entry.service.id, Some(Arc::new(entry)));
        }
        Self {
            by_id,
            balancers,
            raised: tls.raised(),
        }
    }
}

/// Upstreams by name with the position of their balancer.
type Upstreams = HashMap<String, (usize, Arc<Upstream>)>;

fn balancers(
    config: &Config,
    node: &Compile,
    tls: &mut TlsCache<'_>,
    report: &mut Report,
) -> (Upstreams, Vec<Arc<Group>>) {
    let mut targets: HashMap<Uuid, Vec<Target>> = HashMap::new();
    for row in rows(config, "targets") {
        if let Some(target) = report.read::<Target>(row) {
            targets.entry(target.upstream).or_default().push(target);
        }
    }
    let mut upstreams = Upstreams::new();
    let mut balancers = Vec::new();
    for row in rows(config, "upstreams") {
        if let Some(upstream) = report.read::<Upstream>(row) {
            for tag in health::unknown_settings(&upstream) {
                report.notices.push(format!(
                    "tag `{tag}` of upstream `{}` has no effect: settings are \
                     `gatehouse:max_connections=N`, `gatehouse:slow_start=SECONDS` and \
                     `gatehouse:retry_after=SECONDS`",
                    upstream.name
                ));
            }
            let group = node.upstreams.group(GroupParts {
                targets: targets.remove(&upstream.id).unwrap_or_default(),
                tls: tls.of_probes(&upstream, report),
                upstream,
            });
            let upstream = Arc::clone(group.upstream());
            upstreams.insert(upstream.name.clone(), (balancers.len(), upstream));
            balancers.push(group);
        }
    }
    (upstreams, balancers)
}

/// Destination and `Host` of a service that is no upstream.
fn direct(service: &Service) -> (Destination, Bytes) {
    let bare = service.host.trim_start_matches('[').trim_end_matches(']');
    let address: Option<IpAddr> = bare.parse().ok();
    let host = match address {
        Some(IpAddr::V6(address)) => format!("[{address}]"),
        _ => service.host.clone(),
    };
    let host_header = if service.port == default_port(service.protocol) {
        host
    } else {
        format!("{host}:{}", service.port)
    };
    let destination = match address {
        Some(address) => Destination::Address(SocketAddr::new(address, service.port)),
        None => Destination::Name,
    };
    (destination, host_header.into())
}

fn default_port(protocol: Protocol) -> u16 {
    if protocol.is_tls() { 443 } else { 80 }
}
