//! The newest balancer of an upstream, as all cores find it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;

use crate::{
    balancer::Balancer,
    state::{CoreState, PickState},
};

/// Versions are unique in a process, so that a core sees at once whether its state is of another balancer.
static NEXT_VERSION: AtomicU64 = AtomicU64::new(1);

/// The balancer of an upstream, replaced when its addresses change. Cores look at a number, and take the new one
/// when it has changed.
#[derive(Debug)]
pub struct Live {
    version: AtomicU64,
    current: ArcSwap<Balancer>,
}

/// When and how a request asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Whether the request is sent with TLS.
    pub is_tls: bool,
    /// Microseconds of the core's clock.
    pub now: u64,
    /// Milliseconds since 1970; only read where addresses start slowly.
    pub unix_ms: u64,
}

/// Where a try of a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    /// The address.
    pub socket: SocketAddr,
    /// The `Host` value of the target: its port only where it is not the protocol's own.
    pub host: Bytes,
    /// What sticky sessions call the address; `None` with other algorithms.
    pub sticky: Option<u32>,
}

impl Live {
    /// Begins with a balancer.
    #[must_use]
    pub fn new(balancer: Balancer) -> Self {
        Self {
            version: AtomicU64::new(NEXT_VERSION.fetch_add(1, Ordering::Relaxed)),
            current: ArcSwap::from_pointee(balancer),
        }
    }

    /// Replaces the balancer; cores follow with their next pick.
    pub fn replace(&self, balancer: Balancer) {
        self.current.store(Arc::new(balancer));
        let version = NEXT_VERSION.fetch_add(1, Ordering::Relaxed);
        self.version.store(version, Ordering::Release);
    }

    /// The newest balancer.
    #[must_use]
    pub fn current(&self) -> Arc<Balancer> {
        self.current.load_full()
    }

    /// Chooses the address of the next try.
    ///
    /// When the request was given an address before, that one counts as failed: it is not chosen again while
    /// another is left. `None` when there is no address with a weight that is healthy and has room, or when too few of
    /// them are healthy ([`crate::Plan::threshold`]). A request that picked must end with [`PickState::finish`].
    pub fn pick(
        &self,
        core: &mut CoreState,
        request: &mut PickState,
        moment: Moment,
    ) -> Option<Picked> {
        let version = self.version.load(Ordering::Acquire);
        if !core.is_of(version) {
            core.refresh(self.current.load_full(), version, moment.now);
        }
        request.fail_current();
        let (seat, seat_name) = Balancer::pick(core, request, moment)?;
        let picked = Picked {
            socket: seat.socket(),
            host: seat.host(moment.is_tls).clone(),
            sticky: seat_name,
        };
        Some(picked)
    }
}
