//! The database of a traditional node: opening it, and which one it is.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use conf::{Role, Settings, Trust};
use entities::Catalogue;
use pki::{Sealer, pem_or_path_or_base64};
use store::{
    Location, PostgresConfig, PostgresServer, PostgresTls, Store, StoreError, StoreOptions,
};
use uuid::Uuid;

use super::error::NodeError;
use super::place::Place;
use crate::snapshot::SetupError;
use crate::status::Reach;

/// The control plane under which a traditional node keeps its entities. Nodes that share a
/// database share it.
pub const LOCAL_PLANE: Uuid = Uuid::from_u128(0x6761_7465_686f_4573_a573_0000_0000_0001);

/// Pause between attempts to open a database that is away.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Limit: how long a database may take to answer before it counts as away.
const REACH_LIMIT: Duration = Duration::from_secs(2);

/// The database of a traditional node. A server that is away is waited for.
#[derive(Clone, Debug)]
pub(super) struct Database {
    options: StoreOptions,
    store: Arc<OnceLock<Store>>,
}

impl Database {
    /// Opens the database that the settings name; `None` for a node without one.
    pub(super) async fn of(
        settings: &Settings,
        place: &Place,
        catalogue: &Arc<Catalogue>,
    ) -> Result<Option<Self>, NodeError> {
        let location = match (settings.role, settings.database) {
            (Role::Traditional, conf::Database::Sqlite) => Location::from(place.database()),
            (Role::Traditional, conf::Database::Postgres) => Location::from(server(settings)?),
            _ => return Ok(None),
        };
        say(settings, &location);
        let key = settings.database_key.clone().unwrap_or_else(|| place.key());
        let sealer =
            Sealer::open_or_create(&key).map_err(|reason| NodeError::Key { key, reason })?;
        let database = Self {
            options: StoreOptions {
                location,
                sealer: Arc::new(sealer),
                catalogue: Arc::clone(catalogue) as Arc<dyn store::Model>,
            },
            store: Arc::default(),
        };
        match database.open().await {
            Ok(()) => {}
            Err(NodeError::Database(StoreError::Unavailable { reason }))
                if settings.database == conf::Database::Postgres =>
            {
                tracing::error!(
                    %reason,
                    "the database is away: the node serves the configuration that it kept and \
                     looks again every second; the Admin API answers 503 until then"
                );
            }
            Err(error) => return Err(error),
        }
        Ok(Some(database))
    }

    async fn open(&self) -> Result<(), NodeError> {
        let options = self.options.clone();
        let opened = tokio::task::spawn_blocking(move || Store::open(options)).await;
        let opened = opened.map_err(|error| NodeError::Opening(error.to_string()))?;
        drop(self.store.set(opened.map_err(NodeError::Database)?));
        Ok(())
    }

    /// The store, once it was opened.
    pub(super) fn store(&self) -> Option<&Store> {
        self.store.get()
    }

    /// Resolves when the store is open.
    pub(super) async fn opened(&self) -> Store {
        let mut said = String::new();
        loop {
            if let Some(store) = self.store() {
                return store.clone();
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
            match self.open().await {
                Ok(()) => tracing::info!("the database is there"),
                Err(NodeError::Database(StoreError::Unavailable { .. })) => {}
                Err(error) => {
                    let text = error.to_string();
                    // Once: the next attempts fail for the same reason until somebody helps.
                    if text != said {
                        tracing::error!(
                            error = text,
                            "the database answers and cannot be opened; correct it or the \
                             `pg_*` properties (these need a new start): the node looks again \
                             every second"
                        );
                        said = text;
                    }
                }
            }
        }
    }

    /// Tells whether it answers.
    pub(super) fn reach(&self) -> Reach {
        let database = self.clone();
        Arc::new(move || {
            let store = database.store().cloned();
            Box::pin(async move {
                let Some(store) = store else {
                    return false;
                };
                let version = store.version(LOCAL_PLANE);
                matches!(tokio::time::timeout(REACH_LIMIT, version).await, Ok(Ok(_)))
            })
        })
    }
}

/// Opens the database of a traditional node for a tool that works on it in place of the node;
/// `None` for a node without one.
///
/// # Errors
///
/// When it cannot be opened: a file that a node has in use, a server that is away.
pub async fn open_database(
    settings: &Settings,
    catalogue: &Arc<Catalogue>,
) -> Result<Option<Store>, NodeError> {
    let place = Place::open(&settings.prefix);
    let Some(database) = Database::of(settings, &place, catalogue).await? else {
        return Ok(None);
    };
    let away = || StoreError::Unavailable {
        reason: "the database is away".to_owned(),
    };
    let store = database.store().cloned().ok_or_else(away);
    Ok(Some(store.map_err(NodeError::Database)?))
}

/// Says which database was chosen when nobody named one.
fn say(settings: &Settings, location: &Location) {
    if settings.is_database_set {
        return;
    }
    let reason = match settings.database {
        conf::Database::Postgres => "a `pg_*` property is set",
        _ => "no `pg_*` property is set",
    };
    tracing::info!(
        database = settings.database.as_str(),
        %location,
        "`database` is not set: chosen because {reason}"
    );
}

/// The server as the store wants it.
///
/// Compat: `pg_ssl` encrypts when the server can, `pg_ssl_required` always; the server is
/// verified with `pg_ssl_verify` only, against `lua_ssl_trusted_certificate`.
fn server(settings: &Settings) -> Result<PostgresConfig, NodeError> {
    let given = &settings.postgres;
    let tls = match (given.ssl, given.ssl_required) {
        (false, _) => PostgresTls::Off,
        (true, false) => PostgresTls::Preferred,
        (true, true) => PostgresTls::Required,
    };
    let password = given.password.as_ref();
    let defaults = PostgresConfig::default();
    Ok(PostgresConfig {
        server: PostgresServer {
            host: given.host.clone(),
            port: given.port,
            user: given.user.clone(),
            password: password.map(|password| password.expose().to_owned()),
            database: given.database.clone(),
            tls,
            verify: given.ssl_verify,
            trusted: trusted(settings)?,
        },
        schema: given.schema.clone().unwrap_or(defaults.schema),
        timeout: given.timeout,
        max_connections: given.pool_size.unwrap_or(defaults.max_connections),
        wait: defaults.wait,
        idle: given.keepalive_timeout,
        replica: None,
    })
}

/// Authorities that the settings name; `None` for those of the system alone.
fn trusted(settings: &Settings) -> Result<Option<String>, NodeError> {
    let property = "lua_ssl_trusted_certificate";
    let mut bundles = String::new();
    for trust in &settings.lua_ssl_trusted_certificate {
        if let Trust::Bundle(text) = trust {
            let pem = pem_or_path_or_base64(text)
                .map_err(|reason| SetupError::Certificate { property, reason })?;
            bundles.push_str(&String::from_utf8_lossy(&pem));
            bundles.push('\n');
        }
    }
    Ok(Some(bundles).filter(|bundles| !bundles.is_empty()))
}
