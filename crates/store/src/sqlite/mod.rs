//! The database behind the contract: one SQLite file.

use std::path::{Path, PathBuf};

use tokio::sync::broadcast;
use uuid::Uuid;

use crate::{
    Actor, Applied, AuditEntry, Batch, Body, Changed, Changes, Export, ListQuery, Page, Record,
    RecordOperation, RecordQuery, StoreError, StoreOptions, TagRow,
};

/// An open database.
pub(crate) struct Database {
    path: PathBuf,
    changed: broadcast::Sender<Changed>,
}

fn pending<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable {
        reason: "being built".to_owned(),
    })
}

#[expect(clippy::unused_async, reason = "signatures first; the bodies follow")]
impl Database {
    pub(crate) fn open(options: StoreOptions) -> Result<Self, StoreError> {
        Ok(Self {
            path: options.path,
            changed: broadcast::channel(16).0,
        })
    }
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
    pub(crate) async fn get(&self, _: Uuid, _: &str, _: Uuid) -> Result<Option<Body>, StoreError> {
        pending()
    }
    pub(crate) async fn find(
        &self,
        _: Uuid,
        _: &str,
        _: &[&str],
        _: &str,
    ) -> Result<Option<Body>, StoreError> {
        pending()
    }
    pub(crate) async fn list(&self, _: Uuid, _: &str, _: ListQuery) -> Result<Page, StoreError> {
        pending()
    }
    pub(crate) async fn count(&self, _: Uuid, _: &str) -> Result<u64, StoreError> {
        pending()
    }
    pub(crate) async fn tags(
        &self,
        _: Uuid,
        _: Option<String>,
        _: Option<TagRow>,
        _: usize,
    ) -> Result<Vec<TagRow>, StoreError> {
        pending()
    }
    pub(crate) async fn apply(&self, _: Batch) -> Result<Applied, StoreError> {
        pending()
    }
    pub(crate) async fn purge(&self, _: Uuid, _: Actor) -> Result<(), StoreError> {
        pending()
    }
    pub(crate) async fn export(&self, _: Uuid) -> Result<Export, StoreError> {
        pending()
    }
    pub(crate) async fn version(&self, _: Uuid) -> Result<u64, StoreError> {
        pending()
    }
    pub(crate) async fn changes(&self, _: Uuid, _: u64) -> Result<Changes, StoreError> {
        pending()
    }
    pub(crate) async fn audit(
        &self,
        _: Uuid,
        _: u64,
        _: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        pending()
    }
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Changed> {
        self.changed.subscribe()
    }
    pub(crate) async fn record_get(
        &self,
        _: &'static str,
        _: Uuid,
    ) -> Result<Option<Record>, StoreError> {
        pending()
    }
    pub(crate) async fn record_find(
        &self,
        _: &'static str,
        _: &'static str,
        _: &str,
    ) -> Result<Option<Record>, StoreError> {
        pending()
    }
    pub(crate) async fn record_list(
        &self,
        _: &'static str,
        _: RecordQuery,
    ) -> Result<Vec<Record>, StoreError> {
        pending()
    }
    pub(crate) async fn record_count(
        &self,
        _: &'static str,
        _: Option<Uuid>,
    ) -> Result<u64, StoreError> {
        pending()
    }
    pub(crate) async fn record_batch(&self, _: Vec<RecordOperation>) -> Result<(), StoreError> {
        pending()
    }
}
