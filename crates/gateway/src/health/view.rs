//! A group as the Admin API shows it.

use std::net::SocketAddr;

use balancer::Weights;

use super::group::Group;

/// How an upstream and its targets do, at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupView {
    /// Whether health is watched at all.
    pub is_watched: bool,
    /// Whether it takes requests.
    pub is_healthy: bool,
    /// Its weights.
    pub weights: Weights,
    /// Its targets.
    pub targets: Vec<TargetView>,
    /// Whether names are being asked for the first time.
    pub is_settling: bool,
}

/// How a target does.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetView {
    /// Host name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Weight, as configured.
    pub weight: u16,
    /// The kind of records that led to the addresses, or why there are none.
    pub dns: String,
    /// The addresses.
    pub addresses: Vec<AddressView>,
}

/// How an address does.
#[derive(Clone, Debug, PartialEq)]
pub struct AddressView {
    /// Where it is.
    pub socket: SocketAddr,
    /// Its weight.
    pub weight: u32,
    /// Why it gets no traffic; `None` while it is healthy.
    pub cause: Option<String>,
    /// When it became as it is, in milliseconds since 1970; 0 if it never was otherwise.
    pub since_ms: u64,
}

impl GroupView {
    pub(super) fn of(group: &Group) -> Self {
        let resolved = group.resolved.lock();
        let targets = group
            .targets
            .iter()
            .zip(resolved.iter())
            .map(|(target, resolved)| {
                let addresses = resolved.addresses.iter().map(|address| AddressView {
                    socket: address.socket,
                    weight: address.weight,
                    cause: address.health.cause().map(|cause| cause.to_string()),
                    since_ms: address.health.changed_at(),
                });
                let kind = resolved.answer.as_ref().map(|answer| answer.kind);
                let dns = match (&resolved.error, kind) {
                    (Some(error), _) if resolved.addresses.is_empty() => error.to_string(),
                    (_, Some(kind)) => kind.to_owned(),
                    _ => "unknown".to_owned(),
                };
                TargetView {
                    host: target.host.clone(),
                    port: target.port,
                    weight: target.weight,
                    dns,
                    addresses: addresses.collect(),
                }
            });
        let targets = targets.collect();
        drop(resolved);
        let balancer = group.balancer();
        Self {
            is_watched: group.rules.is_watched(),
            is_healthy: balancer.is_healthy(),
            weights: balancer.weights(),
            is_settling: group.is_settling(),
            targets,
        }
    }
}

impl TargetView {
    /// Its weights.
    #[must_use]
    pub fn weights(&self) -> Weights {
        let mut weights = Weights::default();
        for address in &self.addresses {
            weights.total += u64::from(address.weight);
            if address.cause.is_none() {
                weights.available += u64::from(address.weight);
            }
        }
        weights
    }
}
