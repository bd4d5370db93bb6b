//! Where the upstreams stand on a core: turns, open requests, scores. They outlive configurations.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use balancer::{CoreState, Moment, Outcome, PickState, Picked};
use uuid::Uuid;

use super::attempt::Attempts;
use super::core::Core;
use crate::health::Group;
use crate::snapshot::Snapshot;

/// The states of a core.
pub(crate) struct Balancing {
    number: usize,
    states: RefCell<HashMap<Uuid, CoreState, BuildHasherDefault<OfId>>>,
}

/// Ids are random enough to be their own hash.
#[derive(Default)]
struct OfId(u64);

impl Hasher for OfId {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, _) = bytes.as_chunks::<8>();
        for word in words {
            self.0 = self.0.rotate_left(5) ^ u64::from_le_bytes(*word);
        }
    }

    fn write_usize(&mut self, _length: usize) {}
}

impl Balancing {
    /// The states of the core of this number, all at their beginning.
    pub(crate) fn new(number: usize) -> Self {
        Self {
            number,
            states: RefCell::default(),
        }
    }

    /// Chooses the address of the next try.
    pub(crate) fn pick(
        &self,
        group: &Group,
        request: &mut PickState,
        moment: Moment,
    ) -> Option<Picked> {
        let mut states = self.states.borrow_mut();
        let state = states
            .entry(group.upstream().id)
            .or_insert_with(|| CoreState::new(self.number));
        group.pick(state, request, moment)
    }

    /// Forgets upstreams that a configuration does not have, once there must be some: a change of the
    /// configuration is no time for work that can wait.
    pub(crate) fn retain(&self, snapshot: &Snapshot) {
        let mut states = self.states.borrow_mut();
        if states.len() <= snapshot.balancers.len() {
            return;
        }
        let kept: HashSet<Uuid> = snapshot
            .balancers
            .iter()
            .map(|own| own.upstream().id)
            .collect();
        states.retain(|id, _| kept.contains(id));
    }
}

/// Reports that the try under way failed and another follows.
///
/// Compat: health checks count the failures of tries before the last by their kind, and the last
/// by the status that the client got.
pub(crate) fn failed(group: &Group, attempts: &Attempts, is_timeout: bool) {
    if let Some(seat) = attempts.pick.current() {
        let outcome = match is_timeout {
            true => Outcome::Timeout,
            false => Outcome::ConnectionFailure,
        };
        group.report(seat, outcome);
    }
}

/// Reports how a request ended, and frees its address.
pub(crate) fn finish(core: &Core, group: &Arc<Group>, attempts: &mut Attempts, status: u16) {
    if let Some(seat) = attempts.pick.current() {
        let outcome = match status {
            504 => Outcome::Timeout,
            status => Outcome::Status(status),
        };
        group.report(seat, outcome);
        if group.needs_latency() {
            let now = core.ticks.now();
            seat.observe(now.saturating_sub(attempts.picked_at), now);
        }
    }
    attempts.pick.finish();
}
