//! What a caller asks to be written: operations that succeed or fail together.

use uuid::Uuid;

use crate::{Body, Tables};

/// Who wrote; kept in the audit row of the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What the actor is, such as `user`, `system_account`, `import` or `system`.
    pub kind: String,
    /// Its id; absent for the installation itself.
    pub id: Option<Uuid>,
}

impl Actor {
    /// The installation itself, for writes nobody asked for in person.
    #[must_use]
    pub fn system() -> Self {
        Self {
            kind: "system".to_owned(),
            id: None,
        }
    }

    /// A person.
    #[must_use]
    pub fn user(id: Uuid) -> Self {
        Self {
            kind: "user".to_owned(),
            id: Some(id),
        }
    }
}

/// One change. Bodies are complete and validated; every body carries its `id`.
#[derive(Clone)]
pub enum Operation {
    /// Adds a row that must not exist.
    Insert {
        /// Plural name of the entity, such as `services`.
        kind: &'static str,
        /// The whole document.
        body: Body,
    },
    /// Adds a row or replaces the one with the same id.
    Upsert {
        /// Plural name of the entity.
        kind: &'static str,
        /// The whole document.
        body: Body,
    },
    /// Replaces a row that must exist.
    Update {
        /// Plural name of the entity.
        kind: &'static str,
        /// Id of the row; an `id` in the body has to agree.
        id: Uuid,
        /// The whole document after the change.
        body: Body,
    },
    /// Replaces a row that must still be what the caller read: the safe form of read, merge, write.
    /// Otherwise the batch fails with [`StoreError::Stale`](crate::StoreError::Stale).
    UpdateFrom {
        /// Plural name of the entity.
        kind: &'static str,
        /// Id of the row.
        id: Uuid,
        /// The document as it was read. Timestamps and `ttl` are not compared.
        previous: Body,
        /// The whole document after the change.
        body: Body,
    },
    /// Removes a row; what refers to it is removed, cleared, or refuses.
    Delete {
        /// Plural name of the entity.
        kind: &'static str,
        /// Id of the row.
        id: Uuid,
    },
    /// Makes the exported kinds of the control plane exactly these tables (a declarative import).
    /// Rows that already say the same stay untouched, with their timestamps; when nothing differs
    /// the version stays too.
    ReplaceAll {
        /// Rows by plural name. A kind that is absent becomes empty.
        tables: Tables,
    },
    /// Goes on only when the control plane is still at this version, so that what the caller
    /// worked out from it still holds. Otherwise the batch fails with
    /// [`StoreError::Moved`](crate::StoreError::Moved).
    AtVersion {
        /// The version that is expected.
        version: u64,
    },
    /// Changes nothing; the audit row and the history of the batch carry this text.
    Note {
        /// A few words.
        text: String,
    },
}

/// Operations on one control plane, applied in order, all or none.
#[derive(Clone)]
pub struct Batch {
    /// The control plane they belong to.
    pub control_plane: Uuid,
    /// Who asked.
    pub actor: Actor,
    /// What to do.
    pub operations: Vec<Operation>,
}

impl Batch {
    /// Whether it makes a control plane what a document says, however much that changes.
    pub(crate) fn replaces_all(&self) -> bool {
        let is_replacing =
            |operation: &Operation| matches!(operation, Operation::ReplaceAll { .. });
        self.operations.iter().any(is_replacing)
    }
}

impl Batch {
    /// A batch of one operation.
    #[must_use]
    pub fn of_one(control_plane: Uuid, actor: Actor, operation: Operation) -> Self {
        Self {
            control_plane,
            actor,
            operations: vec![operation],
        }
    }
}

/// What a batch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The version of the control plane after it: one more for each batch that changed something.
    pub version: u64,
    /// Rows written or removed, cascades included. 0 means the version did not move.
    pub changed: usize,
}

impl std::fmt::Debug for Operation {
    // Bodies hold credentials; a log shows which row, never what is in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Insert { kind, .. } => write!(f, "Insert({kind})"),
            Self::Upsert { kind, .. } => write!(f, "Upsert({kind})"),
            Self::Update { kind, id, .. } => write!(f, "Update({kind} {id})"),
            Self::UpdateFrom { kind, id, .. } => write!(f, "UpdateFrom({kind} {id})"),
            Self::Delete { kind, id } => write!(f, "Delete({kind} {id})"),
            Self::ReplaceAll { tables } => write!(f, "ReplaceAll({} tables)", tables.len()),
            Self::AtVersion { version } => write!(f, "AtVersion({version})"),
            Self::Note { text } => write!(f, "Note({text})"),
        }
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("control_plane", &self.control_plane)
            .field("actor", &self.actor)
            .field("operations", &self.operations)
            .finish()
    }
}
