//! The generic handler: any kind of entity, by its description, without HTTP.

mod error;
pub(crate) mod keys;
mod listing;
mod partials;
mod plugins;
mod source;
mod write;

use std::sync::Arc;

use entities::{Catalogue, EntityKind};
use schema::Map;
use store::{Operation, Store, TagRow};
use uuid::Uuid;

pub use error::{EntityError, Unresolved};
pub use listing::{Condition, Listing, Rows, Test};
pub use source::{Running, Source};
pub(crate) use write::{Draft, writable};

use crate::scope::Scope;

/// Reads and writes entities of control planes. Cheap to clone.
#[derive(Clone)]
pub struct Entities {
    catalogue: Arc<Catalogue>,
    source: Source,
}

impl std::fmt::Debug for Entities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entities")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// An entity inside which another one is addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The member of the child that refers to it.
    pub field: &'static str,
    /// Its id.
    pub id: Uuid,
}

/// What a write left behind.
#[derive(Clone, Debug)]
pub struct Written {
    /// The entity as it is now.
    pub body: Map,
    /// Whether it did not exist before.
    pub is_new: bool,
}

impl Entities {
    /// The handler over one geo's store.
    #[must_use]
    pub const fn new(catalogue: Arc<Catalogue>, store: Store) -> Self {
        Self::over(catalogue, Source::Store(store))
    }

    /// The handler over any source.
    #[must_use]
    pub const fn over(catalogue: Arc<Catalogue>, source: Source) -> Self {
        Self { catalogue, source }
    }

    /// The kinds and their descriptions.
    #[must_use]
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// Where entities are kept.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// The store.
    ///
    /// # Errors
    ///
    /// [`EntityError::NoDatabase`] where there is none.
    pub const fn store(&self) -> Result<&Store, EntityError> {
        match &self.source {
            Source::Store(store) => Ok(store),
            Source::Declarative(_) => Err(EntityError::NoDatabase),
        }
    }

    /// One entity by its id or its other key.
    ///
    /// # Errors
    ///
    /// [`EntityError::NotFound`] when it does not exist (in the parent).
    pub async fn get(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        key: &str,
        parent: Option<Parent>,
    ) -> Result<Map, EntityError> {
        let mut body = self
            .find(scope, kind, key, parent)
            .await?
            .ok_or(EntityError::NotFound)?;
        self.catalogue.expose(kind.name, &mut body);
        Ok(body)
    }

    /// Removes an entity; one that does not exist is no fault. Gives whether it existed.
    ///
    /// # Errors
    ///
    /// The store's reason, such as another entity that refers to it.
    pub async fn delete(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        key: &str,
        parent: Option<Parent>,
    ) -> Result<bool, EntityError> {
        writable(scope)?;
        let Some(stored) = self.find(scope, kind, key, parent).await? else {
            return Ok(false);
        };
        let id = keys::id(&stored).ok_or(EntityError::NotFound)?;
        self.check_unused(scope, kind, (id, &stored)).await?;
        let kind = kind.name;
        match self
            .commit(scope, vec![Operation::Delete { kind, id }])
            .await
        {
            Ok(()) => Ok(true),
            // Somebody else was faster.
            Err(EntityError::NotFound) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Tags in use in ascending order, all of them or the rows of one; at most 1,000.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn tags(
        &self,
        scope: &Scope,
        tag: Option<String>,
        after: Option<TagRow>,
        size: usize,
    ) -> Result<Vec<TagRow>, EntityError> {
        self.source
            .tags(scope.control_plane, tag, after, size)
            .await
    }
}
