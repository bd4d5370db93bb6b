//! Where a store lives, and how a PostgreSQL server is reached.
//!
//! Reading settings is the caller's work: a node has `pg_*`, a platform one address. This module
//! only holds what they lead to, and reads the usual form of an address.

mod url;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where a store lives.
#[derive(Clone, Debug)]
pub enum Location {
    /// A database file of its own; its folder is made when it does not exist. One process at a
    /// time.
    Sqlite(PathBuf),
    /// A schema of a PostgreSQL database, version 15 or newer. Any number of processes.
    Postgres(Box<PostgresConfig>),
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self::Sqlite(path)
    }
}

impl From<PostgresConfig> for Location {
    fn from(config: PostgresConfig) -> Self {
        Self::Postgres(Box::new(config))
    }
}

impl fmt::Display for Location {
    // Names the place in messages; never a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(config) => write!(f, "{config}"),
        }
    }
}

/// How a store in PostgreSQL is reached and used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresConfig {
    /// The server that writes and reads go to.
    pub server: PostgresServer,
    /// A server that follows the first one; lists, counts and the audit trail are read there.
    /// It may lag behind. Default none.
    pub replica: Option<PostgresServer>,
    /// The schema that holds the tables; made when it does not exist. Default `public`.
    pub schema: String,
    /// Longest time for connecting, and for one statement. Default 5 s; a statement that loads or
    /// exports a whole configuration may take twenty times as long.
    pub timeout: Duration,
    /// Connections at one time, for each server. Default 16.
    pub max_connections: usize,
    /// How long a request waits for a connection before it is turned away. Default 10 s.
    pub wait: Duration,
    /// How long a connection may be idle before it is closed. `None`: as long as it lives.
    pub idle: Option<Duration>,
}

impl Default for PostgresConfig {
    fn default() -> Self {
        Self {
            server: PostgresServer::default(),
            replica: None,
            schema: "public".to_owned(),
            timeout: Duration::from_secs(5),
            max_connections: 16,
            wait: Duration::from_secs(10),
            idle: None,
        }
    }
}

impl fmt::Display for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, schema {}", self.server, self.schema)
    }
}

/// One server and who one is there.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresServer {
    /// A name, an address, or the folder of a socket when it begins with `/`. Default `127.0.0.1`.
    pub host: String,
    /// The port. Default 5432.
    pub port: u16,
    /// The role. Default `kong`.
    pub user: String,
    /// Its password, if it needs one.
    pub password: Option<String>,
    /// The database. Default `kong`.
    pub database: String,
    /// Whether the connection is encrypted. Default [`PostgresTls::Off`].
    pub tls: PostgresTls,
    /// Whether the server's certificate is checked when the connection is encrypted. Default no.
    pub verify: bool,
    /// Authorities that are trusted, as PEM text. `None`: those of the system.
    pub trusted: Option<String>,
}

impl Default for PostgresServer {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 5432,
            user: "kong".to_owned(),
            password: None,
            database: "kong".to_owned(),
            tls: PostgresTls::Off,
            verify: false,
            trusted: None,
        }
    }
}

impl fmt::Debug for PostgresServer {
    // A derived form would print the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresServer")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("database", &self.database)
            .field("tls", &self.tls)
            .field("verify", &self.verify)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for PostgresServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (&self.host, self.port);
        write!(f, "PostgreSQL at {host}:{port}, database {}", self.database)
    }
}

/// Whether a connection to PostgreSQL is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PostgresTls {
    /// Never.
    #[default]
    Off,
    /// When the server can; otherwise not. Compat: `pg_ssl` without `pg_ssl_required`.
    Preferred,
    /// Always; a server that cannot is refused.
    Required,
}
