//! How the PostgreSQL server of a node is reached.

use std::time::Duration;

use crate::secret::Secret;

/// The `pg_*` properties.
#[derive(Clone, Debug, Default)]
pub struct Postgres {
    /// `pg_host`: name, address, or folder of a Unix socket.
    pub host: String,
    /// `pg_port`.
    pub port: u16,
    /// `pg_user`.
    pub user: String,
    /// `pg_password`.
    pub password: Option<Secret>,
    /// `pg_database`.
    pub database: String,
    /// `pg_schema`; the server's search path when unset.
    pub schema: Option<String>,
    /// `pg_ssl`: speak TLS when the server can.
    pub ssl: bool,
    /// `pg_ssl_required`: with `pg_ssl`, refuse a server that cannot.
    pub ssl_required: bool,
    /// `pg_ssl_verify`: verify the server's certificate and name; the authorities are those of
    /// `lua_ssl_trusted_certificate`.
    pub ssl_verify: bool,
    /// `pg_timeout`: to connect, and for an answer.
    pub timeout: Duration,
    /// `pg_pool_size`: most connections at a time.
    pub pool_size: Option<usize>,
    /// `pg_keepalive_timeout`: how long an idle connection is kept; for ever when unset.
    pub keepalive_timeout: Option<Duration>,
}
