//! Counters per core: written by their core alone, summed by whoever reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A counter with one writer.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Counts one up. One writer, so a load and a store are enough.
    pub(crate) fn add(&self, count: u64) {
        let value = self.0.load(Ordering::Relaxed);
        self.0.store(value.wrapping_add(count), Ordering::Relaxed);
    }

    /// Counts one down.
    pub(crate) fn sub(&self, count: u64) {
        let value = self.0.load(Ordering::Relaxed);
        self.0.store(value.wrapping_sub(count), Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// The counters of one core.
        #[derive(Debug, Default)]
        pub(crate) struct CoreCounters {
            $($(#[$doc])* pub(crate) $name: Counter,)+
        }

        /// The counters of the engine, summed over its cores at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)+
        }

        impl Counters {
            /// Sums up.
            pub(crate) fn sum(cores: &[Arc<CoreCounters>]) -> Self {
                let mut sum = Self::default();
                for core in cores {
                    $(sum.$name = sum.$name.wrapping_add(core.$name.get());)+
                }
                sum
            }
        }
    };
}

counters! {
    /// Client connections accepted.
    accepted,
    /// Client connections open now.
    active,
    /// Client connections that were served, not turned away by a limit.
    handled,
    /// Requests begun.
    requests,
    /// Requests being answered now.
    writing,
    /// Connections that panicked; each was closed, nothing else was affected.
    panics,
    /// TLS handshakes that failed.
    handshake_failures,
    /// Attempts at services that failed.
    attempt_failures,
    /// Connections to services opened.
    upstream_connections,
    /// Access log lines dropped because the writer was behind.
    log_dropped,
    /// Client connections turned away because there were as many as allowed.
    connections_refused,
    /// Connections of layer 4 begun.
    stream_connections,
    /// Connections of layer 4 and sessions of datagrams that a route took.
    stream_sessions,
    /// Connections of layer 4 closed: no handshake, a plugin's word, or no route.
    stream_refused,
    /// Connections of layer 4 and sessions of datagrams whose targets could not be reached.
    stream_unreachable,
    /// Bytes that layer 4 sent to clients.
    stream_sent_bytes,
    /// Bytes that layer 4 received from clients.
    stream_received_bytes,
    /// Datagrams that found no room, or no session.
    datagrams_dropped,
}
