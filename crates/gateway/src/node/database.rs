//! The database of a traditional node: opening it, and which one it is.

use std::sync::Arc;

use conf::{Database, Role, Settings, Trust};
use entities::Catalogue;
use pki::{Sealer, pem_or_path_or_base64};
use store::{Location, PostgresConfig, PostgresServer, PostgresTls, Store, StoreOptions};
use uuid::Uuid;

use super::error::NodeError;
use super::place::Place;
use crate::snapshot::SetupError;

/// The control plane under which a traditional node keeps its entities. Nodes that share a
/// database share it.
pub const LOCAL_PLANE: Uuid = Uuid::from_u128(0x6761_7465_686f_4573_a573_000000000001);

/// Opens the database that the settings name; `None` for a node without one.
pub(super) async fn open(
    settings: &Settings,
    place: &Place,
    catalogue: &Arc<Catalogue>,
) -> Result<Option<Store>, NodeError> {
    if settings.role != Role::Traditional {
        return Ok(None);
    }
    let location = match settings.database {
        Database::Off => return Ok(None),
        Database::Sqlite => Location::from(place.database()),
        Database::Postgres => Location::from(server(settings)?),
    };
    if !settings.is_database_set {
        let reason = match settings.database {
            Database::Postgres => "a `pg_*` property is set",
            _ => "no `pg_*` property is set",
        };
        tracing::info!(
            database = settings.database.as_str(),
            %location,
            "`database` is not set: chosen because {reason}"
        );
    }
    let key = settings.database_key.clone().unwrap_or_else(|| place.key());
    let sealer = Sealer::open_or_create(&key).map_err(|reason| NodeError::Key { key, reason })?;
    let options = StoreOptions {
        location,
        sealer: Arc::new(sealer),
        catalogue: Arc::clone(catalogue) as Arc<dyn store::Model>,
    };
    let opened = tokio::task::spawn_blocking(move || Store::open(options)).await;
    let opened = opened.map_err(|error| NodeError::Opening(error.to_string()))?;
    Ok(Some(opened.map_err(NodeError::Database)?))
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
