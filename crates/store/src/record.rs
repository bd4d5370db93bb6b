//! Records: the nouns of the platform itself (control planes, organisations, tokens, nodes).
//!
//! A record is a document in a named space with an owner and unique fields. Spaces know nothing of
//! each other; a record is not part of a control plane's configuration and makes no version.

use serde_json::Value;
use uuid::Uuid;

/// A stored record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: Uuid,
    /// Whom it belongs to, such as an organisation or a control plane.
    pub owner: Uuid,
    /// When it was first written, in Unix milliseconds.
    pub created_at: u64,
    /// When it was last written, in Unix milliseconds.
    pub updated_at: u64,
    /// The document. It is stored in clear text: secrets belong here only as hashes.
    pub body: Value,
}

/// What has to be true for a record to be written.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Expect {
    /// Nothing: add or replace.
    #[default]
    Anything,
    /// The record must not exist.
    Absent,
    /// The record must exist.
    Present,
    /// The record must exist with exactly this body (read, change, write).
    Body(Value),
}

/// One change of a record.
#[derive(Debug, Clone)]
pub enum RecordOperation {
    /// Adds or replaces.
    Put {
        /// The space, such as `control_plane`.
        space: &'static str,
        /// The record.
        id: Uuid,
        /// Whom it belongs to.
        owner: Uuid,
        /// The document.
        body: Value,
        /// All unique values of the record, unique in the space for each field. What is not
        /// listed any more is free again.
        unique: Vec<(&'static str, String)>,
        /// The condition.
        expect: Expect,
    },
    /// Removes; a record that is absent is a [`NotFound`](crate::StoreError::NotFound).
    Delete {
        /// The space.
        space: &'static str,
        /// The record.
        id: Uuid,
    },
    /// Removes every record of an owner in a space; there may be none.
    DeleteOwned {
        /// The space.
        space: &'static str,
        /// Whose.
        owner: Uuid,
    },
}

/// Which records, and how many at a time.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecordQuery {
    /// Only this owner's.
    pub owner: Option<Uuid>,
    /// Continue after this record.
    pub after: Option<Uuid>,
    /// Records wanted; 0 means 1,000, which is also the most.
    pub size: usize,
}
