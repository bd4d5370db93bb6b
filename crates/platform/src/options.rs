//! What whoever starts the platform decides.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How to run the platform.
#[derive(Clone, Debug)]
pub struct PlatformOptions {
    /// Where everything is kept: databases, keys, certificates. Made when missing.
    pub data_dir: PathBuf,
    /// The base domain `D`; its first label should be `konghq` for real clients.
    /// Default `konghq.localhost`.
    pub base_domain: String,
    /// Where the one TLS port listens; port 0 takes a free one. Default `127.0.0.1:8443`.
    pub listen: SocketAddr,
    /// The port that clients use, when something in between maps another one. `None`: the port
    /// listened on. It is part of every endpoint URL unless it is 443.
    pub public_port: Option<u16>,
    /// The geos served, the default one first. Default `us`.
    pub geos: Vec<String>,
    /// Limits against callers that take too much.
    pub limits: Limits,
}

impl PlatformOptions {
    /// Options with all defaults, keeping things in `data_dir`.
    #[must_use]
    pub fn new(data_dir: PathBuf) -> Self {
        Self {
            data_dir,
            base_domain: "konghq.localhost".to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            public_port: None,
            geos: vec!["us".to_owned()],
            limits: Limits::default(),
        }
    }
}

/// Limits against callers that take too much. All have defaults that fit an installation on one
/// machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time; a further one waits in the system's backlog. Default 8192.
    pub connections: usize,
    /// From the accepted connection to the end of the TLS handshake. Default 10 s.
    pub handshake: Duration,
    /// From the first to the last byte of a request head. Default 15 s.
    pub header_read: Duration,
    /// Bytes of a request body of the APIs. Default 10 MB (decimal).
    pub body: usize,
    /// Bytes of a declarative file. Default 100 MB (decimal).
    pub declarative_body: usize,
    /// How long requests under way may go on after the shutdown began. Default 5 s.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            handshake: Duration::from_secs(10),
            header_read: Duration::from_secs(15),
            body: 10_000_000,
            declarative_body: 100_000_000,
            shutdown: Duration::from_secs(5),
        }
    }
}
