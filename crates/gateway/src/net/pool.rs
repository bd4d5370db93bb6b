//! Idle connections to services, per core, by address and TLS identity.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::task::Context;

/// Most idle connections of one core over all peers.
const MAX_TOTAL: usize = 16 * 1024;

/// Who a connection leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerKey {
    /// Where it was connected to.
    pub(crate) address: SocketAddr,
    /// Which TLS settings and server name it was opened with; zero means plain.
    pub(crate) tls: u64,
}

impl Hash for PeerKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.address.ip() {
            IpAddr::V4(ip) => state.write_u32(ip.to_bits()),
            IpAddr::V6(ip) => state.write_u128(ip.to_bits()),
        }
        state.write_u64(u64::from(self.address.port()) ^ (self.tls << 16));
    }
}

/// Multiplies and rotates: keys are addresses that configuration chose, not attackers.
#[derive(Debug, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn write_u128(&mut self, value: u128) {
        for half in [value >> 64, value & u128::from(u64::MAX)] {
            self.write_u64(u64::try_from(half).unwrap_or(0));
        }
    }
}

/// What a pool can keep.
pub(crate) trait Idle {
    /// Whether the peer has something to say. An idle connection has nothing to say, so that
    /// means closed, or out of step.
    fn speaks(&mut self, cx: &mut Context<'_>) -> bool;

    /// Requests it has served.
    fn served(&self) -> u32;
}

/// A connection that waits for its next request.
struct IdleConnection<T> {
    connection: T,
    expires: u64,
}

/// Limits of a pool; from the `upstream_keepalive_*` settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PoolLimits {
    /// Most idle connections per peer (default 512; zero turns reuse off).
    pub(crate) size: usize,
    /// Requests after which a connection is closed (default 10,000).
    pub(crate) max_requests: u32,
    /// How long a connection may be idle, in microseconds (default 60 s).
    pub(crate) idle_timeout: u64,
}

/// The idle connections of a core.
pub(crate) struct Pool<T> {
    peers: RefCell<HashMap<PeerKey, Vec<IdleConnection<T>>, BuildHasherDefault<KeyHasher>>>,
    total: std::cell::Cell<usize>,
    limits: PoolLimits,
}

impl<T: Idle> Pool<T> {
    /// An empty pool.
    pub(crate) fn new(limits: PoolLimits) -> Self {
        Self {
            peers: RefCell::default(),
            total: std::cell::Cell::new(0),
            limits,
        }
    }

    /// Takes the connection that was used last and is still open.
    pub(crate) fn take(&self, key: &PeerKey, now: u64, cx: &mut Context<'_>) -> Option<T> {
        let mut peers = self.peers.borrow_mut();
        let list = peers.get_mut(key)?;
        while let Some(mut idle) = list.pop() {
            self.total.set(self.total.get() - 1);
            if idle.expires > now && !idle.connection.speaks(cx) {
                return Some(idle.connection);
            }
        }
        None
    }

    /// Keeps a connection whose last response is complete, if it may be used again.
    pub(crate) fn give(&self, key: PeerKey, connection: T, now: u64) {
        if connection.served() >= self.limits.max_requests || self.total.get() >= MAX_TOTAL {
            return;
        }
        let mut peers = self.peers.borrow_mut();
        let list = peers.entry(key).or_default();
        if list.len() < self.limits.size {
            self.total.set(self.total.get() + 1);
            list.push(IdleConnection {
                connection,
                expires: now + self.limits.idle_timeout,
            });
        }
    }

    /// Closes connections that have expired or that the peer has closed.
    pub(crate) fn sweep(&self, now: u64, cx: &mut Context<'_>) {
        let mut total = 0;
        self.peers.borrow_mut().retain(|_, list| {
            list.retain_mut(|idle| idle.expires > now && !idle.connection.speaks(cx));
            total += list.len();
            !list.is_empty()
        });
        self.total.set(total);
    }
}
