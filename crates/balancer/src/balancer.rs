//! The balancer of one upstream.

use entities::{Algorithm, Target, Upstream};

use crate::{
    address::Address,
    least,
    ring::Ring,
    state::{CoreState, PickState},
    wheel::Wheel,
};

/// Chooses among the targets of one upstream. Immutable and shared between cores.
#[derive(Debug)]
pub struct Balancer {
    addresses: Vec<Address>,
    picker: Picker,
}

/// How an address is chosen.
#[derive(Debug)]
enum Picker {
    RoundRobin(Wheel),
    /// Requests without a hash take the wheel.
    ConsistentHashing(Ring, Wheel),
    LeastConnections,
}

impl Balancer {
    /// Builds the balancer of an upstream from its targets; targets of other upstreams are the caller's to leave
    /// out. The order of the targets decides ties and nothing else.
    ///
    /// The algorithm `latency` is not there yet: such an upstream is balanced by round-robin.
    #[must_use]
    pub fn compile(upstream: &Upstream, targets: &[Target]) -> Self {
        let addresses: Vec<Address> = targets
            .iter()
            .enumerate()
            .map(|(index, target)| Address {
                host: target.host.clone(),
                port: target.port,
                weight: target.weight,
                index,
            })
            .collect();
        let picker = match upstream.algorithm {
            Algorithm::RoundRobin | Algorithm::Latency => {
                Picker::RoundRobin(Wheel::new(&addresses))
            }
            Algorithm::ConsistentHashing => Picker::ConsistentHashing(
                Ring::new(&addresses, upstream.slots),
                Wheel::new(&addresses),
            ),
            Algorithm::LeastConnections => Picker::LeastConnections,
        };
        Self { addresses, picker }
    }

    /// All targets, those without weight too.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Whether no pick can succeed: there is no target, or none with a weight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.addresses.iter().all(|address| address.weight == 0)
    }

    /// Whether picks depend on the hash of the request ([`PickState::hashed`]).
    #[must_use]
    pub const fn needs_hash(&self) -> bool {
        matches!(self.picker, Picker::ConsistentHashing(..))
    }

    /// A fresh state for the core of this number.
    #[must_use]
    pub fn core_state(&self, core: usize) -> CoreState {
        match &self.picker {
            Picker::RoundRobin(wheel) | Picker::ConsistentHashing(_, wheel) => CoreState {
                pointer: wheel.start(core),
                open: Vec::new(),
            },
            Picker::LeastConnections => CoreState {
                pointer: 0,
                open: vec![0; self.addresses.len()],
            },
        }
    }

    /// Chooses the target of the next try.
    ///
    /// When the request was given a target before, that one counts as failed: it is not chosen again while
    /// another is left. `None` when there is no target with a weight. A request that picked must end with
    /// [`Self::finish`].
    pub fn pick(&self, core: &mut CoreState, request: &mut PickState) -> Option<&Address> {
        if let Some(failed) = request.fail_current() {
            self.release(core, failed);
        }
        let index = match &self.picker {
            Picker::RoundRobin(wheel) => wheel.pick(core, request),
            Picker::ConsistentHashing(ring, wheel) => match request.hash {
                Some(hash) => ring.pick(hash, request),
                None => wheel.pick(core, request),
            },
            Picker::LeastConnections => least::pick(&self.addresses, core, request),
        }?;
        request.take(index);
        self.addresses.get(index)
    }

    /// Ends a request: its target is free again.
    pub fn finish(&self, core: &mut CoreState, request: &mut PickState) {
        if let Some(index) = request.current.take() {
            self.release(core, index);
        }
    }

    fn release(&self, core: &mut CoreState, index: usize) {
        if matches!(self.picker, Picker::LeastConnections) {
            least::release(core, index);
        }
    }
}
