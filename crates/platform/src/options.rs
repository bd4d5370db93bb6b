//! What whoever starts the platform decides.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use entities::Catalogue;
use store::{Location, PostgresConfig};

use crate::error::PlatformError;

/// Labels that mean something else in front of the base domain.
const RESERVED_GEOS: [&str; 7] = ["global", "cloud", "api", "kic", "svc", "portal", "origin"];

/// How to run the platform.
#[derive(Clone, Debug)]
pub struct PlatformOptions {
    /// Where everything is kept: databases, keys, certificates. Made when missing.
    pub data_dir: PathBuf,
    /// Where the databases are: `None` means files in `data_dir`. With PostgreSQL, the schema given
    /// is the beginning of several: one for the installation and one for each geo, so that
    /// any number of platforms share them. They also need the same keys in `data_dir`.
    pub database: Option<PostgresConfig>,
    /// The base domain `D`; its first label should be `konghq` for real clients.
    /// Default `konghq.localhost`.
    pub base_domain: String,
    /// Where the one TLS port listens; port 0 takes a free one. Default `127.0.0.1:8443`.
    pub listen: SocketAddr,
    /// The port that clients use, when something in between maps another one. `None`: the port
    /// listened on. It is part of every endpoint URL unless it is 443.
    pub public_port: Option<u16>,
    /// The geos served, the default one first. Default `us au eu in me`.
    pub geos: Vec<String>,
    /// The entities and plugins that configurations may hold. Default: all of this release.
    pub catalogue: Arc<Catalogue>,
    /// Limits against callers that take too much.
    pub limits: Limits,
}

impl PlatformOptions {
    /// Options with all defaults, keeping things in `data_dir`.
    #[must_use]
    pub fn new(data_dir: PathBuf) -> Self {
        Self {
            data_dir,
            database: None,
            base_domain: "konghq.localhost".to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            public_port: None,
            geos: ["us", "au", "eu", "in", "me"].map(str::to_owned).to_vec(),
            catalogue: Arc::new(Catalogue::new(plugins::catalogue())),
            limits: Limits::default(),
        }
    }

    /// Where the store of a geo is, or that of the installation.
    pub(crate) fn location(&self, name: StoreName<'_>) -> Location {
        location(&self.data_dir, self.database.as_ref(), name)
    }

    /// Finds contradictions before anything is opened.
    pub(crate) fn check(&self) -> Result<(), PlatformError> {
        let is_label = |text: &str| {
            !text.is_empty()
                && text.len() <= 20
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if self.geos.is_empty() {
            let text = "no geo is named; name at least one, such as `us`";
            return Err(PlatformError::Options(text.to_owned()));
        }
        for (index, geo) in self.geos.iter().enumerate() {
            let reason = if !is_label(geo) {
                "must be 1 to 20 lower-case letters and digits"
            } else if RESERVED_GEOS.contains(&geo.as_str()) {
                "means something else in host names"
            } else if self.geos[..index].contains(geo) {
                "is named twice"
            } else {
                continue;
            };
            return Err(PlatformError::Options(format!("the geo `{geo}` {reason}")));
        }
        let is_domain = self.base_domain.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        });
        if !is_domain {
            let text = format!(
                "the base domain `{}` is none; give a lower-case name such as `konghq.localhost`",
                self.base_domain
            );
            return Err(PlatformError::Options(text));
        }
        Ok(())
    }
}

/// The stores of an installation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StoreName<'a> {
    /// Organisations, users, tokens.
    Global,
    /// Control planes and their entities.
    Geo(&'a str),
}

/// Where a store is: a file of the data folder, or a schema whose name begins as configured.
pub(crate) fn location(
    data_dir: &Path,
    database: Option<&PostgresConfig>,
    name: StoreName<'_>,
) -> Location {
    let Some(config) = database else {
        return match name {
            StoreName::Global => data_dir.join("global.db").into(),
            StoreName::Geo(geo) => data_dir.join(format!("geo-{geo}.db")).into(),
        };
    };
    let mut config = config.clone();
    config.schema = match name {
        StoreName::Global => format!("{}_global", config.schema),
        StoreName::Geo(geo) => format!("{}_geo_{geo}", config.schema),
    };
    config.into()
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
    /// From the head to the last byte of a request body. Default 60 s.
    pub body_read: Duration,
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
            body_read: Duration::from_secs(60),
            body: 10_000_000,
            declarative_body: admin_api::import::MAX_BYTES,
            shutdown: Duration::from_secs(5),
        }
    }
}
