//! Many rows written by a few statements: each statement takes columns as arrays.

use futures_util::future::join_all;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::draft::{Address, Draft};
use super::fault::Outcome;
use super::link::Link;
use super::numbers::signed;
use super::state::Entry;
use crate::codec::Digest;
use crate::model::{OnDelete, Reference};
use crate::{ChangeKind, StoreError};

/// Rows that one set of statements writes.
pub(super) const CHUNK_ROWS: usize = 2_000;

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

    /// Writes everything, removals first. `false` when a unique value was taken; then the
    /// transaction is of no use any more.
    pub(super) async fn write(&self, link: &Link, plane: Uuid, now: u64) -> Outcome<bool> {
        let now = signed(now);
        let (new, changed) = (Columns::of(&self.new), Columns::of(&self.changed));
        let references = References::of(&self.references.1);
        let digests = slices(&self.keys.1);
        let mut statements: Vec<Statement<'_>> = Vec::new();
        for at in [&self.gone, &self.stale] {
            if !at.ids.is_empty() {
                for sql in [DROP_KEYS, DROP_REFERENCES, DROP_TAGS] {
                    statements.push((sql, vec![&plane, &at.kinds, &at.ids]));
                }
            }
        }
        if !self.gone.ids.is_empty() {
            let at = &self.gone;
            statements.push((DROP_ROWS, vec![&plane, &at.kinds, &at.ids]));
        }
        if !self.new.at.ids.is_empty() {
            statements.push((INSERT, new.values(&plane, &now)));
        }
        if !self.changed.at.ids.is_empty() {
            statements.push((UPDATE, changed.values(&plane, &now)));
        }
        if !self.tags.1.is_empty() {
            let (at, tags) = &self.tags;
            statements.push((ADD_TAGS, vec![&plane, tags, &at.kinds, &at.ids]));
        }
        if !self.references.1.is_empty() {
            let at = &self.references.0;
            statements.push((ADD_REFERENCES, references.values(&plane, at)));
        }
        if !digests.is_empty() {
            let at = &self.keys.0;
            statements.push((ADD_KEYS, vec![&plane, &at.kinds, &digests, &at.ids]));
        }
        let done = together(link, &statements).await?;
        let wanted = u64::try_from(digests.len()).unwrap_or(u64::MAX);
        Ok(digests.is_empty() || done.last() == Some(&wanted))
    }

    /// The first row whose unique value another row holds: its address, the value and the holder.
    pub(super) async fn conflict(
        &self,
        link: &Link,
        plane: Uuid,
    ) -> Outcome<Option<(Address, Digest, Uuid)>> {
        let (at, digests) = (&self.keys.0, slices(&self.keys.1));
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

fn slices(digests: &[Digest]) -> Vec<&[u8]> {
    digests.iter().map(Digest::as_slice).collect()
}

/// Entity rows in the form that statements take.
struct Columns<'a> {
    rows: &'a Entities,
    digests: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    fn of(rows: &'a Entities) -> Self {
        Self {
            rows,
            digests: slices(&rows.digests),
        }
    }

    fn values<'b>(&'b self, plane: &'b Uuid, now: &'b i64) -> Vec<&'b (dyn ToSql + Sync)> {
        let rows = self.rows;
        vec![
            plane,
            now,
            &rows.at.kinds,
            &rows.at.ids,
            &rows.expires_at,
            &self.digests,
            &rows.bodies,
            &rows.sealed,
        ]
    }
}

struct References<'a> {
    targets: Vec<Uuid>,
    fields: Vec<&'a str>,
    kinds: Vec<&'a str>,
    on_delete: Vec<i16>,
}

impl<'a> References<'a> {
    fn of(references: &'a [Reference]) -> Self {
        Self {
            targets: references.iter().map(|r| r.id).collect(),
            fields: references.iter().map(|r| r.field.as_str()).collect(),
            kinds: references.iter().map(|r| r.kind.as_str()).collect(),
            on_delete: references.iter().map(|r| code(r.on_delete)).collect(),
        }
    }

    fn values<'b>(&'b self, plane: &'b Uuid, at: &'b Addresses) -> Vec<&'b (dyn ToSql + Sync)> {
        vec![
            plane,
            &self.targets,
            &at.kinds,
            &self.fields,
            &at.ids,
            &self.kinds,
            &self.on_delete,
        ]
    }
}

fn code(on_delete: OnDelete) -> i16 {
    match on_delete {
        OnDelete::Cascade => 0,
        OnDelete::Restrict => 1,
        OnDelete::SetNull => 2,
    }
}

/// What a stored code says.
pub(super) fn on_delete(code: i16) -> OnDelete {
    match code {
        0 => OnDelete::Cascade,
        2 => OnDelete::SetNull,
        _ => OnDelete::Restrict,
    }
}

/// A statement and its values.
type Statement<'a> = (&'static str, Vec<&'a (dyn ToSql + Sync)>);

/// Sends statements together and gives the numbers of rows. When one fails, those after it fail
/// too; the first one tells why.
async fn together(link: &Link, statements: &[Statement<'_>]) -> Outcome<Vec<u64>> {
    // One that first had to be prepared would fall behind the others.
    for (sql, _) in statements {
        link.statement(sql).await?;
    }
    let running = statements
        .iter()
        .map(|(sql, values)| link.execute(sql, values));
    join_all(running).await.into_iter().collect()
}

/// Adds rows of the change log.
pub(super) async fn log(
    link: &Link,
    plane: Uuid,
    entries: impl Iterator<Item = &Entry>,
) -> Outcome<()> {
    let mut rows = Vec::new();
    for entry in entries {
        let version = signed(entry.version);
        let numbered = (0_i64..).zip(&entry.changes);
        rows.extend(numbered.map(|(ordinal, change)| (version, ordinal, *change)));
    }
    for chunk in rows.chunks(CHUNK_ROWS) {
        let versions: Vec<i64> = chunk.iter().map(|row| row.0).collect();
        let ordinals: Vec<i64> = chunk.iter().map(|row| row.1).collect();
        let kinds: Vec<&str> = chunk.iter().map(|row| row.2.0).collect();
        let ids: Vec<Uuid> = chunk.iter().map(|row| row.2.1).collect();
        let removals: Vec<bool> = chunk
            .iter()
            .map(|row| row.2.2 == ChangeKind::Removed)
            .collect();
        link.execute(
            LOG,
            &[&plane, &versions, &ordinals, &kinds, &ids, &removals],
        )
        .await?;
    }
    Ok(())
}

/// What is said when a rule of the database speaks that was checked before.
pub(super) fn impossible(what: &str) -> StoreError {
    StoreError::Storage {
        action: "write".to_owned(),
        detail: format!("{what}; please report it"),
    }
}
