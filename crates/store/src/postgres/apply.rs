//! Operations on rows of one control plane, inside a transaction that holds its lock.
//!
//! Operations work on [`State`]; the database is asked for what is not known yet, and sees the
//! result in a few statements at the end.

use std::pin::Pin;

use serde_json::Value;
use uuid::Uuid;

use super::draft::{Address, Condition, Draft, Step, key_fields};
use super::fault::Outcome;
use super::history;
use super::link::Link;
use super::numbers::unsigned;
use super::read::decode;
use super::script::Script;
use super::state::{Entry, Pending, Row, State};
use crate::codec::{Codec, Digest, Stored, Ttl};
use crate::model::{KindFacts, OnDelete};
use crate::{Body, ChangeKind, StoreError};

/// Work on one control plane within one transaction.
pub(super) struct Work<'a> {
    pub(super) link: &'a Link,
    pub(super) codec: &'a Codec,
    pub(super) plane: Uuid,
    /// Unix milliseconds of the request at work.
    pub(super) now: u64,
    pub(super) state: State,
    /// The version, and the one after which the change log is complete, before this transaction.
    pub(super) before: (u64, u64),
    pub(super) entries: Vec<Entry>,
}

type Recursive<'b, T> = Pin<Box<dyn Future<Output = Outcome<T>> + Send + 'b>>;

