//! The store's records, read and written as the types of this room.

use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Expect, RecordOperation, RecordQuery, Store, StoreError};
use uuid::Uuid;

use crate::error::PlaneError;

/// Rows read at a time.
const PAGE: usize = 1000;

/// The records of one geo.
#[derive(Debug)]
pub(super) struct Records {
    store: Store,
}

impl Records {
    pub(super) const fn new(store: Store) -> Self {
        Self { store }
    }

    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    pub(super) async fn put(&self, operation: RecordOperation) -> Result<(), PlaneError> {
        self.batch(vec![operation]).await
    }

    pub(super) async fn batch(&self, operations: Vec<RecordOperation>) -> Result<(), PlaneError> {
        Ok(self.store.record_batch(operations).await?)
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        space: &'static str,
        id: Uuid,
    ) -> Result<Option<T>, PlaneError> {
        let record = self.store.record_get(space, id).await?;
        record.map(|record| read(record.body)).transpose()
    }

    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        space: &'static str,
        field: &'static str,
        value: &str,
    ) -> Result<Option<T>, PlaneError> {
        let record = self.store.record_find(space, field, value).await?;
        record.map(|record| read(record.body)).transpose()
    }

    /// All records of a space, with their owners; one owner's when given.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        space: &'static str,
        owner: Option<Uuid>,
    ) -> Result<Vec<(Uuid, T)>, PlaneError> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let size = PAGE;
            let query = RecordQuery { owner, after, size };
            let page = self.store.record_list(space, query).await?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|record| record.id);
            for record in page {
                found.push((record.owner, read(record.body)?));
            }
            if is_last {
                return Ok(found);
            }
        }
    }

    pub(super) async fn count(&self, space: &'static str, owner: Uuid) -> Result<u64, PlaneError> {
        Ok(self.store.record_count(space, Some(owner)).await?)
    }

    /// Removes a record; one that is gone already is no fault.
    pub(super) async fn delete(&self, space: &'static str, id: Uuid) -> Result<(), PlaneError> {
        match self.store.record_delete(space, id).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(other) => Err(other.into()),
        }
    }
}

/// A put without conditions and unique values.
pub(super) fn put<T: Serialize>(
    space: &'static str,
    id: Uuid,
    owner: Uuid,
    value: &T,
) -> Result<RecordOperation, PlaneError> {
    put_unique(space, id, owner, value, Vec::new())
}

/// A put without conditions.
pub(super) fn put_unique<T: Serialize>(
    space: &'static str,
    id: Uuid,
    owner: Uuid,
    value: &T,
    unique: Vec<(&'static str, String)>,
) -> Result<RecordOperation, PlaneError> {
    let body = serde_json::to_value(value)
        .map_err(|error| PlaneError::Damaged(format!("a record cannot be written: {error}")))?;
    let expect = Expect::Anything;
    Ok(RecordOperation::Put {
        space,
        id,
        owner,
        body,
        unique,
        expect,
    })
}

fn read<T: DeserializeOwned>(body: serde_json::Value) -> Result<T, PlaneError> {
    serde_json::from_value(body)
        .map_err(|error| PlaneError::Damaged(format!("a stored record is unreadable: {error}")))
}
