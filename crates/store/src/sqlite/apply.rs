//! Operations on rows of one control plane, inside the writer's transaction.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value;
use uuid::Uuid;

use super::fault::{Fault, Outcome};
use super::read::decode;
use crate::codec::{Codec, Digest, Encoded, body_id};
use crate::model::{KindFacts, OnDelete, Reference, UniqueKey};
use crate::{Body, ChangeKind, Operation, StoreError};

/// Each names its index: left to choose, SQLite takes the primary key of `reference` and reads all
/// references of the control plane for one row.
pub(super) const DROP_DERIVED: [&str; 3] = [
    "DELETE FROM unique_key INDEXED BY unique_key_row
     WHERE control_plane = ?1 AND kind = ?2 AND id = ?3",
    "DELETE FROM reference INDEXED BY reference_row
     WHERE control_plane = ?1 AND kind = ?2 AND id = ?3",
    "DELETE FROM tag INDEXED BY tag_row
     WHERE control_plane = ?1 AND kind = ?2 AND id = ?3",
];

/// A row that refers to another one: its kind, the field, its id, and what it asks for.
pub(super) type Child = (String, String, Uuid, OnDelete);

/// Work on one control plane within one transaction.
pub(super) struct Work<'a> {
    pub(super) connection: &'a Connection,
    pub(super) codec: &'a Codec,
    pub(super) plane: Uuid,
    /// Unix milliseconds.
    pub(super) now: u64,
    pub(super) changes: Vec<(&'static str, Uuid, ChangeKind)>,
    /// What the audit row says besides.
    pub(super) note: Option<String>,
    position: HashMap<(&'static str, Uuid), usize>,
}

/// A row that exists.
pub(super) struct Existing {
    pub(super) seq: i64,
    pub(super) digest: Digest,
    pub(super) expires_at: Option<u64>,
}

impl<'a> Work<'a> {
    pub(super) fn new(connection: &'a Connection, codec: &'a Codec, plane: Uuid, now: u64) -> Self {
        let (changes, position) = (Vec::new(), HashMap::new());
        Self {
            connection,
            codec,
            plane,
            now,
            changes,
            note: None,
            position,
        }
    }

    pub(super) fn run(&mut self, operation: &Operation) -> Outcome<()> {
        match operation {
            Operation::Insert { kind, body } => {
                let (kind, id) = self.address(kind, body)?;
                if self.existing(kind, id)?.is_some() {
                    return Err(StoreError::PrimaryKey {
                        kind: kind.name.to_owned(),
                        id,
                    }
                    .into());
                }
                self.write(kind, id, body, None)
            }
            Operation::Upsert { kind, body } => {
                let (kind, id) = self.address(kind, body)?;
                let existing = self.existing(kind, id)?;
                self.write(kind, id, body, existing.as_ref())
            }
            Operation::Update { kind, id, body } => self.update(kind, *id, None, body),
            Operation::UpdateFrom {
                kind,
                id,
                previous,
                body,
            } => self.update(kind, *id, Some(previous), body),
            Operation::Delete { kind, id } => {
                let kind = self.codec.kind(kind)?;
                if self.existing(kind, *id)?.is_none() {
                    return Err(StoreError::NotFound {
                        kind: kind.name.to_owned(),
                        id: *id,
                    }
                    .into());
                }
                self.remove(kind, *id)
            }
            Operation::ReplaceAll { tables } => self.replace_all(tables),
            Operation::AtVersion { version } => self.at_version(*version),
            Operation::Note { text } => {
                self.note = Some(text.clone());
                Ok(())
            }
        }
    }

    fn address(&self, kind: &str, body: &Body) -> Outcome<(&'a KindFacts, Uuid)> {
        let kind = self.codec.kind(kind)?;
        Ok((kind, body_id(kind, body)?))
    }

    fn update(&mut self, kind: &str, id: Uuid, from: Option<&Body>, body: &Body) -> Outcome<()> {
        let (kind, own_id) = self.address(kind, body)?;
        let name = || kind.name.to_owned();
        if own_id != id {
            let reason = "its `id` is not the id of the row".to_owned();
            return Err(StoreError::Malformed {
                kind: name(),
                reason,
            }
            .into());
        }
        let Some(existing) = self.existing(kind, id)? else {
            return Err(StoreError::NotFound { kind: name(), id }.into());
        };
        if from.is_some_and(|previous| self.codec.content_digest(previous) != existing.digest) {
            return Err(StoreError::Stale { kind: name(), id }.into());
        }
        self.write(kind, id, body, Some(&existing))
    }

    /// The row, unless it has expired; an expired one is cleared away, it no longer counts.
    fn existing(&mut self, kind: &KindFacts, id: Uuid) -> Outcome<Option<Existing>> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT seq, digest, expires_at FROM entity
                 WHERE control_plane = ?1 AND kind = ?2 AND id = ?3",
            )?
            .query_row((self.plane, kind.name, id), |row| {
                Ok(Existing {
                    seq: row.get(0)?,
                    digest: row.get(1)?,
                    expires_at: row.get(2)?,
                })
            })
            .optional()?;
        match found {
            Some(row) if row.expires_at.is_some_and(|end| end <= self.now / 1000) => {
                self.remove(kind, id)?;
                Ok(None)
            }
            other => Ok(other),
        }
    }

    fn write(
        &mut self,
        kind: &KindFacts,
        id: Uuid,
        body: &Body,
        existing: Option<&Existing>,
    ) -> Outcome<()> {
        let encoded = self.codec.encode(self.plane, kind, id, body, self.now)?;
        if existing.is_some() {
            self.drop_derived(kind, id)?;
        }
        self.put_row(kind, id, &encoded, existing)?;
        self.put_keys(kind, id, body)?;
        self.put_tags(kind, id, body)?;
        let references = self.codec.references(kind, body);
        for reference in &references {
            self.check_target(kind, id, reference)?;
            self.put_reference(kind, id, reference)?;
        }
        Ok(())
    }

    pub(super) fn put_row(
        &mut self,
        kind: &KindFacts,
        id: Uuid,
        row: &Encoded,
        existing: Option<&Existing>,
    ) -> Outcome<()> {
        let expires_at = row.expiry.moment();
        if let Some(existing) = existing {
            self.connection
                .prepare_cached(
                    "UPDATE entity SET updated_at = ?2, expires_at = ?3, digest = ?4, body = ?5,
                     sealed = ?6 WHERE seq = ?1",
                )?
                .execute((
                    existing.seq,
                    self.now,
                    expires_at,
                    row.digest,
                    &row.body,
                    &row.sealed,
                ))?;
        } else {
            self.connection
                .prepare_cached(
                    "INSERT INTO entity (control_plane, kind, id, created_at, updated_at,
                     expires_at, digest, body, sealed) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute((
                    self.plane,
                    kind.name,
                    id,
                    self.now,
                    expires_at,
                    row.digest,
                    &row.body,
                    &row.sealed,
                ))?;
        }
        self.note(kind, id, ChangeKind::Written);
        Ok(())
    }

    fn put_keys(&mut self, kind: &KindFacts, id: Uuid, body: &Body) -> Outcome<()> {
        for key in self.codec.unique_keys(kind, body) {
            let digest = self.key_digest(kind, &key);
            if let Some(holder) = self.put_key(kind, id, &digest)? {
                return Err(self.taken(kind, body, (&digest, holder)));
            }
        }
        Ok(())
    }

    pub(super) fn key_digest(&self, kind: &KindFacts, key: &UniqueKey) -> Digest {
        self.codec
            .key_digest(self.plane, kind.name, &key.fields, &key.value)
    }

    /// Gives a unique value to a row, or tells which other one has it.
    pub(super) fn put_key(
        &mut self,
        kind: &KindFacts,
        id: Uuid,
        digest: &Digest,
    ) -> Outcome<Option<Uuid>> {
        if self.add_key(kind, id, digest)? {
            return Ok(None);
        }
        let Some(holder) = self.holder(kind, digest)?.filter(|holder| *holder != id) else {
            return Ok(None);
        };
        // `existing` clears the holder away when it has expired.
        if self.existing(kind, holder)?.is_some() {
            return Ok(Some(holder));
        }
        self.add_key(kind, id, digest)?;
        Ok(None)
    }

    fn add_key(&self, kind: &KindFacts, id: Uuid, digest: &Digest) -> Outcome<bool> {
        let added = self
            .connection
            .prepare_cached(
                "INSERT INTO unique_key (control_plane, kind, digest, id)
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            )?
            .execute((self.plane, kind.name, digest, id))?;
        Ok(added > 0)
    }

    /// The error about a unique value of `body` that another row has.
    pub(super) fn taken(
        &self,
        kind: &KindFacts,
        body: &Body,
        (digest, holder): (&Digest, Uuid),
    ) -> Fault {
        let keys = self.codec.unique_keys(kind, body).into_iter();
        let mut same = keys.filter(|key| self.key_digest(kind, key) == *digest);
        let fields = same.next().map(|key| key.fields).unwrap_or_default();
        let value = |field: &String| body.get(field).cloned().unwrap_or_default();
        let pairs = fields.iter().map(|field| (field.clone(), value(field)));
        let error = StoreError::Unique {
            kind: kind.name.to_owned(),
            fields: pairs.collect(),
            holder,
        };
        error.into()
    }

    fn holder(&self, kind: &KindFacts, digest: &Digest) -> Outcome<Option<Uuid>> {
        let mut find = self.connection.prepare_cached(
            "SELECT id FROM unique_key WHERE control_plane = ?1 AND kind = ?2 AND digest = ?3",
        )?;
        let holder = find.query_row((self.plane, kind.name, digest), |row| row.get(0));
        Ok(holder.optional()?)
    }

    pub(super) fn put_tags(&self, kind: &KindFacts, id: Uuid, body: &Body) -> Outcome<()> {
        let Some(Value::Array(tags)) = body.get("tags") else {
            return Ok(());
        };
        let mut add = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO tag (control_plane, tag, kind, id) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for tag in tags.iter().filter_map(Value::as_str) {
            add.execute((self.plane, tag, kind.name, id))?;
        }
        Ok(())
    }

    pub(super) fn check_target(
        &mut self,
        kind: &KindFacts,
        id: Uuid,
        reference: &Reference,
    ) -> Outcome<()> {
        if reference.is_soft {
            return Ok(());
        }
        let target_kind = self.codec.kind(&reference.kind)?;
        if self.existing(target_kind, reference.id)?.is_some() {
            return Ok(());
        }
        Err(StoreError::Foreign {
            kind: kind.name.to_owned(),
            id,
            field: reference.field.clone(),
            target_kind: reference.kind.clone(),
            target: reference.id,
        }
        .into())
    }

    pub(super) fn put_reference(
        &self,
        kind: &KindFacts,
        id: Uuid,
        reference: &Reference,
    ) -> Outcome<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO reference (control_plane, target, kind, field, id, target_kind,
                 on_delete) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                self.plane,
                reference.id,
                kind.name,
                &reference.field,
                id,
                &reference.kind,
                reference.on_delete.code(),
            ))?;
        Ok(())
    }

    /// Removes a row and what refers to it.
    pub(super) fn remove(&mut self, kind: &KindFacts, id: Uuid) -> Outcome<()> {
        // The row goes first so that a circle of cascades ends.
        self.forget(kind, id)?;
        self.settle(kind, id, self.children(kind, id)?)
    }

    /// Removes a row without looking at what refers to it.
    pub(super) fn forget(&mut self, kind: &KindFacts, id: Uuid) -> Outcome<()> {
        self.drop_derived(kind, id)?;
        self.connection
            .prepare_cached(
                "DELETE FROM entity WHERE control_plane = ?1 AND kind = ?2 AND id = ?3",
            )?
            .execute((self.plane, kind.name, id))?;
        self.note(kind, id, ChangeKind::Removed);
        Ok(())
    }

    /// Does to the rows that referred to a removed row what they ask for.
    pub(super) fn settle(
        &mut self,
        kind: &KindFacts,
        id: Uuid,
        children: Vec<Child>,
    ) -> Outcome<()> {
        for (child, field, child_id, on_delete) in children {
            let child = self.codec.kind(&child)?;
            if self.existing(child, child_id)?.is_none() {
                continue;
            }
            match on_delete {
                OnDelete::Cascade => self.remove(child, child_id)?,
                OnDelete::SetNull => self.clear(child, child_id, &field)?,
                OnDelete::Restrict => {
                    return Err(StoreError::Referenced {
                        kind: kind.name.to_owned(),
                        id,
                        by: child.name.to_owned(),
                        by_id: child_id,
                    }
                    .into());
                }
            }
        }
        Ok(())
    }

    pub(super) fn children(&self, kind: &KindFacts, id: Uuid) -> Outcome<Vec<Child>> {
        let mut find = self.connection.prepare_cached(
            "SELECT kind, field, id, on_delete FROM reference
             WHERE control_plane = ?1 AND target = ?2 AND target_kind = ?3",
        )?;
        let rows = find.query_map((self.plane, id, kind.name), |row| {
            let on_delete = OnDelete::from_code(row.get(3)?);
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, on_delete))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Sets a foreign field of a row to null.
    fn clear(&mut self, kind: &KindFacts, id: Uuid, field: &str) -> Outcome<()> {
        let Some(mut body) = self.read(kind, id)? else {
            return Ok(());
        };
        body.insert(field.to_owned(), Value::Null);
        let existing = self.existing(kind, id)?;
        self.write(kind, id, &body, existing.as_ref())
    }

    /// The body, with the absolute `ttl` that `encode` takes back unchanged.
    pub(super) fn read(&self, kind: &KindFacts, id: Uuid) -> Outcome<Option<Body>> {
        let mut find = self.connection.prepare_cached(
            "SELECT id, body, sealed, expires_at FROM entity
             WHERE control_plane = ?1 AND kind = ?2 AND id = ?3",
        )?;
        let mut rows = find.query((self.plane, kind.name, id))?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let (_, body) = decode(
            self.codec,
            self.plane,
            kind,
            row,
            crate::codec::Ttl::Absolute,
        )?;
        Ok(Some(body))
    }

    /// Forgets the unique values, references and tags of a row.
    pub(super) fn drop_derived(&self, kind: &KindFacts, id: Uuid) -> Outcome<()> {
        for statement in DROP_DERIVED {
            self.connection
                .prepare_cached(statement)?
                .execute((self.plane, kind.name, id))?;
        }
        Ok(())
    }

    pub(super) fn note(&mut self, kind: &KindFacts, id: Uuid, change: ChangeKind) {
        let position = *self
            .position
            .entry((kind.name, id))
            .or_insert(self.changes.len());
        match self.changes.get_mut(position) {
            Some(entry) => entry.2 = change,
            None => self.changes.push((kind.name, id, change)),
        }
    }
}
