//! Records in memory, until the store's records are here: the same calls, the same rules.

use std::collections::HashMap;

use parking_lot::Mutex;
use serde_json::Value;
use uuid::Uuid;

use crate::error::PlaneError;

/// A unique value is taken by another record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unique;

#[derive(Debug)]
struct Row {
    owner: Uuid,
    body: Value,
    unique: Vec<(&'static str, String)>,
}

#[derive(Debug, Default)]
pub(super) struct Records {
    rows: Mutex<HashMap<(&'static str, Uuid), Row>>,
}

#[expect(clippy::unused_async, reason = "the store's records are asynchronous")]
impl Records {
    pub(super) async fn put(
        &self,
        space: &'static str,
        id: Uuid,
        owner: Uuid,
        body: Value,
        unique: Vec<(&'static str, String)>,
    ) -> Result<Result<(), Unique>, PlaneError> {
        let mut rows = self.rows.lock();
        let is_taken = rows.iter().any(|((row_space, row_id), row)| {
            *row_space == space && *row_id != id && row.unique.iter().any(|u| unique.contains(u))
        });
        if is_taken {
            return Ok(Err(Unique));
        }
        rows.insert(
            (space, id),
            Row {
                owner,
                body,
                unique,
            },
        );
        Ok(Ok(()))
    }

    pub(super) async fn get(
        &self,
        space: &'static str,
        id: Uuid,
    ) -> Result<Option<Value>, PlaneError> {
        Ok(self
            .rows
            .lock()
            .get(&(space, id))
            .map(|row| row.body.clone()))
    }

    pub(super) async fn find(
        &self,
        space: &'static str,
        field: &'static str,
        value: &str,
    ) -> Result<Option<Value>, PlaneError> {
        let rows = self.rows.lock();
        let found = rows.iter().find(|((row_space, _), row)| {
            *row_space == space && row.unique.iter().any(|(f, v)| *f == field && v == value)
        });
        Ok(found.map(|(_, row)| row.body.clone()))
    }

    pub(super) async fn list(
        &self,
        space: &'static str,
        owner: Uuid,
    ) -> Result<Vec<Value>, PlaneError> {
        let rows = self.rows.lock();
        Ok(rows
            .iter()
            .filter(|((row_space, _), row)| *row_space == space && row.owner == owner)
            .map(|(_, row)| row.body.clone())
            .collect())
    }

    pub(super) async fn delete(&self, space: &'static str, id: Uuid) -> Result<(), PlaneError> {
        self.rows.lock().remove(&(space, id));
        Ok(())
    }
}
