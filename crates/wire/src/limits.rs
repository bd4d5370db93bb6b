//! Sizes and times both ends of the protocol agree on.

use std::time::Duration;

/// Largest payload a real node accepts in one frame unless configured otherwise: 16 MiB, counted
/// after compression.
pub const DEFAULT_MAX_PAYLOAD: usize = 16 * 1024 * 1024;

/// Largest configuration our node inflates from one frame: 512 MiB.
pub const DEFAULT_MAX_INFLATED: usize = 512 * 1024 * 1024;

/// Largest first frame (`basic_info`) or error report a control plane reads: 4 MiB. Real ones
/// are tens of kilobytes.
pub const MAX_NODE_FRAME: usize = 4 * 1024 * 1024;

/// How often a node sends a ping that carries its current hash.
pub const PING_INTERVAL: Duration = Duration::from_secs(30);

/// Silence after which a peer is taken for dead.
pub const SILENCE: Duration = Duration::from_secs(45);

/// How long a control plane waits for `basic_info` or the hello call. The reference waits 5 s;
/// slow links deserve more.
pub const FIRST_FRAME: Duration = Duration::from_secs(30);

/// Shortest and longest pause before a node dials again, in whole seconds; uniform between.
pub const RECONNECT_SECONDS: (u64, u64) = (5, 10);
