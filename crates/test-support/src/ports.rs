//! Ports for listeners that must be named before they are bound.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::OnceLock;

/// Finds a port on the loopback address that nobody listens on, never the same twice within a
/// process.
///
/// # Panics
///
/// Panics when the system has no free port.
#[must_use]
pub fn free_port() -> u16 {
    static GIVEN: OnceLock<parking_lot::Mutex<HashSet<u16>>> = OnceLock::new();
    let given = GIVEN.get_or_init(Default::default);
    loop {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound address").port();
        if given.lock().insert(port) {
            return port;
        }
    }
}
