//! Ids made from what an entity is, so that the same file gives the same ids everywhere.
//!
//! Compat: UUIDv5 in a namespace per plural name, as the reference derives them for
//! declarative documents.

use uuid::{Uuid, uuid};

/// Root of all namespaces.
pub const NAMESPACE: Uuid = uuid!("fd02801f-0957-4a15-a55a-c8d9606f30b5");

/// The id of the default workspace where a document names none.
pub const DEFAULT_WORKSPACE: Uuid = uuid!("0dc6f45b-8f8d-40d2-a504-473544ee190b");

/// What surrounds an entity whose id is to be made.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdContext<'a> {
    /// Field and id of the parent in which the entity is nested.
    pub parent: Option<(&'a str, Uuid)>,
}

/// The id of an entity (plural name) with this key.
pub(crate) fn derive(kind: &str, key: &str) -> Uuid {
    Uuid::new_v5(&Uuid::new_v5(&NAMESPACE, kind.as_bytes()), key.as_bytes())
}
