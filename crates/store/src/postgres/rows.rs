//! Many rows written by a few statements: each statement takes columns as arrays.

use uuid::Uuid;

use super::draft::{Address, Draft};
use super::fault::Outcome;
use super::link::Link;
use super::numbers::signed;
use super::script::{Script, Value, values};
use super::state::Entry;
use crate::codec::Digest;
use crate::model::Reference;
use crate::{ChangeKind, StoreError};

/// Rows that one set of statements writes.
pub(super) const CHUNK_ROWS: usize = 2_000;

/// Rows of the change log that one statement writes.
const LOG_ROWS: usize = 10_000;

const DROP_KEYS: &str =
    "DELETE FROM unique_key t USING UNNEST($2::text[], $3::uuid[]) AS n(kind, id)
    WHERE t.control_plane = $1 AND t.kind = n.kind AND t.id = n.id";
const DROP_REFERENCES: &str =
    "DELETE FROM reference t USING UNNEST($2::text[], $3::uuid[]) AS n(kind, id)
    WHERE t.control_plane = $1 AND t.kind = n.kind AND t.id = n.id";
const DROP_TAGS: &str = "DELETE FROM tag t USING UNNEST($2::text[], $3::uuid[]) AS n(kind, id)
    WHERE t.control_plane = $1 AND t.kind = n.kind AND t.id = n.id";
const DROP_ROWS: &str = "DELETE FROM entity t USING UNNEST($2::text[], $3::uuid[]) AS n(kind, id)
    WHERE t.control_plane = $1 AND t.kind = n.kind AND t.id = n.id";
const INSERT: &str = "INSERT INTO entity (control_plane, kind, id, created_at, updated_at,
    expires_at, digest, body, sealed)
    SELECT $1, n.kind, n.id, $2, $2, n.expires_at, n.digest, n.body, n.sealed
    FROM UNNEST($3::text[], $4::uuid[], $5::bigint[], $6::bytea[], $7::text[], $8::bytea[])
    WITH ORDINALITY AS n(kind, id, expires_at, digest, body, sealed, place) ORDER BY n.place";
const UPDATE: &str = "UPDATE entity t SET updated_at = $2, expires_at = n.expires_at,
    digest = n.digest, body = n.body, sealed = n.sealed
    FROM UNNEST($3::text[], $4::uuid[], $5::bigint[], $6::bytea[], $7::text[], $8::bytea[])
    AS n(kind, id, expires_at, digest, body, sealed)
    WHERE t.control_plane = $1 AND t.kind = n.kind AND t.id = n.id";
const ADD_KEYS: &str = "INSERT INTO unique_key (control_plane, kind, digest, id)
    SELECT $1, n.kind, n.digest, n.id FROM UNNEST($2::text[], $3::bytea[], $4::uuid[])
    AS n(kind, digest, id)";
const ADD_KEYS_LOOSE: &str = "INSERT INTO unique_key (control_plane, kind, digest, id)
    SELECT $1, n.kind, n.digest, n.id FROM UNNEST($2::text[], $3::bytea[], $4::uuid[])
    AS n(kind, digest, id) ON CONFLICT DO NOTHING";
const ADD_TAGS: &str = "INSERT INTO tag (control_plane, tag, kind, id)
    SELECT $1, n.tag, n.kind, n.id FROM UNNEST($2::bytea[], $3::text[], $4::uuid[])
    AS n(tag, kind, id)";
const ADD_REFERENCES: &str = "INSERT INTO reference (control_plane, target, kind, field, id,
    target_kind, on_delete)
    SELECT $1, n.target, n.kind, n.field, n.id, n.target_kind, n.on_delete
    FROM UNNEST($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::smallint[])
    AS n(target, kind, field, id, target_kind, on_delete)";
const LOG: &str = "INSERT INTO change_log (control_plane, version, ordinal, kind, id, is_removal)
    SELECT $1, n.version, n.ordinal, n.kind, n.id, n.is_removal
    FROM UNNEST($2::bigint[], $3::bigint[], $4::text[], $5::uuid[], $6::boolean[])
    AS n(version, ordinal, kind, id, is_removal)";

