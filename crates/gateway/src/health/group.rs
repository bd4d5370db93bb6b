//! An upstream with its targets, as all cores see it.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use balancer::{
    Address, Balancer, Cause, Change, CoreState, Health, Live, Moment, Outcome, PickState, Picked,
    Plan, Seat,
};
use entities::{Algorithm, Target, Upstream};
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use super::rules::Rules;
use crate::dns::{Answer, Dns, DnsError, Found};
use crate::snapshot::ServiceTls;

/// Relapses that still make the pause before the next trial longer.
const RELAPSES_MAX: u32 = 5;

/// Limit: changes that wait to be logged; more are not logged.
pub(super) const EVENTS_MAX: usize = 1024;

/// An upstream with its targets: shared by all cores, and by every configuration that says the
/// same of it.
pub struct Group {
    upstream: Arc<Upstream>,
    pub(super) targets: Vec<Member>,
    pub(super) rules: Rules,
    /// How probes speak TLS.
    pub(super) tls: Option<Arc<ServiceTls>>,
    live: Live,
    pub(super) resolved: Mutex<Vec<Resolved>>,
    /// Whether every name has been asked for once.
    is_settled: AtomicBool,
    settled: watch::Sender<()>,
    events: mpsc::Sender<Event>,
}

/// What a group is made of.
pub(crate) struct GroupParts {
    pub(crate) upstream: Upstream,
    pub(crate) targets: Vec<Target>,
    pub(crate) tls: Option<Arc<ServiceTls>>,
}

/// A target as configured.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) weight: u16,
    /// The target itself, where it needs no name server.
    pub(super) ip: Option<IpAddr>,
}

/// What is known of a target's addresses.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) answer: Option<Arc<Answer>>,
    /// Why the name was not resolved, last.
    pub(super) error: Option<DnsError>,
    pub(super) addresses: Vec<Address>,
}

/// A change of an address's health.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) upstream: String,
    pub(super) target: String,
    pub(super) socket: SocketAddr,
    pub(super) change: Change,
}

impl Group {
    /// Sets up a group. Addresses that `before` had keep their health; names that are known are
    /// used as they are.
    pub(super) fn new(
        parts: GroupParts,
        dns: &Dns,
        before: Option<&Self>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let GroupParts {
            upstream,
            targets,
            tls,
        } = parts;
        let rules = Rules::of(&upstream);
        let plan = Plan::of(&upstream, targets.len(), rules.extras);
        let group = Self {
            targets: targets.iter().map(Member::of).collect(),
            resolved: Mutex::default(),
            live: Live::new(Balancer::compile(&plan, Vec::new())),
            is_settled: AtomicBool::new(false),
            settled: watch::Sender::new(()),
            upstream: Arc::new(upstream),
            events,
            rules,
            tls,
        };
        group.fill(dns, before);
        group
    }

    fn fill(&self, dns: &Dns, before: Option<&Self>) {
        // Without checks nothing could bring an address back.
        let mut known = match (before, self.rules.is_watched()) {
            (Some(before), true) => before.known(),
            _ => HashMap::new(),
        };
        let mut is_settled = true;
        let resolved = self.targets.iter().map(|target| {
            let answer = match target.ip {
                Some(ip) => Some(Arc::new(Answer::fixed(vec![ip]))),
                None => dns.known(&target.host),
            };
            is_settled &= answer.is_some();
            let found = answer.as_ref().map_or(&[][..], |answer| &answer.found);
            Resolved {
                addresses: self.addresses(target, found, &mut known),
                answer,
                error: None,
            }
        });
        *self.resolved.lock() = resolved.collect();
        self.rebuild();
        if is_settled {
            self.settle();
        }
    }

    /// Whether a configuration says the same.
    pub(super) fn is_of(&self, parts: &GroupParts) -> bool {
        let identity = |tls: &Option<Arc<ServiceTls>>| tls.as_ref().map(|tls| tls.identity);
        *self.upstream == parts.upstream
            && self.targets.len() == parts.targets.len()
            && self
                .targets
                .iter()
                .zip(&parts.targets)
                .all(|(own, target)| *own == Member::of(target))
            && identity(&self.tls) == identity(&parts.tls)
    }

