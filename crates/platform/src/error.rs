//! What keeps the platform from starting or running.

use std::net::SocketAddr;

/// Errors of the platform's start and run.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// The TLS port could not be opened.
    #[error("cannot listen on `{address}`: {source}; stop what uses the port or choose another")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The options contradict themselves.
    #[error("{0}")]
    Options(String),
}