/// Addresses as columns.
#[derive(Default)]
struct Addresses {
    kinds: Vec<&'static str>,
    ids: Vec<Uuid>,
}

impl Addresses {
    fn push(&mut self, (kind, id): Address) {
        self.kinds.push(kind);
        self.ids.push(id);
    }
}

/// Entity rows as columns.
#[derive(Default)]
struct Entities {
    at: Addresses,
    expires_at: Vec<Option<i64>>,
    digests: Vec<Digest>,
    bodies: Vec<String>,
    sealed: Vec<Option<Vec<u8>>>,
}

/// Changes of rows, collected column by column.
#[derive(Default)]
pub(super) struct Chunk {
    gone: Addresses,
    stale: Addresses,
    new: Entities,
    changed: Entities,
    keys: (Addresses, Vec<Digest>),
    tags: (Addresses, Vec<Vec<u8>>),
    references: (Addresses, Vec<Reference>),
}

impl Chunk {
    /// How many rows it holds.
    pub(super) fn len(&self) -> usize {
        self.gone.ids.len()
            + self.stale.ids.len()
            + self.new.at.ids.len()
            + self.changed.at.ids.len()
    }

    /// A row goes, with all that was derived from it.
    pub(super) fn remove(&mut self, address: Address) {
        self.gone.push(address);
    }

    /// What was derived from a row goes.
    pub(super) fn forget(&mut self, address: Address) {
        self.stale.push(address);
    }

    /// A row is added, or replaces the content of one that is there.
    pub(super) fn put(&mut self, address: Address, draft: Draft, is_new: bool) {
        let rows = if is_new {
            &mut self.new
        } else {
            &mut self.changed
        };
        let encoded = draft.encoded;
        rows.at.push(address);
        rows.expires_at.push(encoded.expiry.moment().map(signed));
        rows.digests.push(encoded.digest);
        rows.bodies.push(encoded.body);
        rows.sealed.push(encoded.sealed);
        for key in draft.keys {
            self.keys.0.push(address);
            self.keys.1.push(key.digest);
        }
        for tag in draft.tags {
            self.tags.0.push(address);
            self.tags.1.push(tag);
        }
        for reference in draft.references {
            self.references.0.push(address);
            self.references.1.push(reference);
        }
    }

    /// Adds what writes everything, removals first. The statement about unique values is the last
    /// one; it gives fewer rows than there are values when one of them was taken and `is_loose`,
    /// and fails otherwise.
    pub(super) fn script(&mut self, script: &mut Script, plane: Uuid, now: u64, is_loose: bool) {
        let now = signed(now);
        for at in [&self.gone, &self.stale] {
            if !at.ids.is_empty() {
                for sql in [DROP_KEYS, DROP_REFERENCES, DROP_TAGS] {
                    script.push(sql, values![plane, at.kinds.clone(), at.ids.clone()]);
                }
            }
        }
        let gone = std::mem::take(&mut self.gone);
        if !gone.ids.is_empty() {
            script.push(DROP_ROWS, values![plane, gone.kinds, gone.ids]);
        }
        for (sql, rows) in [(INSERT, &mut self.new), (UPDATE, &mut self.changed)] {
            let rows = std::mem::take(rows);
            if !rows.at.ids.is_empty() {
                script.push(sql, rows.into_values(plane, now));
            }
        }
        let (at, tags) = std::mem::take(&mut self.tags);
        if !tags.is_empty() {
            script.push(ADD_TAGS, values![plane, tags, at.kinds, at.ids]);
        }
        let (at, references) = std::mem::take(&mut self.references);
        if !references.is_empty() {
            script.push(ADD_REFERENCES, reference_values(plane, at, references));
        }
        let (at, digests) = &self.keys;
        if !digests.is_empty() {
            let sql = if is_loose { ADD_KEYS_LOOSE } else { ADD_KEYS };
            let digests = vectors(digests);
            script.push(
                sql,
                values![plane, at.kinds.clone(), digests, at.ids.clone()],
            );
        }
    }

