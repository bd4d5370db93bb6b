//! Limits and times of the outlet.

use std::time::Duration;

/// How the outlet behaves; the defaults are meant for production.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutletOptions {
    /// Links open at once, of all kinds; a further one is told to come back (503). 20,000.
    pub max_links: usize,
    /// Configurations being written at once. 64.
    pub max_pushes: usize,
    /// A node that takes longer than this for a configuration no longer counts among those being
    /// written, so that slow nodes do not hold up the others: 20 s.
    pub slow_push: Duration,
    /// A node that has not taken its configuration after this long is dropped: 5 minutes.
    pub stuck_push: Duration,
    /// Largest packed configuration a node takes: 16 MiB, the default of real nodes. A larger
    /// one is not sent but shown with the node.
    pub max_payload: usize,
    /// Wait for a node's first frame: 30 s.
    pub first_frame: Duration,
    /// Wait for a node's first ping before its first push: 5 s.
    pub first_ping: Duration,
    /// Silence after which a node is dropped: 45 s.
    pub silence: Duration,
    /// Idle time after which a `/v2/outlet` link is pinged: 30 s.
    pub ping_interval: Duration,
    /// Changes that follow each other faster are exported once: 300 ms.
    pub settle: Duration,
    /// Pause before a failed export is tried again: 1 s.
    pub retry: Duration,
}

impl Default for OutletOptions {
    fn default() -> Self {
        Self {
            max_links: 20_000,
            max_pushes: 64,
            slow_push: Duration::from_secs(20),
            stuck_push: Duration::from_secs(300),
            max_payload: wire::limits::DEFAULT_MAX_PAYLOAD,
            first_frame: wire::limits::FIRST_FRAME,
            first_ping: Duration::from_secs(5),
            silence: wire::limits::SILENCE,
            ping_interval: wire::limits::PING_INTERVAL,
            settle: Duration::from_millis(300),
            retry: Duration::from_secs(1),
        }
    }
}
