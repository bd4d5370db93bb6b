//! How the targets of an upstream do, as far as this node knows: their addresses, and the marks
//! that the Admin API sets. Nothing is probed here.
//!
//! Compat: words and shapes are those of the reference's `/upstreams/{u}/health`.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use admin_api::gateway::UpstreamHealth;
use gateway::node::Handle;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Limit: how long a name may take to resolve.
const LOOKUP_LIMIT: Duration = Duration::from_secs(2);

/// A target with what its name led to.
struct Found {
    text: String,
    host: String,
    port: u16,
    weight: u64,
    addresses: Vec<(SocketAddr, bool)>,
}

/// The health of an upstream and of its targets.
pub(super) async fn of(
    node: &Handle,
    upstream: &Map<String, Value>,
    targets: &[Map<String, Value>],
) -> UpstreamHealth {
    let id = upstream.get("id").and_then(Value::as_str);
    let id = id
        .and_then(|id| Uuid::try_parse(id).ok())
        .unwrap_or_default();
    let is_watched = is_watched(upstream);
    let mut found = Vec::new();
    for target in targets {
        if let Some(target) = find(node, id, target).await {
            found.push(target);
        }
    }
    let mut health = UpstreamHealth {
        balancer: balancer(&found, is_watched),
        ..UpstreamHealth::default()
    };
    for target in found {
        let members = target.members(is_watched);
        health.targets.insert(target.text, members);
    }
    health
}

/// Whether any check can change anything.
fn is_watched(upstream: &Map<String, Value>) -> bool {
    let checks = upstream.get("healthchecks");
    let is_set = |pointer: &str| {
        let number = checks.and_then(|checks| checks.pointer(pointer)?.as_f64());
        number.is_some_and(|number| number > 0.0)
    };
    [
        "/active/healthy/interval",
        "/active/unhealthy/interval",
        "/passive/unhealthy/tcp_failures",
        "/passive/unhealthy/timeouts",
        "/passive/unhealthy/http_failures",
    ]
    .into_iter()
    .any(is_set)
}

async fn find(node: &Handle, upstream: Uuid, target: &Map<String, Value>) -> Option<Found> {
    let text = target.get("target")?.as_str()?.to_owned();
    let weight = target.get("weight").and_then(Value::as_u64).unwrap_or(100);
    let (host, port) = text.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let addresses = match bare.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => {
            let lookup = tokio::net::lookup_host((bare, port));
            match tokio::time::timeout(LOOKUP_LIMIT, lookup).await {
                Ok(Ok(found)) => distinct(found),
                _ => Vec::new(),
            }
        }
    };
    let is_healthy = |address: SocketAddr| node.is_healthy(upstream, &text, address);
    Some(Found {
        host: bare.to_owned(),
        port,
        weight,
        addresses: addresses
            .into_iter()
            .map(|address| (address, is_healthy(address)))
            .collect(),
        text,
    })
}

fn distinct(found: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses: Vec<SocketAddr> = found.collect();
    // The reference asks for IPv4 addresses first and takes one family.
    if addresses.iter().any(SocketAddr::is_ipv4) {
        addresses.retain(SocketAddr::is_ipv4);
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

impl Found {
    fn total(&self) -> u64 {
        self.weight * self.addresses.len() as u64
    }

    fn available(&self) -> u64 {
        let healthy = self.addresses.iter().filter(|(_, is_healthy)| *is_healthy);
        self.weight * healthy.count() as u64
    }

    fn health(&self, is_watched: bool) -> &'static str {
        if self.addresses.is_empty() {
            "DNS_ERROR"
        } else if !is_watched || self.weight == 0 {
            "HEALTHCHECKS_OFF"
        } else if self.addresses.iter().any(|(_, is_healthy)| *is_healthy) {
            "HEALTHY"
        } else {
            "UNHEALTHY"
        }
    }

    /// The members `health` and `data` of a target.
    fn members(&self, is_watched: bool) -> Map<String, Value> {
        let of_address = |is_healthy: bool| match (is_watched, is_healthy) {
            (false, _) => "HEALTHCHECKS_OFF",
            (true, true) => "HEALTHY",
            (true, false) => "UNHEALTHY",
        };
        let data = self.data(|is_healthy| ("health", of_address(is_healthy).into()));
        let mut members = Map::new();
        members.insert("health".to_owned(), self.health(is_watched).into());
        members.insert("data".to_owned(), data);
        members
    }

    fn data(&self, shown: impl Fn(bool) -> (&'static str, Value)) -> Value {
        let addresses = self.addresses.iter().map(|(address, is_healthy)| {
            let mut row = json!({
                "ip": address.ip(),
                "port": address.port(),
                "weight": self.weight,
            });
            let (name, value) = shown(*is_healthy);
            row[name] = value;
            row
        });
        let addresses: Vec<Value> = addresses.collect();
        let dns = if addresses.is_empty() {
            "dns server error: 3 name error"
        } else {
            "A"
        };
        json!({
            "host": self.host,
            "port": self.port,
            "dns": dns,
            "nodeWeight": self.weight,
            "weight": weights(self.total(), self.available()),
            "addresses": addresses,
        })
    }
}

fn weights(total: u64, available: u64) -> Value {
    json!({"total": total, "available": available, "unavailable": total - available})
}

fn balancer(targets: &[Found], is_watched: bool) -> Map<String, Value> {
    let total: u64 = targets.iter().map(Found::total).sum();
    let available: u64 = targets.iter().map(Found::available).sum();
    let is_healthy = available > 0;
    let word = if is_healthy { "HEALTHY" } else { "UNHEALTHY" };
    let hosts: Vec<Value> = targets
        .iter()
        .map(|target| target.data(|is_healthy| ("healthy", is_healthy.into())))
        .collect();
    let mut members = Map::new();
    let health = if is_watched { word } else { "HEALTHCHECKS_OFF" };
    members.insert("health".to_owned(), health.into());
    members.insert("balancer_health".to_owned(), word.into());
    let details = json!({
        "healthy": is_healthy,
        "weight": weights(total, available),
        "hosts": hosts,
    });
    members.insert("details".to_owned(), details);
    members
}
