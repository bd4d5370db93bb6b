//! The database of the node, for what plugins keep while requests run: sessions, tokens, counters.
//!
//! A node may have none: a data plane, or a node that is configured as a whole. What is kept here
//! takes part in no configuration by itself; a kind whose rows plugins look up by
//! [`Lookups`](crate::Lookups) comes into use like any other change.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde_json::{Map, Value};
use uuid::Uuid;

/// Why the database did not do what was asked. Holds no row and no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database did not answer: {0}")]
pub struct DatabaseError(pub String);

/// What the database answers; may be awaited on any core and never blocks it.
pub type DatabaseFuture<T> = Pin<Box<dyn Future<Output = Result<T, DatabaseError>> + Send>>;

/// A counter to add to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// Name of the counter; a counter that does not exist yet is zero.
    pub counter: String,
    /// What to add; zero only reads.
    pub by: u64,
    /// Unix second from which the counter may be forgotten.
    pub expires_at: u64,
}

/// A database as plugins see it.
pub trait Database: fmt::Debug + Send + Sync {
    /// The row of a kind that holds a value in a unique field.
    ///
    /// # Errors
    ///
    /// When the database is away, or the field is not unique.
    fn find(
        &self,
        kind: &'static str,
        field: &'static str,
        value: String,
    ) -> DatabaseFuture<Option<Map<String, Value>>>;

    /// Adds a complete row, or replaces the one with the same `id`.
    ///
    /// # Errors
    ///
    /// When the database is away, or refuses the row.
    fn put(&self, kind: &'static str, row: Map<String, Value>) -> DatabaseFuture<()>;

    /// Removes a row and tells whether it was there: of several who take it, one does.
    ///
    /// # Errors
    ///
    /// When the database is away.
    fn take(&self, kind: &'static str, id: Uuid) -> DatabaseFuture<bool>;

    /// Removes a row; one that is not there is fine.
    ///
    /// # Errors
    ///
    /// When the database is away.
    fn delete(&self, kind: &'static str, id: Uuid) -> DatabaseFuture<()>;

    /// Adds to counters that all nodes of the database share; what they hold afterwards, in
    /// order. Counters are no rows of a kind.
    ///
    /// # Errors
    ///
    /// When the database is away; nothing was counted then, or not all.
    fn count(&self, additions: Vec<Addition>) -> DatabaseFuture<Vec<u64>>;
}
