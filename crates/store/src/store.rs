//! The handle that everybody holds.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::export::AuditEntry;
use crate::postgres;
use crate::sqlite;
use crate::{
    Actor, Applied, Batch, Body, Changed, Changes, Expect, Export, ListQuery, Location, Model,
    Page, Record, RecordOperation, RecordQuery, Revisions, RowChange, Seal, StoreError, TagRow,
};

/// How a store is opened.
#[derive(Clone)]
pub struct StoreOptions {
    /// Where the database is.
    pub location: Location,
    /// Seals credentials and private keys. Opening an existing store needs the same key.
    pub sealer: Arc<dyn Seal>,
    /// The entities: usually the catalogue, [`NoEntities`](crate::NoEntities) for a store that
    /// keeps only records.
    pub catalogue: Arc<dyn Model>,
}

impl std::fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreOptions")
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

/// A handle on one database. Cheap to clone; the database closes with the last handle.
///
/// All methods need a tokio runtime with a timer. A method that was acknowledged is on disk; one
/// whose future was dropped may or may not have happened.
#[derive(Clone)]
pub struct Store {
    location: Location,
    database: Arc<Database>,
}

/// The databases that a store can be.
enum Database {
    Sqlite(sqlite::Database),
    Postgres(postgres::Database),
}

/// Asks whichever database there is.
macro_rules! ask {
    ($store:ident.$method:ident($($argument:expr),*)) => {
        match &*$store.database {
            Database::Sqlite(database) => database.$method($($argument),*).await,
            Database::Postgres(database) => database.$method($($argument),*).await,
        }
    };
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("location", &self.location)
            .finish()
    }
}

