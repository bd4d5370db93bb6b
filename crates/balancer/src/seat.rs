//! An address as one core knows it.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use crate::{address::Address, health::Health, latency::Score};

/// An address on one core: what requests need of it, and what only this core counts. It outlives configurations
/// and new answers of the DNS as long as the address stays.
#[derive(Debug)]
pub struct Seat {
    socket: SocketAddr,
    plain_host: Bytes,
    tls_host: Bytes,
    health: Arc<Health>,
    open: Cell<u32>,
    score: Cell<Score>,
}

impl Seat {
    /// The address for a core. The texts are copied: cores share no counted references.
    pub(crate) fn new(address: &Address) -> Self {
        Self {
            socket: address.socket,
            plain_host: address.host_value(80),
            tls_host: address.host_value(443),
            health: Arc::clone(&address.health),
            open: Cell::default(),
            score: Cell::default(),
        }
    }

    /// The same counters for an address whose texts or port may have changed.
    pub(crate) fn succeed(&self, address: &Address) -> Self {
        let seat = Self::new(address);
        seat.open.set(self.open.get());
        seat.score.set(self.score.get());
        seat
    }

    /// Whether nothing of the address has changed that requests see.
    pub(crate) fn is_of(&self, address: &Address) -> bool {
        self.socket == address.socket && self.plain_host == address.host_value(80)
    }

    /// Where it is.
    #[must_use]
    pub const fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// The `Host` value of the target: its port only where it is not the protocol's own.
    #[must_use]
    pub const fn host(&self, is_tls: bool) -> &Bytes {
        if is_tls {
            &self.tls_host
        } else {
            &self.plain_host
        }
    }

    /// How it does.
    #[must_use]
    pub const fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// Requests of this core that are with it now.
    #[must_use]
    pub fn open(&self) -> u32 {
        self.open.get()
    }

    /// Takes note of how long it took to answer a request.
    pub fn observe(&self, took: u64, now: u64) {
        self.score.set(self.score.get().with(took, now));
    }

    pub(crate) fn score(&self) -> Score {
        self.score.get()
    }

    pub(crate) fn assume(&self, score: Score) {
        self.score.set(score);
    }

    /// Counts a request in; where `most` is not 0 for all cores, and only if there is room.
    pub(crate) fn enter(&self, most: u32) -> bool {
        if most > 0 && !self.health.enter(most) {
            return false;
        }
        self.open.set(self.open.get().saturating_add(1));
        true
    }

    /// Counts a request out, for all cores too if it was.
    pub(crate) fn leave(&self, is_counted: bool) {
        if is_counted {
            self.health.leave();
        }
        self.open.set(self.open.get().saturating_sub(1));
    }
}
