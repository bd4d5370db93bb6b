//! What the node's surfaces know of the node.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Sums over all cores, as the status API shows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Client connections that are open.
    pub connections_active: u64,
    /// Of these, those whose request head is being read.
    pub connections_reading: u64,
    /// Of these, those that are being answered.
    pub connections_writing: u64,
    /// Of these, those that are kept without a request.
    pub connections_waiting: u64,
    /// Client connections accepted since the start.
    pub connections_accepted: u64,
    /// Client connections taken into service since the start.
    pub connections_handled: u64,
    /// Requests since the start.
    pub total_requests: u64,
    /// Client connections turned away since the start because there were as many as allowed.
    pub connections_refused: u64,
    /// Datagrams dropped since the start because there was no room or no session for them.
    pub datagrams_dropped: u64,
    /// Lines of the access log dropped since the start because its writer was behind.
    pub log_lines_dropped: u64,
    /// Connections closed since the start by a fault of the program.
    pub connection_faults: u64,
    /// Handshakes of TLS with clients that failed since the start.
    pub handshake_failures: u64,
    /// Attempts at services that failed since the start.
    pub attempt_failures: u64,
    /// What passed on layer 4.
    pub stream: StreamCounters,
}

/// Sums over all cores of what layer 4 did since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamCounters {
    /// Connections begun; datagrams are none.
    pub connections: u64,
    /// Connections and sessions of datagrams that a route took.
    pub sessions: u64,
    /// Closed: no handshake, a plugin's word, or no route.
    pub refused: u64,
    /// Ended because no target could be reached.
    pub unreachable: u64,
    /// Bytes sent to clients.
    pub sent_bytes: u64,
    /// Bytes received from clients.
    pub received_bytes: u64,
}

impl Counters {
    /// The counters that the reference does not have, with the names that they bear everywhere and
    /// what they count. In `/metrics` their names are `gatehouse_NAME_total`.
    #[must_use]
    pub fn own(&self) -> [(&'static str, &'static str, u64); 12] {
        let stream = &self.stream;
        [
            (
                "attempt_failures",
                "Attempts at services that failed",
                self.attempt_failures,
            ),
            (
                "connection_faults",
                "Connections closed by a fault of the program",
                self.connection_faults,
            ),
            (
                "connections_refused",
                "Client connections beyond the limit",
                self.connections_refused,
            ),
            (
                "datagrams_dropped",
                "Datagrams that found no room or no session",
                self.datagrams_dropped,
            ),
            (
                "handshake_failures",
                "Handshakes of TLS with clients that failed",
                self.handshake_failures,
            ),
            (
                "log_lines_dropped",
                "Lines of access logs that their writer did not take in time",
                self.log_lines_dropped,
            ),
            (
                "stream_connections",
                "Connections of layer 4",
                stream.connections,
            ),
            (
                "stream_received_bytes",
                "Bytes that layer 4 received from clients",
                stream.received_bytes,
            ),
            (
                "stream_refused",
                "Connections of layer 4 closed without handshake, by a plugin or without route",
                stream.refused,
            ),
            (
                "stream_sent_bytes",
                "Bytes that layer 4 sent to clients",
                stream.sent_bytes,
            ),
            (
                "stream_sessions",
                "Connections and sessions of datagrams that a route of layer 4 took",
                stream.sessions,
            ),
            (
                "stream_unreachable",
                "Connections and sessions of layer 4 that reached no target",
                stream.unreachable,
            ),
        ]
    }
}

/// The configuration in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Active {
    /// 32 characters; `None` before any configuration was taken into use.
    pub hash: Option<String>,
    /// Whether it holds no entity.
    pub is_empty: bool,
    /// Why a newer one is not in use; `None` when there is none.
    pub refusal: Option<String>,
    /// Configurations refused since the start.
    pub refusals: u64,
}

/// Tells whether a database can be reached.
pub type Reach = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// Renders the metrics of the node; told whether the database can be reached, and the counters.
pub type Metrics = Box<dyn Fn(bool, Counters) -> String + Send + Sync>;

/// A view of the running node. Cheap to clone.
#[derive(Clone)]
pub struct Facts {
    inner: Arc<Inner>,
}

struct Inner {
    counters: Box<dyn Fn() -> Counters + Send + Sync>,
    active: Box<dyn Fn() -> Active + Send + Sync>,
    database: Option<Reach>,
    metrics: Metrics,
    is_draining: AtomicBool,
}

impl Facts {
    /// Reads counters and the active configuration through the closures given; `database` is
    /// there on a node that has one. Metrics are none until [`Facts::with_metrics`] says how.
    pub fn new(
        counters: impl Fn() -> Counters + Send + Sync + 'static,
        active: impl Fn() -> Active + Send + Sync + 'static,
        database: Option<Reach>,
    ) -> Self {
        let inner = Inner {
            counters: Box::new(counters),
            active: Box::new(active),
            database,
            metrics: Box::new(|_, _| String::new()),
            is_draining: AtomicBool::new(false),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Sets how metrics are rendered; called before the facts are shared.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.metrics = metrics;
        }
        self
    }

    /// The metrics of the node as Prometheus reads them.
    pub async fn metrics(&self) -> String {
        // Compat: a node without a database counts as one whose database can be reached.
        let is_reachable = self.is_database_reachable().await.unwrap_or(true);
        (self.inner.metrics)(is_reachable, self.counters())
    }

    /// The counters now.
    #[must_use]
    pub fn counters(&self) -> Counters {
        (self.inner.counters)()
    }

    /// The active configuration now.
    #[must_use]
    pub fn active(&self) -> Active {
        (self.inner.active)()
    }

    /// Whether the database can be reached; `None` on a node without one.
    pub async fn is_database_reachable(&self) -> Option<bool> {
        Some((self.inner.database.as_ref()?)().await)
    }

    /// Whether the node has a database.
    #[must_use]
    pub fn has_database(&self) -> bool {
        self.inner.database.is_some()
    }

    /// From now on the node says that it is not ready.
    pub fn drain(&self) {
        self.inner.is_draining.store(true, Ordering::Relaxed);
    }

    /// Why the node may not be sent traffic; `None` when it is ready.
    ///
    /// Compat: Kong Gateway 3.9.3, `GET /status/ready`; but a database that is away does not make
    /// a node unready that serves what it has.
    #[must_use]
    pub fn not_ready(&self) -> Option<&'static str> {
        if self.inner.is_draining.load(Ordering::Relaxed) {
            return Some("draining");
        }
        let active = self.active();
        if active.hash.is_none() {
            Some("no configuration available (configuration hash is not initialized)")
        } else if active.is_empty && !self.has_database() {
            Some("no configuration available (empty configuration present)")
        } else {
            None
        }
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("active", &self.active())
            .finish_non_exhaustive()
    }
}
