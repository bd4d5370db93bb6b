//! Revisions: what a control plane looked like at an earlier version.
//!
//! Every batch that changes something makes a version; beside the change, what was there before is
//! kept. An earlier state is the present one with those rows put back. What has expired since is
//! absent in every state.
//!
//! Kept are the last [`REVISIONS_KEPT`] versions of a control plane, none for longer than
//! [`DAYS_KEPT`], and [`ROWS_KEPT`] earlier rows of all control planes together. The version that
//! the oldest of these rows led to can still be read.

use uuid::Uuid;

use crate::{AuditEntry, Body};

/// Versions of a control plane whose content can be read.
pub const REVISIONS_KEPT: u64 = 1_000;

/// Days after which an earlier state is forgotten.
pub const DAYS_KEPT: u64 = 90;

/// Earlier rows kept in one database.
pub const ROWS_KEPT: u64 = 5_000_000;

/// A page of the history of a control plane, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Revisions {
    /// The version now; 0 when nothing was ever written.
    pub current: u64,
    /// The oldest version whose content can still be read.
    pub oldest: u64,
    /// Who changed what, one entry for each version.
    pub entries: Vec<AuditEntry>,
}

/// A row in two states; it differs between them.
#[derive(Clone, PartialEq)]
pub struct RowChange {
    /// Plural name of the entity.
    pub kind: String,
    /// The row.
    pub id: Uuid,
    /// Its content in the first state; `None` when it was not there.
    pub before: Option<Body>,
    /// Its content in the second state; `None` when it is not there.
    pub after: Option<Body>,
}

impl std::fmt::Debug for RowChange {
    // Bodies hold credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowChange")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
