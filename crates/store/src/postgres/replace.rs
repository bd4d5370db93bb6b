//! Making the exported kinds of a control plane exactly what a document says, by the smallest
//! change. Rows are written chunk by chunk, so that a large document is in memory once.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::apply::{Work, stored};
use super::draft::{Address, Draft, key_fields};
use super::fault::Outcome;
use super::history::{self, Before, Replaced};
use super::read::decode;
use super::rows::{CHUNK_ROWS, Chunk, impossible};
use super::script::Script;
use super::state::Row;
use crate::codec::Ttl;
use crate::document::{self, check_tables, says_the_same};
use crate::model::KindFacts;
use crate::{Body, ChangeKind, Packed, StoreError, Tables};

/// A row of the document that is not stored like that yet.
struct Wanted<'b> {
    kind: &'b KindFacts,
    id: Uuid,
    body: &'b Packed,
    exists: bool,
}

impl Wanted<'_> {
    fn address(&self) -> Address {
        (self.kind.name, self.id)
    }
}

/// What the document says about which rows there are.
#[derive(Default)]
struct Comparison<'b> {
    wanted: Vec<Wanted<'b>>,
    gone: Vec<Address>,
    /// All rows of the document.
    known: HashMap<&'static str, HashSet<Uuid>>,
}

impl<'a> Work<'a> {
    /// Compares, then changes. Only the state at the end has to be consistent: rows may swap
    /// names, and a row may replace the one it used to refer to.
    pub(super) async fn replace_all(&mut self, tables: &Tables) -> Outcome<()> {
        let codec = self.codec;
        check_tables(codec, tables)?;
        // What the same batch planned before comes first; from here on the database is written.
        self.flush().await?.run(self.link).await?;
        let mut comparison = Comparison::default();
        for kind in codec.kinds().iter().filter(|kind| kind.is_exported) {
            let rows = tables.get(kind.name).map_or(&[][..], Vec::as_slice);
            self.compare(kind, rows, &mut comparison).await?;
        }
        self.take_away(&comparison).await?;
        for part in comparison.wanted.chunks(CHUNK_ROWS) {
            let mut chunk = Chunk::default();
            let births = self.births(part).await?;
            for row in part {
                let draft = self.draft(row, births.get(&row.address()))?;
                self.check_targets(row, &draft, &comparison.known).await?;
                chunk.put(row.address(), draft, !row.exists);
                self.state.note(row.address(), ChangeKind::Written);
            }
            let script = self.keep_history(part.iter().map(Wanted::address));
            if !chunk
                .write(self.link, script, (self.plane, self.now))
                .await?
            {
                return Err(self.taken(&chunk, part).await?.into());
            }
        }
        self.state.forget();
        self.settle_references_to(&comparison.gone).await
    }

