//! One connection: connecting, and statements that are prepared once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Connection, Row, RowStream, Socket, Statement};

use super::fault::{Fault, Outcome};
use super::tls::{Encrypted, MakeTls};
use crate::{PostgresServer, PostgresTls, StoreError};

/// Prepared statements that a connection keeps; above it, all are prepared anew.
const STATEMENTS_KEPT: usize = 256;

/// How much longer than the server this side waits for an answer, so that the server's own
/// time limit speaks first.
const GRACE: Duration = Duration::from_secs(1);

/// What a client writes into the server's list of sessions.
const APPLICATION: &str = "gatehouse";

pub(crate) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// How connections to one server are made.
pub(crate) struct Connector {
    config: Config,
    tls: MakeTls,
    timeout: Duration,
    session: String,
    /// What messages call it.
    pub(crate) place: String,
}

/// The part of a connection that has to be polled for it to live.
pub(crate) type Driver = Connection<Socket, Encrypted<Socket>>;

impl Connector {
    pub(crate) fn new(
        server: &PostgresServer,
        schema: &str,
        timeout: Duration,
    ) -> Result<Self, StoreError> {
        let mut config = Config::new();
        config
            .host(&server.host)
            .port(server.port)
            .user(&server.user)
            .dbname(&server.database)
            .application_name(APPLICATION)
            .connect_timeout(timeout)
            .ssl_mode(match server.tls {
                PostgresTls::Off => SslMode::Disable,
                PostgresTls::Preferred => SslMode::Prefer,
                PostgresTls::Required => SslMode::Require,
            });
        if let Some(password) = &server.password {
            config.password(password);
        }
        let millis = timeout.as_millis();
        // Plans are steered to the indexes, whatever the tables hold: no statement here gains from
        // reading one as a whole, and each is planned once. A role that gave up durability gets it
        // back.
        let session = format!(
            "SET search_path TO {}; SET statement_timeout = {millis}; SET lock_timeout = {millis};
             SET idle_in_transaction_session_timeout = {}; SET client_min_messages = warning;
             SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
             SET enable_material = off; SET enable_bitmapscan = off; SET enable_sort = off;
             SET plan_cache_mode = force_generic_plan; SET jit = off; SELECT set_config('synchronous_commit', 'on', false)
             WHERE current_setting('synchronous_commit') = 'off'",
            quoted(schema),
            millis * 4,
        );
        Ok(Self {
            config,
            tls: MakeTls::new(server)?,
            timeout,
            session,
            place: server.to_string(),
        })
    }

    /// Connects; the driver has to be polled by the caller, first of all for what follows here.
    pub(crate) async fn connect(&self) -> Outcome<(Client, Driver)> {
        let connecting = self.config.connect(self.tls.clone());
        let within = tokio::time::timeout(self.timeout, connecting).await;
        Ok(within.map_err(|_| Fault::Silent)??)
    }

    /// A connection that is ready for statements. Its driver runs as a task.
    pub(crate) async fn link(&self) -> Outcome<Link> {
        let (client, driver) = self.connect().await?;
        tokio::spawn(async move {
            if let Err(error) = driver.await {
                tracing::debug!(%error, "a connection to PostgreSQL ended");
            }
        });
        let link = Link::new(client, self.timeout);
        link.batch(&self.session).await?;
        Ok(link)
    }

    /// The settings of a session.
    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// An identifier, quoted.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A connection. Everything it is asked ends within its time limit.
pub(crate) struct Link {
    client: Client,
    timeout: Duration,
    statements: Mutex<HashMap<Arc<str>, Statement>>,
}

impl Link {
    pub(crate) fn new(client: Client, timeout: Duration) -> Self {
        Self {
            client,
            timeout,
            statements: Mutex::default(),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Outcome<T> {
        let done = tokio::time::timeout(self.timeout + GRACE, work).await;
        Ok(done.map_err(|_| Fault::Silent)??)
    }

    /// The prepared form of a statement.
    pub(crate) async fn statement(&self, sql: &str) -> Outcome<Statement> {
        if let Some(statement) = self.statements.lock().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.within(self.client.prepare(sql)).await?;
        let mut kept = self.statements.lock();
        if kept.len() >= STATEMENTS_KEPT {
            kept.clear();
        }
        kept.insert(sql.into(), statement.clone());
        Ok(statement)
    }

    pub(crate) async fn query(&self, sql: &str, values: Parameters<'_>) -> Outcome<Vec<Row>> {
        let statement = self.statement(sql).await?;
        self.within(self.client.query(&statement, values)).await
    }

    pub(crate) async fn one(&self, sql: &str, values: Parameters<'_>) -> Outcome<Option<Row>> {
        let statement = self.statement(sql).await?;
        self.within(self.client.query_opt(&statement, values)).await
    }

    pub(crate) async fn execute(&self, sql: &str, values: Parameters<'_>) -> Outcome<u64> {
        let statement = self.statement(sql).await?;
        self.within(self.client.execute(&statement, values)).await
    }

    /// Rows one after the other, for answers that should not be in memory as a whole.
    pub(crate) async fn stream(&self, sql: &str, values: Parameters<'_>) -> Outcome<Rows> {
        let statement = self.statement(sql).await?;
        let rows = self.client.query_raw(&statement, values.iter().copied());
        Ok(Rows {
            rows: Box::pin(self.within(rows).await?),
            timeout: self.timeout + GRACE,
        })
    }

    /// Statements without values and without answers.
    pub(crate) async fn batch(&self, sql: &str) -> Outcome<()> {
        self.within(self.client.batch_execute(sql)).await
    }

    /// Statements that may take as long as they need.
    pub(crate) async fn patiently(&self, sql: &str) -> Outcome<()> {
        Ok(self.client.batch_execute(sql).await?)
    }
}

/// Rows on their way.
pub(crate) struct Rows {
    rows: std::pin::Pin<Box<RowStream>>,
    timeout: Duration,
}

impl Rows {
    pub(crate) async fn next(&mut self) -> Outcome<Option<Row>> {
        use futures_util::TryStreamExt as _;
        let next = tokio::time::timeout(self.timeout, self.rows.try_next()).await;
        Ok(next.map_err(|_| Fault::Silent)??)
    }
}
