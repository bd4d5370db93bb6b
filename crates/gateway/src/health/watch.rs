//! What goes on beside the traffic of a group: names are resolved, targets are probed.

use std::sync::Arc;
use std::time::Duration;

use balancer::{Address, Change};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::group::{Event, Group};
use super::probe::{Probe, Request};
use super::resolve;
use crate::dns::Dns;

/// Limit: probes of an upstream at a time, whatever its `concurrency`.
const PROBES_MAX: u32 = 256;

/// How often it is looked whether an address is to be tried again.
const TRIAL_INTERVAL: Duration = Duration::from_millis(250);

/// Limit of a step of a probe whose upstream sets none.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Watches a group until it is dropped.
pub(super) async fn run(group: Arc<Group>, dns: Arc<Dns>) {
    let rules = &group.rules;
    let healthy = probe_every(&group, rules.healthy_every, true);
    let unhealthy = probe_every(&group, rules.unhealthy_every, false);
    let again = try_again(&group, rules.retry_after);
    tokio::join!(resolve::run(&group, &dns), healthy, unhealthy, again);
}

/// Lets addresses that requests put out come back for a trial.
async fn try_again(group: &Group, after: Option<Duration>) {
    let Some(after) = after else { return };
    let mut ticks = tokio::time::interval(TRIAL_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        group.try_again(after);
    }
}

/// Probes the healthy addresses of a group, or the unhealthy ones, once in each interval.
async fn probe_every(group: &Arc<Group>, every: Option<Duration>, is_healthy: bool) {
    let Some(every) = every else { return };
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let balancer = group.balancer();
        let wanted = balancer.addresses().iter().filter(|address| {
            // Compat: a target without weight is not probed.
            address.weight > 0 && address.health.is_out() != is_healthy
        });
        probe_all(group, wanted.cloned()).await;
    }
}

async fn probe_all(group: &Arc<Group>, addresses: impl Iterator<Item = Address>) {
    let concurrency = group.upstream().healthchecks.active.concurrency;
    let concurrency = usize::try_from(concurrency.clamp(1, PROBES_MAX)).unwrap_or(1);
    let turns = Arc::new(Semaphore::new(concurrency));
    let mut probes = JoinSet::new();
    for address in addresses {
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
            return;
        };
        let group = Arc::clone(group);
        probes.spawn(async move {
            let outcome = probe(&group, &address).send().await;
            group.probed(&address, outcome);
            drop(turn);
        });
    }
    while probes.join_next().await.is_some() {}
}

/// The probe of an address.
///
/// Compat: of gRPC the connection is probed, with `grpcs` the handshake too.
fn probe(group: &Group, address: &Address) -> Probe {
    let upstream = group.upstream();
    let check = &upstream.healthchecks.active;
    let host = upstream.host_header.as_ref().unwrap_or(&address.name);
    let request = matches!(check.kind.as_str(), "http" | "https").then(|| Request {
        path: check.http_path.clone(),
        host: host.clone(),
        headers: check.headers.clone(),
    });
    let is_tls = matches!(check.kind.as_str(), "https" | "grpcs");
    let bare = router::split_host(host.as_bytes()).0;
    Probe {
        socket: address.socket,
        tls: group
            .tls
            .as_ref()
            .filter(|_| is_tls)
            .map(|tls| Arc::clone(&tls.config)),
        server_name: match &check.https_sni {
            Some(name) => name.clone(),
            None => String::from_utf8_lossy(bare).into_owned(),
        },
        request,
        timeout: match Duration::try_from_secs_f64(check.timeout) {
            Ok(timeout) if !timeout.is_zero() => timeout,
            _ => TIMEOUT,
        },
    }
}

/// Logs changes of health, each once.
pub(super) async fn log(mut events: mpsc::Receiver<Event>) {
    while let Some(event) = events.recv().await {
        let Event {
            upstream,
            target,
            socket,
            change,
        } = event;
        match change {
            Change::Healthy => {
                tracing::info!(upstream, target, address = %socket, "target is healthy again");
            }
            Change::Unhealthy(cause) => {
                tracing::warn!(
                    upstream, target, address = %socket, %cause,
                    "target is unhealthy and gets no traffic"
                );
            }
        }
    }
}
