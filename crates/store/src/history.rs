//! Revisions: what a control plane looked like at an earlier version.
//!
//! Every batch that changes something makes a version; beside the change, what was there before is
//! kept. An earlier state is the present one with those rows put back. What has expired since is
//! absent in every state.
//!
//! Kept are the last [`REVISIONS_KEPT`] versions of a control plane, none for longer than
//! [`DAYS_KEPT`], and [`ROWS_KEPT`] earlier rows of all control planes together. The version that
//! the oldest of these rows led to can still be read.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use crate::model::KindFacts;
use crate::{AuditEntry, Body, Export, Packed};

/// Versions of a control plane whose content can be read.
pub const REVISIONS_KEPT: u64 = 1_000;

/// Days after which an earlier state is forgotten.
pub const DAYS_KEPT: u64 = 90;

/// Earlier rows kept in one database.
pub const ROWS_KEPT: u64 = 5_000_000;

/// Most entries of one page of the history.
pub(crate) const PAGE_LIMIT: usize = 1_000;

const DAY_MILLIS: u64 = 86_400_000;

/// The moment before which earlier states are forgotten, both in Unix milliseconds.
pub(crate) const fn cutoff(now: u64) -> u64 {
    now.saturating_sub(DAYS_KEPT * DAY_MILLIS)
}

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

impl RowChange {
    /// The change of a row between two states, if it is one.
    pub(crate) fn of(
        kind: &KindFacts,
        id: Uuid,
        (before, after): (Option<Packed>, Option<Packed>),
    ) -> Option<Self> {
        if before == after {
            return None;
        }
        let open = |body: Option<Packed>| body.map(|body| body.open());
        let (before, after) = (open(before), open(after));
        (before != after).then(|| Self {
            kind: kind.name.to_owned(),
            id,
            before,
            after,
        })
    }
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

/// Rows by position of their kind and id; `None` for one that is absent.
pub(crate) type EarlierRows = BTreeMap<(usize, Uuid), Option<Packed>>;

/// Makes an export of the present state one of an earlier state.
pub(crate) fn put_back(export: &mut Export, kinds: &[KindFacts], earlier: EarlierRows) {
    let mut by_kind: HashMap<usize, BTreeMap<Uuid, Option<Packed>>> = HashMap::new();
    for ((kind, id), body) in earlier {
        by_kind.entry(kind).or_default().insert(id, body);
    }
    for (position, rows) in by_kind {
        let name = kinds[position].name;
        let table = export.tables.remove(name).unwrap_or_default();
        let mut table: BTreeMap<Uuid, Packed> = table
            .into_iter()
            .filter_map(|body| Some((id_of(&body)?, body)))
            .collect();
        for (id, body) in rows {
            match body {
                Some(body) => table.insert(id, body),
                None => table.remove(&id),
            };
        }
        if !table.is_empty() {
            let rows = table.into_values().collect();
            export.tables.insert(name.to_owned(), rows);
        }
    }
}

fn id_of(body: &Packed) -> Option<Uuid> {
    Uuid::try_parse(&body.text_of("id")?).ok()
}