    async fn compare<'b>(
        &self,
        kind: &'b KindFacts,
        rows: &'b [Packed],
        comparison: &mut Comparison<'b>,
    ) -> Outcome<()> {
        let is_same = |body: &Body, row: &Row| {
            says_the_same(
                self.codec,
                kind,
                body,
                (row.digest, row.expires_at),
                self.now,
            )
        };
        let compared = document::compare(kind, rows, self.stored(kind).await?, is_same)?;
        let changed = compared.wanted.into_iter();
        comparison
            .wanted
            .extend(changed.map(|(id, body, existing)| Wanted {
                kind,
                id,
                body,
                exists: existing.is_some(),
            }));
        let gone = compared.gone.into_iter().map(|id| (kind.name, id));
        comparison.gone.extend(gone);
        comparison.known.insert(kind.name, compared.known);
        Ok(())
    }

    async fn stored(&self, kind: &KindFacts) -> Outcome<HashMap<Uuid, Row>> {
        let sql = "SELECT id, digest, expires_at FROM entity
             WHERE control_plane = $1 AND kind = $2";
        let mut rows = self.link.stream(sql, &[&self.plane, &kind.name]).await?;
        let mut all = HashMap::new();
        while let Some(row) = rows.next().await? {
            all.insert(row.try_get(0)?, stored(&row, 1)?);
        }
        Ok(all)
    }

    /// Removes what the document leaves out, and what was derived from rows that change.
    async fn take_away(&mut self, comparison: &Comparison<'_>) -> Outcome<()> {
        for part in comparison.gone.chunks(CHUNK_ROWS) {
            let mut chunk = Chunk::default();
            for address in part {
                chunk.remove(*address);
                self.state.note(*address, ChangeKind::Removed);
            }
            let script = self.keep_history(part.iter().copied());
            chunk
                .write(self.link, script, (self.plane, self.now))
                .await?;
        }
        let changing: Vec<Address> = comparison
            .wanted
            .iter()
            .filter(|row| row.exists)
            .map(Wanted::address)
            .collect();
        for part in changing.chunks(CHUNK_ROWS) {
            let mut chunk = Chunk::default();
            part.iter().for_each(|address| chunk.forget(*address));
            let script = Script::default();
            chunk
                .write(self.link, script, (self.plane, self.now))
                .await?;
        }
        Ok(())
    }

    /// What keeps the rows that are about to be replaced.
    fn keep_history(&self, rows: impl Iterator<Item = Address>) -> Script {
        let (version, at) = (self.version() + 1, self.now);
        let replaced = rows.map(|address| Replaced {
            version,
            at,
            address,
            before: Before::Stored,
        });
        let mut script = Script::default();
        history::keep(&mut script, self.plane, replaced.collect());
        script
    }

    /// When the rows that change were made: they keep that moment, the document's is that of the
    /// import.
    async fn births(&self, part: &[Wanted<'_>]) -> Outcome<HashMap<Address, serde_json::Value>> {
        let dated: Vec<&Wanted<'_>> = part.iter().filter(|row| row.exists).collect();
        if dated.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = "SELECT e.id, e.body, e.sealed, e.expires_at, e.kind
             FROM UNNEST($2::text[], $3::uuid[]) AS n(kind, id)
             JOIN entity e ON e.control_plane = $1 AND e.kind = n.kind AND e.id = n.id";
        let kinds: Vec<&str> = dated.iter().map(|row| row.kind.name).collect();
        let ids: Vec<Uuid> = dated.iter().map(|row| row.id).collect();
        let rows = self.link.query(sql, &[&self.plane, &kinds, &ids]).await?;
        let mut births = HashMap::new();
        for row in &rows {
            let kind = self.codec.kind(row.try_get(4)?)?;
            let (id, mut body) = decode(self.codec, self.plane, kind, row, Ttl::Absolute)?;
            if let Some(moment) = body.shift_remove("created_at") {
                births.insert((kind.name, id), moment);
            }
        }
        Ok(births)
    }

    fn draft(
        &self,
        row: &Wanted<'_>,
        birth: Option<&serde_json::Value>,
    ) -> Result<Draft, StoreError> {
        let mut body = row.body.open();
        if let (Some(moment), Some(birth)) = (body.get_mut("created_at"), birth) {
            *moment = birth.clone();
        }
        Draft::new(self.codec, self.plane, (row.kind, row.id), &body, self.now)
    }

    async fn check_targets(
        &mut self,
        row: &Wanted<'_>,
        draft: &Draft,
        known: &HashMap<&'static str, HashSet<Uuid>>,
    ) -> Outcome<()> {
        for (reference, target) in draft.references.iter().zip(&draft.targets) {
            let is_there = match known.get(target.0) {
                _ if reference.is_soft => true,
                Some(rows) => rows.contains(&target.1),
                None => self.existing(*target).await?.is_some(),
            };
            if !is_there {
                return Err(StoreError::Foreign {
                    kind: row.kind.name.to_owned(),
                    id: row.id,
                    field: reference.field.clone(),
                    target_kind: reference.kind.clone(),
                    target: reference.id,
                }
                .into());
            }
        }
        Ok(())
    }

    /// Which unique value of a chunk was taken already.
    async fn taken(&self, chunk: &Chunk, part: &[Wanted<'_>]) -> Outcome<StoreError> {
        let Some((address, digest, holder)) = chunk.conflict(self.link, self.plane).await? else {
            return Ok(impossible("a unique value was taken by nobody"));
        };
        let Some(row) = part.iter().find(|row| row.address() == address) else {
            return Ok(impossible(
                "a unique value was taken by a row of no document",
            ));
        };
        let draft = self.draft(row, None)?;
        let key = draft.keys.iter().find(|key| key.digest == digest);
        let fields = key.map_or(&[][..], |key| &key.fields);
        Ok(StoreError::Unique {
            kind: address.0.to_owned(),
            fields: key_fields(fields, &row.body.open()),
            holder,
        })
    }

    /// What still refers to a removed row is either kept by the document, which is then
    /// inconsistent, or of a kind that documents do not carry, which follows its own rule.
    async fn settle_references_to(&mut self, gone: &[Address]) -> Outcome<()> {
        let sql = "SELECT r.kind, r.id, r.field, r.target_kind, r.target
             FROM UNNEST($2::text[], $3::uuid[]) AS n(kind, id)
             JOIN reference r ON r.control_plane = $1 AND r.target = n.id
             AND r.target_kind = n.kind";
        for part in gone.chunks(CHUNK_ROWS) {
            let (kinds, ids): (Vec<&str>, Vec<Uuid>) = part.iter().copied().unzip();
            let rows = self.link.query(sql, &[&self.plane, &kinds, &ids]).await?;
            let mut targets = Vec::new();
            for row in &rows {
                let child = self.codec.kind(row.try_get(0)?)?;
                let target = (self.codec.kind(row.try_get(3)?)?.name, row.try_get(4)?);
                if child.is_exported {
                    return Err(StoreError::Foreign {
                        kind: child.name.to_owned(),
                        id: row.try_get(1)?,
                        field: row.try_get(2)?,
                        target_kind: target.0.to_owned(),
                        target: target.1,
                    }
                    .into());
                }
                targets.push(target);
            }
            for target in targets {
                self.settle_children(target).await?;
            }
        }
        Ok(())
    }
}