    /// The upstream.
    #[must_use]
    pub const fn upstream(&self) -> &Arc<Upstream> {
        &self.upstream
    }

    /// Name of the upstream.
    pub(crate) fn name(&self) -> &str {
        &self.upstream.name
    }

    /// Whether picks depend on something in the request.
    #[must_use]
    pub fn needs_hash(&self) -> bool {
        matches!(
            self.upstream.algorithm,
            Algorithm::ConsistentHashing | Algorithm::StickySessions
        )
    }

    /// Whether picks depend on how long addresses take.
    #[must_use]
    pub fn needs_latency(&self) -> bool {
        self.upstream.algorithm == Algorithm::Latency
    }

    /// Whether addresses that are new, or back, get their share little by little.
    pub(crate) const fn starts_slowly(&self) -> bool {
        self.rules.extras.slow_start > 0
    }

    /// Chooses the address of the next try; see [`Live::pick`].
    pub fn pick(
        &self,
        core: &mut CoreState,
        request: &mut PickState,
        moment: Moment,
    ) -> Option<Picked> {
        self.live.pick(core, request, moment)
    }

    /// Whether names are still being asked for the first time.
    pub(crate) fn is_settling(&self) -> bool {
        !self.is_settled.load(Ordering::Acquire)
    }

    /// Waits until every name was asked for once, for so long at most.
    pub(crate) async fn settled(&self, limit: Duration) {
        let mut settled = self.settled.subscribe();
        if self.is_settling() {
            drop(tokio::time::timeout(limit, settled.changed()).await);
        }
    }

    /// Reports what came of a request.
    pub(crate) fn report(&self, seat: &Seat, outcome: Outcome) {
        if self.rules.passive.is_off() {
            return;
        }
        if let Some(change) = seat.health().report(&self.rules.passive, outcome) {
            self.note(seat.health(), seat.socket(), change);
        }
    }

    /// Reports what came of a probe.
    pub(super) fn probed(&self, address: &Address, outcome: Outcome) {
        if let Some(change) = address.health.report(&self.rules.active, outcome) {
            self.note(&address.health, address.socket, change);
        }
    }

    /// Marks addresses of a target: those that `is_meant` says.
    pub(super) fn mark(
        &self,
        (host, port): (&str, u16),
        is_meant: impl Fn(SocketAddr) -> bool,
        is_healthy: bool,
    ) {
        if !self.rules.is_watched() {
            return;
        }
        let resolved = self.resolved.lock();
        for (target, resolved) in self.targets.iter().zip(resolved.iter()) {
            if target.host != host || target.port != port {
                continue;
            }
            for address in resolved.addresses.iter().filter(|own| is_meant(own.socket)) {
                if let Some(change) = address.health.set(is_healthy) {
                    self.note(&address.health, address.socket, change);
                }
            }
        }
    }

    /// Keeps the moment of a change and has it logged.
    fn note(&self, health: &Health, socket: SocketAddr, change: Change) {
        health.stamp(clock::unix_micros() / 1000);
        let balancer = self.live.current();
        let own = balancer
            .addresses()
            .iter()
            .find(|own| own.health.id() == health.id());
        let event = Event {
            upstream: self.upstream.name.clone(),
            target: own.map_or_else(String::new, |own| format!("{}:{}", own.host, own.port)),
            socket,
            change,
        };
        // A log that is behind does not hold up traffic.
        let _ = self.events.try_send(event);
    }

    /// The addresses now.
    pub(crate) fn balancer(&self) -> Arc<Balancer> {
        self.live.current()
    }

    pub(super) fn settle(&self) {
        if !self.is_settled.swap(true, Ordering::AcqRel) {
            self.settled.send_replace(());
        }
    }

