//! The tables, and how an older schema becomes a current one.
//!
//! One process migrates at a time: the others wait for its lock and find the work done.

use super::fault::Outcome;
use super::link::{Connector, Link, quoted};
use crate::codec::HashKey;
use crate::{Seal, StoreError};

/// Steps from one schema to the next; the number of the schema is how many were taken. A step that
/// was released is never edited.
const STEPS: &[&str] = &[include_str!("migrations/0001_first.sql")];

/// The oldest server that is supported, as it tells its version.
const OLDEST_SERVER: i32 = 150_000;

/// Marks our locks among the advisory locks of a database (`GHst`).
pub(super) const LOCK_CLASS: i32 = 0x4748_7374;

/// The newest schema this release knows.
pub(super) fn newest() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

/// Makes or updates the tables and gives the key of the store's hashes.
pub(super) async fn prepare(
    connector: &Connector,
    schema: &str,
    place: &str,
    sealer: &dyn Seal,
) -> Outcome<HashKey> {
    let link = migrated(connector, schema, place).await?;
    hash_key(&link, sealer).await
}

/// Makes or updates the tables. The connection holds the lock of the schema.
pub(crate) async fn migrated(connector: &Connector, schema: &str, place: &str) -> Outcome<Link> {
    let link = connector.link().await?;
    check_server(&link, place).await?;
    // Waiting for another process that migrates, and migrating, take as long as they take.
    link.batch("SET statement_timeout = 0; SET lock_timeout = 0")
        .await?;
    link.patiently(&format!(
        "SELECT pg_advisory_lock({LOCK_CLASS}, hashtext('{}'))",
        schema.replace('\'', "''")
    ))
    .await?;
    migrate(&link, schema, place).await?;
    Ok(link)
}

/// Refuses a schema that this release does not know, without changing anything.
pub(crate) async fn check_current(link: &Link, place: &str) -> Outcome<()> {
    match version(link).await? {
        Some(found) if found > newest() => Err(newer(place, found)),
        Some(found) if found == newest() => Ok(()),
        _ => Err(StoreError::Storage {
            action: format!("read {place}"),
            detail: "there is no store of this release; start the process it belongs to first"
                .to_owned(),
        }
        .into()),
    }
}

async fn check_server(link: &Link, place: &str) -> Outcome<()> {
    let sql =
        "SELECT current_setting('server_version_num')::int, current_setting('server_version')";
    let Some(row) = link.one(sql, &[]).await? else {
        return Ok(());
    };
    let (number, text): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
    if number >= OLDEST_SERVER {
        return Ok(());
    }
    Err(StoreError::Storage {
        action: format!("use {place}"),
        detail: format!("the server is version {text}; version 15 or newer is needed"),
    }
    .into())
}

async fn version(link: &Link) -> Outcome<Option<u32>> {
    let known = link
        .one(
            "SELECT to_regclass('store_schema') IS NOT NULL AND EXISTS (SELECT FROM pg_class c
             WHERE c.oid = to_regclass('store_schema')
             AND c.relnamespace = current_schema()::regnamespace)",
            &[],
        )
        .await?;
    let is_there = known.is_some_and(|row| row.try_get(0).unwrap_or(false));
    if !is_there {
        return Ok(None);
    }
    let row = link
        .one(
            "SELECT coalesce(max(number), 0)::bigint FROM store_schema",
            &[],
        )
        .await?;
    let number: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
    Ok(Some(u32::try_from(number).unwrap_or(u32::MAX)))
}

fn newer(place: &str, found: u32) -> super::fault::Fault {
    StoreError::Newer {
        place: place.to_owned(),
        found,
        known: newest(),
    }
    .into()
}

async fn migrate(link: &Link, schema: &str, place: &str) -> Outcome<()> {
    let has_schema = link
        .one("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[&schema])
        .await?
        .is_some();
    if !has_schema {
        link.patiently(&format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema)))
            .await?;
    }
    let version = match version(link).await? {
        Some(version) => version,
        None => {
            refuse_foreign_tables(link, place).await?;
            0
        }
    };
    if version > newest() {
        return Err(newer(place, version));
    }
    for (step, number) in STEPS
        .iter()
        .zip(1_u32..)
        .skip_while(|(_, number)| *number <= version)
    {
        let at = clock::unix_millis();
        link.patiently(&format!(
            "BEGIN; CREATE TABLE IF NOT EXISTS store_schema
             (number BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL);
             {step} INSERT INTO store_schema (number, applied_at) VALUES ({number}, {at}); COMMIT"
        ))
        .await?;
        tracing::info!(schema = number, "brought {place} up to date");
    }
    Ok(())
}

/// A schema with tables of our names, but without our mark, belongs to somebody else.
async fn refuse_foreign_tables(link: &Link, place: &str) -> Outcome<()> {
    let taken = link
        .one(
            "SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace
             AND relname IN ('meta', 'entity', 'unique_key', 'reference', 'tag', 'plane',
             'change_log', 'audit', 'record', 'record_key', 'history', 'history_floor') LIMIT 1",
            &[],
        )
        .await?;
    if taken.is_none() {
        return Ok(());
    }
    let place = place.to_owned();
    Err(StoreError::NotAStore { place }.into())
}

/// Reads the hash key of the store, or makes one.
async fn hash_key(link: &Link, sealer: &dyn Seal) -> Outcome<HashKey> {
    let find = "SELECT value FROM meta WHERE name = $1";
    if let Some(row) = link.one(find, &[&HashKey::NAME]).await? {
        return Ok(HashKey::open(sealer, row.try_get(0)?)?);
    }
    let (key, sealed) = HashKey::create(sealer)?;
    let add = "INSERT INTO meta (name, value) VALUES ($1, $2)";
    link.execute(add, &[&HashKey::NAME, &sealed]).await?;
    Ok(key)
}
