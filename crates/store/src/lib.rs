//! Keeping entities, platform records and their change log.
//!
//! One [`Store`] is one database (a geo, or the global part of an installation). Everything an
//! answer promised is on disk before the promise: a write is acknowledged after its transaction
//! was synced. A control plane is part of every key, so no query can reach another tenant's row.
//!
//! The public items name no database; only [`Location`] says which one it is.
//!
//! The room does not validate bodies (that is the catalogue's work, done by the caller before a
//! write), does not decide who may do what, and does not speak HTTP.

mod batch;
mod catalogue;
mod codec;
mod document;
pub mod dump;
mod error;
mod export;
mod history;
mod limits;
mod location;
mod model;
mod postgres;
mod query;
mod record;
mod sqlite;
mod store;

pub use batch::{Actor, Applied, Batch, Operation};
pub use entities::Packed;
pub use error::StoreError;
pub use export::{AuditEntry, Change, ChangeKind, Changed, Changes, Export, Tables, pack};
pub use history::{DAYS_KEPT, REVISIONS_KEPT, ROWS_KEPT, Revisions, RowChange};
pub use location::{Location, PostgresConfig, PostgresServer, PostgresTls};
pub use model::{KindFacts, Model, NoEntities, OnDelete, Reference, Seal, UniqueKey};
pub use query::{ListQuery, Order, Page, TagFilter, TagRow};
pub use record::{Expect, Record, RecordOperation, RecordQuery};
pub use store::{Store, StoreOptions};

/// The document of an entity, exactly in the shape of the API; foreign keys are `{"id": "…"}`.
pub type Body = serde_json::Map<String, serde_json::Value>;
