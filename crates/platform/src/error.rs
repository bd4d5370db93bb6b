//! What keeps the platform from starting or running.

use std::net::SocketAddr;
use std::path::PathBuf;

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
    /// A file of the data folder could not be read or written.
    #[error("cannot use `{path}`: {source}; check that the folder belongs to this user")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Keys or certificates of the data folder could not be used.
    #[error(transparent)]
    Pki(#[from] pki::Error),
    /// A database could not be opened.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The file of telemetry could not be opened.
    #[error(transparent)]
    Analytics(#[from] analytics::AnalyticsError),
    /// The control planes could not be read.
    #[error(transparent)]
    Planes(#[from] control_plane::PlaneError),
    /// The first organisation could not be made.
    #[error(transparent)]
    Identity(#[from] identity::IdentityError),
}
