//! The balancer of one upstream.

use std::cell::Cell;
use std::rc::Rc;

use entities::{Algorithm, Upstream};

use crate::{
    address::Address,
    hash::xxhash32,
    latency, least,
    live::Moment,
    ring::Ring,
    seat::Seat,
    state::{CoreState, PickState},
    wheel::Wheel,
};

/// Chooses among the addresses of one upstream. Immutable and shared between cores.
#[derive(Debug)]
pub struct Balancer {
    addresses: Vec<Address>,
    picker: Picker,
    threshold: f64,
    extras: Extras,
}

/// What the reference does not have; all off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Most requests that may be with an address at a time, over all cores; 0 is any number.
    pub max_connections: u32,
    /// Milliseconds in which the share of an address that is new, or back, grows to its weight; 0 gives it at
    /// once. Requests that are hashed do not regard it.
    pub slow_start: u64,
}

/// How addresses are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Points of the ring.
    pub slots: u32,
    /// Makes the names that sticky sessions have for addresses differ between upstreams.
    pub salt: u128,
    /// Percent of weight that must be exceeded for the upstream to be healthy; 0 asks for one address.
    pub threshold: f64,
    /// How many targets the addresses belong to, those without an address included.
    pub targets: usize,
    /// More.
    pub extras: Extras,
}

impl Plan {
    /// The plan of an upstream with so many targets.
    #[must_use]
    pub const fn of(upstream: &Upstream, targets: usize, extras: Extras) -> Self {
        Self {
            algorithm: upstream.algorithm,
            slots: upstream.slots,
            salt: upstream.id.as_u128(),
            threshold: upstream.healthchecks.threshold,
            targets,
            extras,
        }
    }
}

/// How an address is chosen.
#[derive(Debug)]
enum Picker {
    RoundRobin(Wheel),
    /// Requests without a hash take the wheel.
    ConsistentHashing(Ring, Wheel),
    LeastConnections,
    Latency,
    /// The names of the addresses, in their order; requests without one take the wheel.
    Sticky(Vec<u32>, Wheel),
}

/// Weight of an upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weights {
    /// Of all addresses.
    pub total: u64,
    /// Of those that are not out.
    pub available: u64,
}

impl Weights {
    /// Whether more than `threshold` percent are available.
    ///
    /// `Compat:` of nothing, nothing is available.
    #[must_use]
    pub fn exceed(self, threshold: f64) -> bool {
        let float = |weight: u64| f64::from(u32::try_from(weight).unwrap_or(u32::MAX));
        self.total > 0 && float(self.available) * 100.0 / float(self.total) > threshold
    }
}

impl Balancer {
    /// Builds the balancer of an upstream from the addresses of its targets. Their order decides ties and nothing
    /// else.
    #[must_use]
    pub fn compile(plan: &Plan, addresses: Vec<Address>) -> Self {
        let picker = match plan.algorithm {
            Algorithm::RoundRobin => Picker::RoundRobin(Wheel::new(&addresses)),
            Algorithm::ConsistentHashing => Picker::ConsistentHashing(
                Ring::new(&addresses, plan.targets, plan.slots),
                Wheel::new(&addresses),
            ),
            Algorithm::LeastConnections => Picker::LeastConnections,
            Algorithm::Latency => Picker::Latency,
            Algorithm::StickySessions => {
                let names = addresses.iter().map(|address| {
                    let text = format!("{:032x} {}", plan.salt, address.socket);
                    xxhash32(text.as_bytes())
                });
                Picker::Sticky(names.collect(), Wheel::new(&addresses))
            }
        };
        Self {
            addresses,
            picker,
            threshold: plan.threshold,
            extras: plan.extras,
        }
    }