    /// Takes over what a name led to; whether that changed any address.
    pub(super) fn take_in(
        &self,
        index: usize,
        answer: Result<Arc<Answer>, DnsError>,
        stale: Duration,
    ) -> bool {
        let Some(target) = self.targets.get(index) else {
            return false;
        };
        let mut known = self.known();
        let mut all = self.resolved.lock();
        let Some(resolved) = all.get_mut(index) else {
            return false;
        };
        let found: &[Found] = match &answer {
            Ok(answer) => &answer.found,
            Err(error) => {
                resolved.error = Some(error.clone());
                // Who does not answer takes nothing away; who says that there is nothing is
                // believed when the last answer has become too old.
                let since = resolved
                    .answer
                    .as_ref()
                    .map(|answer| answer.read_at.elapsed());
                if !error.is_absence() || since.is_some_and(|since| since < stale) {
                    return false;
                }
                &[]
            }
        };
        let addresses = self.addresses(target, found, &mut known);
        let same = |a: &Address, b: &Address| {
            a.socket == b.socket && a.weight == b.weight && a.name == b.name
        };
        let is_same = addresses.len() == resolved.addresses.len()
            && addresses
                .iter()
                .zip(&resolved.addresses)
                .all(|(a, b)| same(a, b));
        if let Ok(answer) = answer {
            resolved.answer = Some(answer);
            resolved.error = None;
        }
        if is_same {
            return false;
        }
        resolved.addresses = addresses;
        true
    }

    /// Makes a balancer of the addresses as they are now.
    pub(super) fn rebuild(&self) {
        let resolved = self.resolved.lock();
        let addresses: Vec<Address> = resolved
            .iter()
            .flat_map(|resolved| resolved.addresses.iter().cloned())
            .collect();
        let plan = Plan::of(&self.upstream, self.targets.len(), self.rules.extras);
        self.live.replace(Balancer::compile(&plan, addresses));
    }

    /// The health of every address by target and socket.
    fn known(&self) -> HashMap<(String, SocketAddr), Arc<Health>> {
        let resolved = self.resolved.lock();
        let addresses = resolved.iter().flat_map(|resolved| &resolved.addresses);
        addresses
            .map(|own| ((own.host.clone(), own.socket), Arc::clone(&own.health)))
            .collect()
    }

    /// The health of an address that is new.
    fn fresh(&self) -> Arc<Health> {
        let health = Health::default();
        if self.rules.extras.slow_start > 0 {
            health.stamp(clock::unix_micros() / 1000);
        }
        Arc::new(health)
    }

    /// Tries addresses again that requests put out long enough ago.
    pub(super) fn try_again(&self, after: Duration) {
        let now = clock::unix_micros() / 1000;
        let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        for address in self.live.current().addresses() {
            let by_requests = address.health.cause().is_some_and(Cause::is_by_requests);
            // Twice as long after each relapse in a row.
            let pause = after.saturating_mul(1 << address.health.relapses().min(RELAPSES_MAX));
            let is_due = now.saturating_sub(address.health.changed_at()) >= pause;
            if by_requests
                && is_due
                && let Some(change) = address.health.try_again()
            {
                self.note(&address.health, address.socket, change);
            }
        }
    }

    fn addresses(
        &self,
        target: &Member,
        found: &[Found],
        known: &mut HashMap<(String, SocketAddr), Arc<Health>>,
    ) -> Vec<Address> {
        let mut addresses: Vec<Address> = found
            .iter()
            .map(|found| {
                let socket = SocketAddr::new(found.ip, found.port.unwrap_or(target.port));
                let key = (target.host.clone(), socket);
                Address {
                    host: target.host.clone(),
                    port: target.port,
                    socket,
                    name: match (&found.name, self.upstream.use_srv_name) {
                        (Some(name), true) => name.to_string(),
                        _ => target.host.clone(),
                    },
                    weight: u32::from(target.weight) * u32::from(found.weight),
                    health: Arc::clone(known.entry(key).or_insert_with(|| self.fresh())),
                }
            })
            .collect();
        addresses.sort_by_key(|own| own.socket);
        addresses.dedup_by_key(|own| own.socket);
        addresses
    }
}

impl Member {
    fn of(target: &Target) -> Self {
        Self {
            ip: target.host.parse().ok(),
            host: target.host.clone(),
            port: target.port,
            weight: target.weight,
        }
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("upstream", &self.upstream.name)
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}
