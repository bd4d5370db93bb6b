//! Where entities are kept: in a store, or in the running declarative configuration of a node
//! without a database.
//!
//! Both answer the same questions. Only the store takes writes; the other one refuses them at
//! the very end, after everything else about a request was checked, as the reference does.

mod tables;

use std::sync::Arc;

use declarative::Config;
use schema::Map;
use store::{Batch, ListQuery, Page, Store, TagRow};
use uuid::Uuid;

use super::error::EntityError;

/// Gives the configuration that a node runs at this moment.
pub type Running = Arc<dyn Fn() -> Arc<Config> + Send + Sync>;

/// Where entities are kept. Cheap to clone.
#[derive(Clone)]
pub enum Source {
    /// A store; any database behind it.
    Store(Store),
    /// The running configuration of a node without a database; read-only.
    Declarative(Running),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(store) => f.debug_tuple("Store").field(store).finish(),
            Self::Declarative(_) => f.write_str("Declarative"),
        }
    }
}

impl Source {
    /// One row by id.
    pub(super) async fn get(
        &self,
        plane: Uuid,
        kind: &str,
        id: Uuid,
    ) -> Result<Option<Map>, EntityError> {
        match self {
            Self::Store(store) => Ok(store.get(plane, kind, id).await?),
            Self::Declarative(running) => Ok(tables::get(&running(), kind, id)),
        }
    }

    /// The row that holds a value of a unique field.
    pub(crate) async fn find(
        &self,
        plane: Uuid,
        kind: &str,
        field: &str,
        value: &str,
    ) -> Result<Option<Map>, EntityError> {
        match self {
            Self::Store(store) => Ok(store.find(plane, kind, field, value).await?),
            Self::Declarative(running) => Ok(tables::find(&running(), kind, field, value)),
        }
    }

    /// Some rows.
    pub(crate) async fn list(
        &self,
        plane: Uuid,
        kind: &str,
        query: ListQuery,
    ) -> Result<Page, EntityError> {
        match self {
            Self::Store(store) => Ok(store.list(plane, kind, query).await?),
            Self::Declarative(running) => Ok(tables::list(&running(), kind, &query)),
        }
    }

    /// Some tags, ascending.
    pub(super) async fn tags(
        &self,
        plane: Uuid,
        tag: Option<String>,
        after: Option<TagRow>,
        size: usize,
    ) -> Result<Vec<TagRow>, EntityError> {
        match self {
            Self::Store(store) => Ok(store.tags(plane, tag, after, size).await?),
            Self::Declarative(running) => {
                let after = after.as_ref();
                Ok(tables::tags(&running(), tag.as_deref(), after, size))
            }
        }
    }

    /// Writes.
    pub(super) async fn apply(&self, batch: Batch) -> Result<(), EntityError> {
        match self {
            Self::Store(store) => {
                store.apply(batch).await?;
                Ok(())
            }
            Self::Declarative(_) => Err(EntityError::NoDatabase),
        }
    }
}
