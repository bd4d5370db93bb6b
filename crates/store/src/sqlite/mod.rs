//! The database behind the contract: one SQLite file.
//!
//! Writing goes through one thread ([`writer`]), reading through a few read-only connections
//! ([`readers`]) that see one consistent state each and never wait for the writer (write-ahead
//! log). Everything blocking happens off the caller's thread.

mod apply;
mod carrier;
mod fault;
mod history;
mod list;
mod log;
mod open;
mod read;
mod readers;
mod records;
mod replace;
mod schema;
#[cfg(test)]
mod tests;
mod writer;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::codec::{Codec, HashKey};
use fault::Outcome;
pub(crate) use fault::translate;
pub(crate) use open::{check_file, copy, open_reader, open_writer};
use read::Reading;
use readers::Readers;
use writer::{Task, Writer};

use crate::{
    Actor, Applied, AuditEntry, Batch, Body, Changed, Changes, Export, ListQuery, Model, Page,
    Record, RecordOperation, RecordQuery, Revisions, RowChange, Seal, StoreError, TagRow,
};

/// Rows of an export from which on the memory for pages that it filled is given back.
const LARGE_EXPORT: usize = 10_000;

/// An open database.
pub(crate) struct Database {
    path: PathBuf,
    codec: Arc<Codec>,
    // Fields drop in this order: the writer finishes before the lock is given back.
    writer: Writer,
    readers: Readers,
    _lock: File,
}

impl Database {
    pub(crate) fn open(
        path: PathBuf,
        sealer: Arc<dyn Seal>,
        catalogue: Arc<dyn Model>,
    ) -> Result<Self, StoreError> {
        let (connection, lock) = open_writer(&path)?;
        let key = hash_key(&connection, &*sealer)
            .map_err(|fault| fault.into_error("read the key of the store", &path))?;
        let codec = Arc::new(Codec::new(catalogue, sealer, &key));
        let writer = Writer::start(connection, codec.clone(), path.clone())?;
        let readers = Readers::new(path.clone());
        Ok(Self {
            path,
            codec,
            writer,
            readers,
            _lock: lock,
        })
    }

    pub(crate) async fn backup(&self, target: PathBuf) -> Result<(), StoreError> {
        let path = self.path.clone();
        let done = tokio::task::spawn_blocking(move || copy(&path, &target));
        let interrupted = |_| StoreError::Unavailable {
            reason: "the copy was interrupted".to_owned(),
        };
        done.await.map_err(interrupted)?
    }

    /// Reads entities of a control plane.
    async fn reading<T: Send + 'static>(
        &self,
        plane: Uuid,
        work: impl FnOnce(Reading<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (codec, now) = (self.codec.clone(), clock::unix_seconds());
        let work = move |connection: &_| {
            work(Reading {
                connection,
                codec: &codec,
                plane,
                now,
            })
        };
        self.readers.run(work).await
    }

    pub(crate) async fn get(
        &self,
        plane: Uuid,
        kind: &str,
        id: Uuid,
    ) -> Result<Option<Body>, StoreError> {
        let kind = self.codec.kind(kind)?.name;
        self.reading(plane, move |reading| reading.get(kind, id))
            .await
    }

    pub(crate) async fn find(
        &self,
        plane: Uuid,
        kind: &str,
        fields: &[&str],
        value: &str,
    ) -> Result<Option<Body>, StoreError> {
        let kind = self.codec.kind(kind)?.name;
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        let value = value.to_owned();
        self.reading(plane, move |reading| reading.find(kind, &fields, &value))
            .await
    }

    pub(crate) async fn list(
        &self,
        plane: Uuid,
        kind: &str,
        query: ListQuery,
    ) -> Result<Page, StoreError> {
        let kind = self.codec.kind(kind)?.name;
        self.reading(plane, move |reading| reading.list(kind, &query))
            .await
    }

    pub(crate) async fn count(&self, plane: Uuid, kind: &str) -> Result<u64, StoreError> {
        let kind = self.codec.kind(kind)?.name;
        self.reading(plane, move |reading| reading.count(kind))
            .await
    }

