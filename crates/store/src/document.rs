//! What a document that replaces everything changes, whatever the database.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::codec::{Codec, Digest, body_id, expiry};
use crate::model::KindFacts;
use crate::{Body, Packed, StoreError, Tables};

/// A table of the document beside the rows that are stored.
pub(crate) struct Compared<'b, E> {
    /// Rows that are not stored like that, with what is stored of them.
    pub(crate) wanted: Vec<(Uuid, &'b Packed, Option<E>)>,
    /// Stored rows that the document leaves out, in the order of the indexes: their pages are
    /// visited once, not once a row.
    pub(crate) gone: Vec<Uuid>,
    /// All rows of the document.
    pub(crate) known: HashSet<Uuid>,
}

/// Compares a table. Refuses one with two rows of the same id.
pub(crate) fn compare<'b, E>(
    kind: &KindFacts,
    rows: &'b [Packed],
    mut stored: HashMap<Uuid, E>,
    says_the_same: impl Fn(&Body, &E) -> bool,
) -> Result<Compared<'b, E>, StoreError> {
    let mut wanted = Vec::new();
    let mut known = HashSet::with_capacity(rows.len());
    for row in rows {
        let body = row.open();
        let id = body_id(kind, &body)?;
        if !known.insert(id) {
            let kind = kind.name.to_owned();
            return Err(StoreError::PrimaryKey { kind, id });
        }
        let existing = stored.remove(&id);
        if !existing
            .as_ref()
            .is_some_and(|stored| says_the_same(&body, stored))
        {
            wanted.push((id, row, existing));
        }
    }
    let mut gone: Vec<Uuid> = stored.into_keys().collect();
    gone.sort_unstable();
    Ok(Compared {
        wanted,
        gone,
        known,
    })
}

/// Whether a body says what a stored row, by its digest and its end, says already; `now` is in
/// Unix milliseconds.
pub(crate) fn says_the_same(
    codec: &Codec,
    kind: &KindFacts,
    body: &Body,
    stored: (Digest, Option<u64>),
    now: u64,
) -> bool {
    let (digest, expires_at) = stored;
    let now = now / 1000;
    let is_live = expires_at.is_none_or(|end| end > now);
    let ends_alike = !kind.has_ttl || expiry(body, now).agrees_with(expires_at);
    is_live && ends_alike && codec.content_digest(body) == digest
}

/// Refuses tables that no document carries.
pub(crate) fn check_tables(codec: &Codec, tables: &Tables) -> Result<(), StoreError> {
    for name in tables.keys() {
        if !codec.kind(name)?.is_exported {
            return Err(StoreError::Malformed {
                kind: name.clone(),
                reason: "it is not part of a declarative configuration".to_owned(),
            });
        }
    }
    Ok(())
}