    /// Writes everything. `false` when a unique value was taken; then the transaction is of no use
    /// any more.
    pub(super) async fn write(
        &mut self,
        link: &Link,
        mut script: Script,
        at: (Uuid, u64),
    ) -> Outcome<bool> {
        self.script(&mut script, at.0, at.1, true);
        let done = script.run(link).await?;
        let wanted = u64::try_from(self.keys.1.len()).unwrap_or(u64::MAX);
        Ok(wanted == 0 || done.last() == Some(&wanted))
    }

    /// The first row whose unique value another row holds: its address, the value and the holder.
    pub(super) async fn conflict(
        &self,
        link: &Link,
        plane: Uuid,
    ) -> Outcome<Option<(Address, Digest, Uuid)>> {
        let (at, digests) = (&self.keys.0, vectors(&self.keys.1));
        let sql = "SELECT n.place, k.id FROM UNNEST($2::text[], $3::bytea[], $4::uuid[])
             WITH ORDINALITY AS n(kind, digest, id, place)
             JOIN unique_key k ON k.control_plane = $1 AND k.kind = n.kind
             AND k.digest = n.digest AND k.id <> n.id ORDER BY n.place LIMIT 1";
        let row = link
            .one(sql, &[&plane, &at.kinds, &digests, &at.ids])
            .await?;
        let Some(row) = row else { return Ok(None) };
        let place: i64 = row.try_get(0)?;
        let place = usize::try_from(place - 1).unwrap_or(0);
        let address = at.kinds.get(place).copied().zip(at.ids.get(place).copied());
        let found = address.zip(self.keys.1.get(place).copied());
        let holder: Uuid = row.try_get(1)?;
        Ok(found.map(|(address, digest)| (address, digest, holder)))
    }
}

fn vectors(digests: &[Digest]) -> Vec<Vec<u8>> {
    digests.iter().map(|digest| digest.to_vec()).collect()
}

impl Entities {
    fn into_values(self, plane: Uuid, now: i64) -> Vec<Value> {
        values![
            plane,
            now,
            self.at.kinds,
            self.at.ids,
            self.expires_at,
            vectors(&self.digests),
            self.bodies,
            self.sealed,
        ]
    }
}

fn reference_values(plane: Uuid, at: Addresses, references: Vec<Reference>) -> Vec<Value> {
    let targets: Vec<Uuid> = references.iter().map(|r| r.id).collect();
    let on_delete: Vec<i16> = references.iter().map(|r| r.on_delete.code()).collect();
    let (fields, kinds): (Vec<String>, Vec<String>) =
        references.into_iter().map(|r| (r.field, r.kind)).unzip();
    values![plane, targets, at.kinds, fields, at.ids, kinds, on_delete]
}

/// Adds what writes rows of the change log.
pub(super) fn log<'a>(script: &mut Script, plane: Uuid, entries: impl Iterator<Item = &'a Entry>) {
    let mut rows = Vec::new();
    for entry in entries {
        let version = signed(entry.version);
        let numbered = (0_i64..).zip(&entry.changes);
        rows.extend(numbered.map(|(ordinal, change)| (version, ordinal, *change)));
    }
    for chunk in rows.chunks(LOG_ROWS) {
        let versions: Vec<i64> = chunk.iter().map(|row| row.0).collect();
        let ordinals: Vec<i64> = chunk.iter().map(|row| row.1).collect();
        let kinds: Vec<&'static str> = chunk.iter().map(|row| row.2.0).collect();
        let ids: Vec<Uuid> = chunk.iter().map(|row| row.2.1).collect();
        let removals: Vec<bool> = chunk
            .iter()
            .map(|row| row.2.2 == ChangeKind::Removed)
            .collect();
        script.push(
            LOG,
            values![plane, versions, ordinals, kinds, ids, removals],
        );
    }
}

/// What is said when a rule of the database speaks that was checked before.
pub(super) fn impossible(what: &str) -> StoreError {
    StoreError::Storage {
        action: "write".to_owned(),
        detail: format!("{what}; please report it"),
    }
}