    pub(crate) async fn tags(
        &self,
        plane: Uuid,
        tag: Option<String>,
        after: Option<TagRow>,
        size: usize,
    ) -> Result<Vec<TagRow>, StoreError> {
        self.reading(plane, move |reading| {
            reading.tags(tag.as_deref(), after, size)
        })
        .await
    }

    pub(crate) async fn apply(&self, batch: Batch) -> Result<Applied, StoreError> {
        let written = self.writer.run(Task::Apply(batch)).await?;
        Ok(written.applied.unwrap_or(Applied {
            version: 0,
            changed: 0,
        }))
    }

    pub(crate) async fn purge(&self, plane: Uuid, actor: Actor) -> Result<(), StoreError> {
        self.writer.run(Task::Purge(plane, actor)).await.map(drop)
    }

    pub(crate) async fn export(&self, plane: Uuid) -> Result<Export, StoreError> {
        let work = |reading: Reading<'_>| {
            let export = reading.export()?;
            if export.tables.values().map(Vec::len).sum::<usize>() >= LARGE_EXPORT {
                open::give_pages_back(reading.connection)?;
            }
            Ok(export)
        };
        self.reading(plane, work).await
    }

    pub(crate) async fn version(&self, plane: Uuid) -> Result<u64, StoreError> {
        self.reading(plane, |reading| Ok(reading.version()?.0))
            .await
    }

    pub(crate) async fn changes(&self, plane: Uuid, after: u64) -> Result<Changes, StoreError> {
        self.reading(plane, move |reading| reading.changes(after))
            .await
    }

    pub(crate) async fn audit(
        &self,
        plane: Uuid,
        after: u64,
        size: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.reading(plane, move |reading| reading.audit(after, size))
            .await
    }

    pub(crate) async fn revisions(
        &self,
        plane: Uuid,
        before: Option<u64>,
        size: usize,
    ) -> Result<Revisions, StoreError> {
        self.reading(plane, move |reading| reading.revisions(before, size))
            .await
    }

    pub(crate) async fn export_at(
        &self,
        plane: Uuid,
        version: u64,
    ) -> Result<Option<Export>, StoreError> {
        self.reading(plane, move |reading| reading.export_at(version))
            .await
    }

    pub(crate) async fn changes_between(
        &self,
        plane: Uuid,
        from: u64,
        to: u64,
    ) -> Result<Option<Vec<RowChange>>, StoreError> {
        self.reading(plane, move |reading| reading.changes_between(from, to))
            .await
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Changed> {
        self.writer.subscribe()
    }

    pub(crate) async fn record_get(
        &self,
        space: &'static str,
        id: Uuid,
    ) -> Result<Option<Record>, StoreError> {
        self.readers
            .run(move |connection| records::get(connection, space, id))
            .await
    }

    pub(crate) async fn record_find(
        &self,
        space: &'static str,
        field: &'static str,
        value: &str,
    ) -> Result<Option<Record>, StoreError> {
        let value = value.to_owned();
        self.readers
            .run(move |connection| records::find(connection, space, field, &value))
            .await
    }

    pub(crate) async fn record_list(
        &self,
        space: &'static str,
        query: RecordQuery,
    ) -> Result<Vec<Record>, StoreError> {
        self.readers
            .run(move |connection| records::list(connection, space, query))
            .await
    }

    pub(crate) async fn record_count(
        &self,
        space: &'static str,
        owner: Option<Uuid>,
    ) -> Result<u64, StoreError> {
        self.readers
            .run(move |connection| records::count(connection, space, owner))
            .await
    }

    pub(crate) async fn record_batch(
        &self,
        operations: Vec<RecordOperation>,
    ) -> Result<(), StoreError> {
        self.writer.run(Task::Records(operations)).await.map(drop)
    }
}

/// Reads the hash key of the file, or makes one.
fn hash_key(connection: &Connection, sealer: &dyn Seal) -> Outcome<HashKey> {
    let stored: Option<Vec<u8>> = connection
        .query_row(
            "SELECT value FROM meta WHERE name = ?1",
            [HashKey::NAME],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(sealed) = stored {
        return Ok(HashKey::open(sealer, &sealed)?);
    }
    let (key, sealed) = HashKey::create(sealer)?;
    connection.execute(
        "INSERT INTO meta (name, value) VALUES (?1, ?2)",
        (HashKey::NAME, sealed),
    )?;
    Ok(key)
}
