//! What leaves the store about changes: exports, the change log, notices, the audit trail.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::limits::ROWS_AUDITED;
use crate::{Body, Packed};

/// Rows by plural name.
pub type Tables = BTreeMap<String, Vec<Packed>>;

/// Packs open rows, each as it goes.
#[must_use]
pub fn pack(tables: BTreeMap<String, Vec<Body>>) -> Tables {
    let rows = |rows: Vec<Body>| rows.into_iter().map(|row| Packed::of(&row)).collect();
    tables
        .into_iter()
        .map(|(kind, table)| (kind, rows(table)))
        .collect()
}

/// All exported rows of a control plane at one version, read in one snapshot.
///
/// A `ttl` is the absolute moment of expiry in Unix seconds here, as a node expects it; expired
/// rows are absent.
#[derive(Clone, Default)]
pub struct Export {
    /// The version; 0 when nothing was ever written.
    pub version: u64,
    /// Rows by plural name, each table in ascending order of id. Kinds without rows are absent.
    pub tables: Tables,
}

impl Export {
    /// The rows, open: up to ten times the memory.
    #[must_use]
    pub fn open(self) -> BTreeMap<String, Vec<Body>> {
        let rows = |rows: Vec<Packed>| rows.into_iter().map(|row| row.open()).collect();
        self.tables
            .into_iter()
            .map(|(kind, table)| (kind, rows(table)))
            .collect()
    }
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows: BTreeMap<_, _> = self
            .tables
            .iter()
            .map(|(k, rows)| (k, rows.len()))
            .collect();
        f.debug_struct("Export")
            .field("version", &self.version)
            .field("rows", &rows)
            .finish()
    }
}

/// Notice that a control plane has a new version; with the nil id, that another process changed
/// (or may have changed) records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// The control plane.
    pub control_plane: Uuid,
    /// Its version now.
    pub version: u64,
}

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// The row was written.
    Written,
    /// The row was removed.
    Removed,
}

/// One entry of the change log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The version it came with.
    pub version: u64,
    /// Plural name of the entity.
    pub kind: String,
    /// The row.
    pub id: Uuid,
    /// What happened.
    pub change: ChangeKind,
}

/// What the change log knows after a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// Everything since then, oldest first; empty when nothing happened.
    Since(Vec<Change>),
    /// The log no longer (or never did) reach back that far; take an export.
    TooOld,
}

/// Who changed what; one for each batch that changed something.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Ascending number.
    pub sequence: u64,
    /// When, in Unix milliseconds.
    pub at: u64,
    /// The control plane.
    pub control_plane: Uuid,
    /// The version the batch made.
    pub version: u64,
    /// What the actor was.
    pub actor_kind: String,
    /// Its id.
    pub actor_id: Option<Uuid>,
    /// Rows touched: `{"kind", "id", "change"}`, at most 100, then a number of further ones.
    pub summary: Value,
}

/// What an audit entry says about the rows of a batch.
pub(crate) fn summary(changes: &[(&'static str, Uuid, ChangeKind)], note: Option<&str>) -> Value {
    let mut rows: Vec<Value> = changes
        .iter()
        .take(ROWS_AUDITED)
        .map(|(kind, id, change)| {
            let change = match change {
                ChangeKind::Written => "written",
                ChangeKind::Removed => "removed",
            };
            json!({ "kind": kind, "id": id, "change": change })
        })
        .collect();
    if let Some(note) = note {
        rows.insert(0, json!({ "note": note }));
    }
    if changes.len() > ROWS_AUDITED {
        rows.push(json!({ "further": changes.len() - ROWS_AUDITED }));
    }
    Value::Array(rows)
}