impl<'a> Work<'a> {
    /// Reads what a group of requests will ask for, in two questions.
    pub(super) async fn prefetch(&mut self, steps: &[&Step<'_>]) -> Outcome<()> {
        let mut rows: Vec<Address> = Vec::new();
        let mut keys: Vec<(&'static str, Digest)> = Vec::new();
        for step in steps {
            match step {
                Step::Put {
                    kind, id, draft, ..
                } => {
                    rows.push((kind.name, *id));
                    let hard = draft.targets.iter().zip(&draft.references);
                    rows.extend(hard.filter(|(_, r)| !r.is_soft).map(|(target, _)| *target));
                    keys.extend(draft.keys.iter().map(|key| (kind.name, key.digest)));
                }
                Step::Delete { kind, id } => rows.push((kind.name, *id)),
                Step::ReplaceAll(_) | Step::AtVersion(_) | Step::Note(_) => {}
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        rows.sort_unstable();
        rows.dedup();
        let find_rows = "SELECT e.kind, e.id, e.digest, e.expires_at
             FROM UNNEST($2::text[], $3::uuid[]) AS n(kind, id)
             JOIN entity e ON e.control_plane = $1 AND e.kind = n.kind AND e.id = n.id";
        let find_keys = "SELECT k.kind, k.digest, k.id
             FROM UNNEST($2::text[], $3::bytea[]) AS n(kind, digest)
             JOIN unique_key k ON k.control_plane = $1 AND k.kind = n.kind
             AND k.digest = n.digest";
        let (kinds, ids): (Vec<&str>, Vec<Uuid>) = rows.iter().copied().unzip();
        let key_kinds: Vec<&str> = keys.iter().map(|(kind, _)| *kind).collect();
        let digests: Vec<&[u8]> = keys.iter().map(|(_, digest)| digest.as_slice()).collect();
        let row_values: [_; 3] = [&self.plane as _, &kinds as _, &ids as _];
        let key_values: [_; 3] = [&self.plane as _, &key_kinds as _, &digests as _];
        let (found, holders) = tokio::try_join!(
            self.link.query(find_rows, &row_values),
            self.link.query(find_keys, &key_values)
        )?;
        let known = rows.into_iter().map(|address| (address, None));
        self.state.rows.extend(known);
        for row in &found {
            let address = (self.codec.kind(row.try_get(0)?)?.name, row.try_get(1)?);
            self.state.rows.insert(address, Some(stored(row, 2)?));
        }
        let known = keys.into_iter().map(|key| (key, None));
        self.state.holders.extend(known);
        for row in &holders {
            let key = (
                self.codec.kind(row.try_get(0)?)?.name,
                digest(row.try_get(1)?)?,
            );
            self.state.holders.insert(key, Some(row.try_get(2)?));
        }
        Ok(())
    }

    pub(super) async fn run(&mut self, step: Step<'a>) -> Outcome<()> {
        match step {
            Step::Put {
                kind,
                id,
                condition,
                body,
                draft,
            } => {
                let existing = self.existing((kind.name, id)).await?;
                let name = kind.name.to_owned();
                let refusal = match (condition, existing) {
                    (Condition::Absent, Some(_)) => StoreError::PrimaryKey { kind: name, id },
                    (Condition::Present | Condition::Unchanged(_), None) => {
                        StoreError::NotFound { kind: name, id }
                    }
                    (Condition::Unchanged(read), Some(row)) if read != row.digest => {
                        StoreError::Stale { kind: name, id }
                    }
                    _ => return self.write((kind.name, id), body, draft, existing).await,
                };
                Err(refusal.into())
            }
            Step::Delete { kind, id } => {
                if self.existing((kind.name, id)).await?.is_none() {
                    let kind = kind.name.to_owned();
                    return Err(StoreError::NotFound { kind, id }.into());
                }
                self.remove((kind.name, id)).await
            }
            Step::ReplaceAll(tables) => self.replace_all(tables).await,
            Step::AtVersion(expected) => {
                let current = self.version();
                if current == expected {
                    return Ok(());
                }
                Err(StoreError::Moved { expected, current }.into())
            }
            Step::Note(text) => {
                self.state.annotate(text);
                Ok(())
            }
        }
    }

    /// The row, unless it has expired; an expired one is cleared away, it no longer counts.
    pub(super) async fn existing(&mut self, address: Address) -> Outcome<Option<Row>> {
        let found = match self.state.pending(address) {
            Some(Pending::Removed) => None,
            Some(Pending::Written { draft, .. }) => Some(Row {
                digest: draft.encoded.digest,
                expires_at: draft.encoded.expiry.moment(),
            }),
            None => self.stored_row(address).await?,
        };
        match found {
            Some(row) if row.expires_at.is_some_and(|end| end <= self.now / 1000) => {
                self.remove(address).await?;
                Ok(None)
            }
            other => Ok(other),
        }
    }

    async fn stored_row(&mut self, address: Address) -> Outcome<Option<Row>> {
        if let Some(row) = self.state.rows.get(&address) {
            return Ok(*row);
        }
        let sql = "SELECT digest, expires_at FROM entity
             WHERE control_plane = $1 AND kind = $2 AND id = $3";
        let row = self
            .link
            .one(sql, &[&self.plane, &address.0, &address.1])
            .await?;
        let row = row.map(|row| stored(&row, 0)).transpose()?;
        self.state.rows.insert(address, row);
        Ok(row)
    }

    async fn write(
        &mut self,
        address: Address,
        body: &Body,
        draft: Box<Draft>,
        existing: Option<Row>,
    ) -> Outcome<()> {
        let keys: Vec<(Digest, Vec<String>)> = draft
            .keys
            .iter()
            .map(|key| (key.digest, key.fields.clone()))
            .collect();
        let references = draft.references.clone();
        let targets = draft.targets.clone();
        // The row comes first: it may refer to itself.
        self.state.put(address, draft, existing.is_some());
        self.state.note(address, ChangeKind::Written);
        for (digest, fields) in keys {
            let key = (address.0, digest);
            if let Some(holder) = self.holder(key).await?
                && holder != address.1
                && self.existing((address.0, holder)).await?.is_some()
            {
                let (kind, fields) = (address.0.to_owned(), key_fields(&fields, body));
                return Err(StoreError::Unique {
                    kind,
                    fields,
                    holder,
                }
                .into());
            }
            self.state.take_key(key, address.1);
        }
        for (reference, target) in references.iter().zip(targets) {
            if reference.is_soft || self.existing(target).await?.is_some() {
                continue;
            }
            return Err(StoreError::Foreign {
                kind: address.0.to_owned(),
                id: address.1,
                field: reference.field.clone(),
                target_kind: reference.kind.clone(),
                target: reference.id,
            }
            .into());
        }
        Ok(())
    }

    /// Who holds a unique value at this moment of the transaction.
    async fn holder(&mut self, key: (&'static str, Digest)) -> Outcome<Option<Uuid>> {
        if let Some(holder) = self.state.new_holder(&key) {
            return Ok(Some(holder));
        }
        let stored = match self.state.holders.get(&key) {
            Some(holder) => *holder,
            None => {
                let sql = "SELECT id FROM unique_key
                     WHERE control_plane = $1 AND kind = $2 AND digest = $3";
                let digest = key.1.as_slice();
                let row = self.link.one(sql, &[&self.plane, &key.0, &digest]).await?;
                let holder = row.map(|row| row.try_get(0)).transpose()?;
                self.state.holders.insert(key, holder);
                holder
            }
        };
        // A row that is about to be written or removed gives up what it holds in the database.
        Ok(stored.filter(|holder| self.state.pending((key.0, *holder)).is_none()))
    }

    /// Removes a row and, before it, what refers to it.
    pub(super) fn remove(&mut self, address: Address) -> Recursive<'_, ()> {
        Box::pin(async move {
            // The row goes first so that a circle of cascades ends.
            self.state.remove(address);
            self.state.note(address, ChangeKind::Removed);
            self.settle_children(address).await
        })
    }

    /// Does to the rows that refer to a removed row what they ask for.
    pub(super) async fn settle_children(&mut self, address: Address) -> Outcome<()> {
        for (child, field, rule) in self.children(address).await? {
            if self.existing(child).await?.is_none() {
                continue;
            }
            match rule {
                OnDelete::Cascade => self.remove(child).await?,
                OnDelete::SetNull => self.clear(child, &field).await?,
                OnDelete::Restrict => {
                    return Err(StoreError::Referenced {
                        kind: address.0.to_owned(),
                        id: address.1,
                        by: child.0.to_owned(),
                        by_id: child.1,
                    }
                    .into());
                }
            }
        }
        Ok(())
    }

    async fn children(&self, address: Address) -> Outcome<Vec<(Address, String, OnDelete)>> {
        let sql = "SELECT kind, field, id, on_delete FROM reference
             WHERE control_plane = $1 AND target = $2 AND target_kind = $3";
        let rows = self
            .link
            .query(sql, &[&self.plane, &address.1, &address.0])
            .await?;
        let mut children = Vec::with_capacity(rows.len());
        for row in &rows {
            let child = (self.codec.kind(row.try_get(0)?)?.name, row.try_get(2)?);
            if self.state.pending(child).is_none() {
                children.push((child, row.try_get(1)?, OnDelete::from_code(row.try_get(3)?)));
            }
        }
        let new = self.state.new_children(address).into_iter();
        children
            .extend(new.map(|(child, reference)| (child, reference.field, reference.on_delete)));
        Ok(children)
    }

    /// Sets a foreign field of a row to null.
    async fn clear(&mut self, address: Address, field: &str) -> Outcome<()> {
        let kind = self.codec.kind(address.0)?;
        let Some(mut body) = self.read(kind, address.1).await? else {
            return Ok(());
        };
        body.insert(field.to_owned(), Value::Null);
        let draft = Draft::new(self.codec, self.plane, (kind, address.1), &body, self.now)?;
        let existing = self.existing(address).await?;
        let write: Recursive<'_, ()> =
            Box::pin(self.write(address, &body, Box::new(draft), existing));
        write.await
    }

    /// The body, with the absolute `ttl` that a draft takes back unchanged.
    async fn read(&self, kind: &KindFacts, id: Uuid) -> Outcome<Option<Body>> {
        match self.state.pending((kind.name, id)) {
            Some(Pending::Removed) => return Ok(None),
            Some(Pending::Written { draft, .. }) => {
                let stored = Stored {
                    id,
                    body: &draft.encoded.body,
                    sealed: draft.encoded.sealed.as_deref(),
                    expires_at: draft.encoded.expiry.moment(),
                };
                let body = self
                    .codec
                    .decode(self.plane, kind, &stored, Ttl::Absolute)?;
                return Ok(Some(body));
            }
            None => {}
        }
        let sql = "SELECT id, body, sealed, expires_at FROM entity
             WHERE control_plane = $1 AND kind = $2 AND id = $3";
        let row = self.link.one(sql, &[&self.plane, &kind.name, &id]).await?;
        let body = row.map(|row| decode(self.codec, self.plane, kind, &row, Ttl::Absolute));
        Ok(body.transpose()?.map(|(_, body)| body))
    }

    /// Writes what is planned, apart from what the script does that is left to run.
    pub(super) async fn flush(&mut self) -> Outcome<Script> {
        let (replaced, chunks) = self.state.flush(self.version() + 1, self.now);
        let mut script = Script::default();
        history::keep(&mut script, self.plane, replaced);
        for (mut chunk, place) in chunks.into_iter().zip(0..) {
            // What is small travels with what follows.
            if place > 0 {
                std::mem::take(&mut script).run(self.link).await?;
            }
            chunk.script(&mut script, self.plane, self.now, false);
        }
        Ok(script)
    }
}

/// Reads the columns `digest, expires_at` from a place on.
pub(super) fn stored(row: &tokio_postgres::Row, from: usize) -> Outcome<Row> {
    Ok(Row {
        digest: digest(row.try_get(from)?)?,
        expires_at: row.try_get::<_, Option<i64>>(from + 1)?.map(unsigned),
    })
}

fn digest(bytes: &[u8]) -> Outcome<Digest> {
    Digest::try_from(bytes).map_err(|_| {
        StoreError::Storage {
            action: "read a row".to_owned(),
            detail: "its digest has another length".to_owned(),
        }
        .into()
    })
}
