//! Ports for listeners that must be named before they are bound.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::OnceLock;

/// Where ports are looked for: below those that the system gives to outgoing connections, which
/// would otherwise take a port between its finding and its use.
const RANGE: std::ops::Range<u16> = 10_000..32_000;

/// Finds a port that nobody listens on, never the same twice within a process.
///
/// # Panics
///
/// Panics when there is none.
#[must_use]
pub fn free_port() -> u16 {
    static GIVEN: OnceLock<parking_lot::Mutex<HashSet<u16>>> = OnceLock::new();
    let given = GIVEN.get_or_init(Default::default);
    let candidates = std::iter::repeat_with(|| {
        let bytes = uuid::Uuid::new_v4().into_bytes();
        let random = u16::from_be_bytes([bytes[0], bytes[1]]);
        RANGE.start + random % (RANGE.end - RANGE.start)
    });
    candidates
        .take(10_000)
        .find(|port| TcpListener::bind(("0.0.0.0", *port)).is_ok() && given.lock().insert(*port))
        .expect("a free port")
}