impl Store {
    /// Opens or makes the database and brings its schema up to date. Blocks; call it at start.
    ///
    /// # Errors
    ///
    /// When a file is in use, a server is not reached, or what is there is damaged, foreign, newer
    /// than this release or cannot be written.
    pub fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let StoreOptions {
            location,
            sealer,
            catalogue,
        } = options;
        let database = match &location {
            Location::Sqlite(path) => {
                Database::Sqlite(sqlite::Database::open(path.clone(), sealer, catalogue)?)
            }
            Location::Postgres(config) => {
                let config = (**config).clone();
                Database::Postgres(postgres::Database::open(config, sealer, catalogue)?)
            }
        };
        Ok(Self {
            location,
            database: Arc::new(database),
        })
    }

    /// Where the database is.
    #[must_use]
    pub const fn location(&self) -> &Location {
        &self.location
    }

    /// Writes a copy of one state of the database to a new file while work goes on. With the
    /// sealing key it is all that a store needs: put in place of a stopped store's file, it opens.
    ///
    /// # Errors
    ///
    /// When the target exists, cannot be written, or the volume is full.
    pub async fn backup(&self, target: PathBuf) -> Result<(), StoreError> {
        ask!(self.backup(target))
    }

    /// Reads one row; `None` when it is absent or expired.
    ///
    /// # Errors
    ///
    /// When the kind is unknown or the database cannot be read.
    pub async fn get(&self, plane: Uuid, kind: &str, id: Uuid) -> Result<Option<Body>, StoreError> {
        ask!(self.get(plane, kind, id))
    }

    /// Reads the row that holds a value of a unique field, such as a service by `name`.
    ///
    /// # Errors
    ///
    /// When the kind is unknown or the database cannot be read.
    pub async fn find(
        &self,
        plane: Uuid,
        kind: &str,
        field: &str,
        value: &str,
    ) -> Result<Option<Body>, StoreError> {
        ask!(self.find(plane, kind, &[field], value))
    }

    /// Reads the row that holds the values of fields that are unique together; `value` as in
    /// [`UniqueKey`](crate::UniqueKey).
    ///
    /// # Errors
    ///
    /// When the kind is unknown or the database cannot be read.
    pub async fn find_composite(
        &self,
        plane: Uuid,
        kind: &str,
        fields: &[&str],
        value: &str,
    ) -> Result<Option<Body>, StoreError> {
        ask!(self.find(plane, kind, fields, value))
    }

    /// Lists rows of a kind.
    ///
    /// # Errors
    ///
    /// When the kind is unknown or the database cannot be read.
    pub async fn list(
        &self,
        plane: Uuid,
        kind: &str,
        query: ListQuery,
    ) -> Result<Page, StoreError> {
        ask!(self.list(plane, kind, query))
    }

    /// Counts the rows of a kind.
    ///
    /// # Errors
    ///
    /// When the kind is unknown or the database cannot be read.
    pub async fn count(&self, plane: Uuid, kind: &str) -> Result<u64, StoreError> {
        ask!(self.count(plane, kind))
    }

    /// Lists the tags in use in ascending order, all of them or the rows of one; `after` is the
    /// last entry of the page before, at most 1,000 are given.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn tags(
        &self,
        plane: Uuid,
        tag: Option<String>,
        after: Option<TagRow>,
        size: usize,
    ) -> Result<Vec<TagRow>, StoreError> {
        ask!(self.tags(plane, tag, after, size))
    }

    /// Applies a batch: all of it, durably, or nothing.
    ///
    /// # Errors
    ///
    /// Every [`StoreError`]; then nothing was changed.
    pub async fn apply(&self, batch: Batch) -> Result<Applied, StoreError> {
        ask!(self.apply(batch))
    }

    /// Removes everything of a control plane, its log and version included.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub async fn purge(&self, plane: Uuid, actor: Actor) -> Result<(), StoreError> {
        ask!(self.purge(plane, actor))
    }

    /// Reads all exported rows of a control plane in one snapshot.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn export(&self, plane: Uuid) -> Result<Export, StoreError> {
        ask!(self.export(plane))
    }

    /// The version of a control plane; 0 when nothing was ever written.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn version(&self, plane: Uuid) -> Result<u64, StoreError> {
        ask!(self.version(plane))
    }

    /// What changed after a version.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn changes(&self, plane: Uuid, after: u64) -> Result<Changes, StoreError> {
        ask!(self.changes(plane, after))
    }

    /// The audit trail of a control plane, oldest first, after a sequence number; at most 1,000.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn audit(
        &self,
        plane: Uuid,
        after: u64,
        size: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        ask!(self.audit(plane, after, size))
    }

    /// The history of a control plane before a version (or from the newest one), at most 1,000
    /// entries.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn revisions(
        &self,
        plane: Uuid,
        before: Option<u64>,
        size: usize,
    ) -> Result<Revisions, StoreError> {
        ask!(self.revisions(plane, before, size))
    }

    /// [`Store::export`] as it was at a version; `None` when that is not kept (any more).
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn export_at(&self, plane: Uuid, version: u64) -> Result<Option<Export>, StoreError> {
        ask!(self.export_at(plane, version))
    }

    /// The exported rows that differ between two versions, in the order of kinds and ids; `None`
    /// when one of the versions is not kept (any more).
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn changes_between(
        &self,
        plane: Uuid,
        from: u64,
        to: u64,
    ) -> Result<Option<Vec<RowChange>>, StoreError> {
        ask!(self.changes_between(plane, from, to))
    }

    /// Notices of new versions, sent after they are on disk. A receiver that lags learns so from
    /// its channel and has to look at [`version`](Self::version) of what it follows.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Changed> {
        match &*self.database {
            Database::Sqlite(database) => database.subscribe(),
            Database::Postgres(database) => database.subscribe(),
        }
    }

    /// Adds or replaces a record.
    ///
    /// # Errors
    ///
    /// When a unique value is taken or the database cannot be written.
    pub async fn record_put(
        &self,
        space: &'static str,
        id: Uuid,
        owner: Uuid,
        body: Value,
        unique: Vec<(&'static str, String)>,
    ) -> Result<(), StoreError> {
        let expect = Expect::Anything;
        let put = RecordOperation::Put {
            space,
            id,
            owner,
            body,
            unique,
            expect,
        };
        self.record_batch(vec![put]).await
    }

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn record_get(
        &self,
        space: &'static str,
        id: Uuid,
    ) -> Result<Option<Record>, StoreError> {
        ask!(self.record_get(space, id))
    }

    /// Reads the record that holds a unique value.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn record_find(
        &self,
        space: &'static str,
        field: &'static str,
        value: &str,
    ) -> Result<Option<Record>, StoreError> {
        ask!(self.record_find(space, field, value))
    }

    /// Lists records in ascending order of id.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn record_list(
        &self,
        space: &'static str,
        query: RecordQuery,
    ) -> Result<Vec<Record>, StoreError> {
        ask!(self.record_list(space, query))
    }

    /// Counts the records of a space, all or one owner's.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn record_count(
        &self,
        space: &'static str,
        owner: Option<Uuid>,
    ) -> Result<u64, StoreError> {
        ask!(self.record_count(space, owner))
    }

    /// Removes a record.
    ///
    /// # Errors
    ///
    /// When it does not exist or the database cannot be written.
    pub async fn record_delete(&self, space: &'static str, id: Uuid) -> Result<(), StoreError> {
        self.record_batch(vec![RecordOperation::Delete { space, id }])
            .await
    }

    /// Changes several records: all of it, durably, or nothing.
    ///
    /// # Errors
    ///
    /// When a condition fails, a unique value is taken or the database cannot be written.
    pub async fn record_batch(&self, operations: Vec<RecordOperation>) -> Result<(), StoreError> {
        ask!(self.record_batch(operations))
    }
}