    /// All addresses, those without weight too.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Whether no pick can succeed, however healthy all are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.addresses.iter().any(Address::has_weight)
    }

    /// Whether picks depend on how long addresses take ([`Seat::observe`]).
    #[must_use]
    pub const fn needs_latency(&self) -> bool {
        matches!(self.picker, Picker::Latency)
    }

    /// The weights now.
    #[must_use]
    pub fn weights(&self) -> Weights {
        let mut weights = Weights::default();
        for address in &self.addresses {
            weights.total += u64::from(address.weight);
            if !address.health.is_out() {
                weights.available += u64::from(address.weight);
            }
        }
        weights
    }

    /// Whether the upstream counts as healthy.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.weights().exceed(self.threshold)
    }

    /// Where a core begins.
    pub(crate) fn start(&self, core: usize) -> usize {
        match &self.picker {
            Picker::RoundRobin(wheel)
            | Picker::ConsistentHashing(_, wheel)
            | Picker::Sticky(_, wheel) => wheel.start(core),
            Picker::LeastConnections => 0,
            Picker::Latency => core.checked_rem(self.addresses.len()).unwrap_or(0),
        }
    }

    /// The name that sticky sessions have for an address.
    fn sticky_name(&self, index: usize) -> Option<u32> {
        match &self.picker {
            Picker::Sticky(names, _) => names.get(index).copied(),
            _ => None,
        }
    }

    /// Chooses an address and notes it in the request.
    pub(crate) fn pick<'c>(
        core: &'c mut CoreState,
        request: &mut PickState,
        moment: Moment,
    ) -> Option<(&'c Rc<Seat>, Option<u32>)> {
        let CoreState {
            balancer,
            seats,
            pointer,
            dice,
            ..
        } = core;
        let balancer = balancer.as_deref()?;
        if balancer.threshold > 0.0 && !balancer.is_healthy() {
            return None;
        }
        let mut choose = |request: &PickState, is_gentle: bool| {
            balancer.choose(
                seats,
                (&mut *pointer, moment.now),
                request.hash,
                |address| {
                    balancer.may_take(address)
                        && !(request.has_failures() && request.has_failed(address.health.id()))
                        && !(is_gentle && balancer.is_spared(address, moment, dice))
                },
            )
        };
        let is_gentle = balancer.extras.slow_start > 0 && request.hash.is_none();
        loop {
            let mut index = match is_gentle {
                true => choose(request, true).or_else(|| choose(request, false)),
                false => choose(request, false),
            };
            if index.is_none() && request.has_failures() {
                request.forget_failures();
                index = choose(request, false);
            }
            let index = index?;
            let seat = seats.get(index)?;
            // Another core may have taken the last place; then there is one address less.
            if request.take(seat, balancer.extras.max_connections) {
                return Some((seat, balancer.sticky_name(index)));
            }
        }
    }

    /// Whether an address takes requests now.
    fn may_take(&self, address: &Address) -> bool {
        let most = self.extras.max_connections;
        address.has_weight()
            && !address.health.is_out()
            && (most == 0 || address.health.open() < most)
    }

    /// Whether an address that is new, or back, is left out this time.
    fn is_spared(&self, address: &Address, moment: Moment, dice: &Cell<u64>) -> bool {
        let since = moment.unix_ms.saturating_sub(address.health.changed_at());
        if since >= self.extras.slow_start {
            return false;
        }
        // In thousandths; a tenth of its share it gets from the beginning.
        let share = (since * 1000 / self.extras.slow_start).max(100);
        roll(dice) % 1000 >= share
    }

    /// Chooses among the addresses that are wanted.
    fn choose(
        &self,
        seats: &[Rc<Seat>],
        (pointer, now): (&mut usize, u64),
        hash: Option<u32>,
        is_wanted: impl Fn(&Address) -> bool,
    ) -> Option<usize> {
        let wanted = |index: usize| self.addresses.get(index).is_some_and(&is_wanted);
        let turn = |wheel: &Wheel, pointer: &mut usize| {
            wheel
                .pick(pointer, QUICK_TURNS, wanted)
                // Most are out. A whole turn is long: is it worth it?
                .or_else(|| match self.addresses.iter().any(&is_wanted) {
                    true => wheel.pick(pointer, usize::MAX, wanted),
                    false => None,
                })
        };
        match (&self.picker, hash) {
            (Picker::RoundRobin(wheel), _)
            | (Picker::ConsistentHashing(_, wheel) | Picker::Sticky(_, wheel), None) => {
                turn(wheel, pointer)
            }
            (Picker::Sticky(names, wheel), Some(wished)) => {
                let mut named = (0..).zip(names).filter(|(_, name)| **name == wished);
                named
                    .find_map(|(index, _)| wanted(index).then_some(index))
                    .or_else(|| turn(wheel, pointer))
            }
            (Picker::ConsistentHashing(ring, wheel), Some(hash)) => ring
                .pick(hash, QUICK_TURNS, wanted)
                .or_else(|| match self.addresses.iter().any(&is_wanted) {
                    true => ring.pick(hash, usize::MAX, wanted),
                    false => None,
                })
                // A ring that is too small has no point for some.
                .or_else(|| turn(wheel, pointer)),
            (Picker::LeastConnections, _) => least::pick(&self.addresses, seats, wanted),
            (Picker::Latency, _) => latency::pick(&self.addresses, seats, (pointer, now), wanted),
        }
    }
}

/// How far wheel and ring are walked before it is looked whether any address is left.
const QUICK_TURNS: usize = 64;

/// A number that looks random (xorshift).
fn roll(dice: &Cell<u64>) -> u64 {
    let mut number = dice.get();
    number ^= number << 13;
    number ^= number >> 7;
    number ^= number << 17;
    dice.set(number);
    number
}
