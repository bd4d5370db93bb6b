//! How a server is reached, as the record `redis` of a configuration says.

use std::fmt;
use std::time::Duration;

use schema::{DecodeError, Reader};

/// How a server is reached. Holds a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) timeout: Duration,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: i64,
    pub(super) is_tls: bool,
    pub(super) verifies: bool,
    pub(super) server_name: Option<String>,
    /// Tells servers and ways to reach them apart; the credentials as a sum.
    pub(super) place: String,
}

impl fmt::Debug for Settings {
    /// Leaves out the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads the record `redis` of a configuration; nothing without a host.
    pub(crate) fn read(config: &Reader<'_>) -> Result<Option<Self>, DecodeError> {
        let Some(record) = config.members("redis")? else {
            return Ok(None);
        };
        let read = Reader::new("plugins", record);
        let Some(host) = read.text("host")? else {
            return Ok(None);
        };
        let given = |name| Ok::<_, DecodeError>(read.text(name)?.filter(|text| !text.is_empty()));
        let timeout: u64 = read.integer("timeout")?.unwrap_or(2000);
        let mut settings = Self {
            host,
            port: read.integer("port")?.unwrap_or(6379),
            timeout: Duration::from_millis(timeout.max(1)),
            username: given("username")?,
            password: given("password")?,
            database: read.integer("database")?.unwrap_or(0),
            is_tls: read.boolean("ssl")?.unwrap_or(false),
            verifies: read.boolean("ssl_verify")?.unwrap_or(false),
            server_name: given("server_name")?,
            place: String::new(),
        };
        settings.place = settings.place();
        Ok(Some(settings))
    }

    fn place(&self) -> String {
        use aws_lc_rs::digest::{SHA256, digest};
        let secrets = format!("{:?}\0{:?}", self.username, self.password);
        let sum = digest(&SHA256, secrets.as_bytes());
        let sum: String = sum.as_ref()[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!(
            "{}:{}/{} tls={} verify={} name={:?} as={sum}",
            self.host, self.port, self.database, self.is_tls, self.verifies, self.server_name
        )
    }
}
