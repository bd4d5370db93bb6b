//! What changes while requests are balanced.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use crate::{balancer::Balancer, latency::Score, seat::Seat};

/// How many failed targets a request remembers; a request with more tries may meet an early one again.
const MAX_REMEMBERED: usize = 256;

/// The state that one core keeps for one upstream. Not shared; it goes on over configurations.
#[derive(Debug, Default)]
pub struct CoreState {
    /// Which core it is; cores begin at different turns.
    number: usize,
    /// Of what it is the state; zero at the beginning.
    version: u64,
    pub(crate) balancer: Option<Arc<Balancer>>,
    pub(crate) seats: Vec<Rc<Seat>>,
    /// Next slot of the wheel.
    pub(crate) pointer: usize,
    /// Decides who is spared; never zero.
    pub(crate) dice: Cell<u64>,
}

impl CoreState {
    /// The state of the core of this number before its first pick.
    #[must_use]
    pub fn new(number: usize) -> Self {
        Self {
            number,
            dice: Cell::new(0x9E37_79B9_7F4A_7C15),
            ..Self::default()
        }
    }

    /// Whether it is the state of this version.
    pub(crate) const fn is_of(&self, version: u64) -> bool {
        self.version == version
    }

    /// Goes over to another version; addresses that stay keep what was counted.
    pub(crate) fn refresh(&mut self, balancer: Arc<Balancer>, version: u64, now: u64) {
        let known: Vec<f64> = self.seats.iter().map(|seat| seat.score().mean()).collect();
        let count = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let mean = match count {
            0 => 0.0,
            count => known.iter().sum::<f64>() / f64::from(count),
        };
        let mut old: std::collections::HashMap<u64, Rc<Seat>> = self
            .seats
            .drain(..)
            .map(|seat| (seat.health().id(), seat))
            .collect();
        self.seats = balancer
            .addresses()
            .iter()
            .map(|address| match old.remove(&address.health.id()) {
                Some(seat) if seat.is_of(address) => seat,
                Some(seat) => Rc::new(seat.succeed(address)),
                None => {
                    let seat = Seat::new(address);
                    if mean > 0.0 {
                        seat.assume(Score::assumed(mean, now));
                    }
                    Rc::new(seat)
                }
            })
            .collect();
        if self.version == 0 {
            self.pointer = balancer.start(self.number);
        }
        self.balancer = Some(balancer);
        self.version = version;
    }
}

/// The state of one request: what it is hashed by, where it went, and what failed.
#[derive(Debug, Clone, Default)]
pub struct PickState {
    pub(crate) hash: Option<u32>,
    current: Option<Rc<Seat>>,
    /// Ids of addresses that failed.
    failed: Vec<u64>,
    tries: u32,
    /// Whether it is counted for all cores.
    is_counted: bool,
}

impl PickState {
    /// A request without hash input.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A request whose hash input has this [`crate::xxhash32`]; with sticky sessions one whose cookie has this
    /// name of an address ([`crate::Picked::sticky`]).
    #[must_use]
    pub fn hashed(hash: u32) -> Self {
        Self {
            hash: Some(hash),
            ..Self::default()
        }
    }

    /// What it is hashed by, or the address that its cookie names.
    #[must_use]
    pub const fn hash(&self) -> Option<u32> {
        self.hash
    }

    /// How many targets were picked so far.
    #[must_use]
    pub const fn tries(&self) -> u32 {
        self.tries
    }

    /// The address that was picked last and is being tried.
    #[must_use]
    pub const fn current(&self) -> Option<&Rc<Seat>> {
        self.current.as_ref()
    }

    /// Ends the request: its address is free again.
    pub fn finish(&mut self) {
        if let Some(seat) = self.current.take() {
            seat.leave(std::mem::take(&mut self.is_counted));
        }
    }

    pub(crate) fn has_failures(&self) -> bool {
        !self.failed.is_empty()
    }

    pub(crate) fn has_failed(&self, id: u64) -> bool {
        self.failed.contains(&id)
    }

    /// Takes note that the current address failed.
    pub(crate) fn fail_current(&mut self) {
        let Some(seat) = self.current.take() else {
            return;
        };
        seat.leave(std::mem::take(&mut self.is_counted));
        let id = seat.health().id();
        if !self.has_failed(id) && self.failed.len() < MAX_REMEMBERED {
            self.failed.push(id);
        }
    }

    /// Every address has failed: all may be tried again.
    pub(crate) fn forget_failures(&mut self) {
        self.failed.clear();
    }

    /// Takes an address, if fewer than `most` requests are with it; 0 is any number.
    pub(crate) fn take(&mut self, seat: &Rc<Seat>, most: u32) -> bool {
        self.is_counted = most > 0;
        if !seat.enter(most) {
            return false;
        }
        self.current = Some(Rc::clone(seat));
        self.tries = self.tries.saturating_add(1);
        true
    }
}
