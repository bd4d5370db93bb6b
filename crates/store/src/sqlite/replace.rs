//! Making the exported kinds of a control plane exactly what a document says, by the smallest
//! change.

use std::collections::HashMap;

use uuid::Uuid;

use super::apply::{Existing, Work};
use super::fault::Outcome;
use crate::document::{self, check_tables, says_the_same};
use crate::model::KindFacts;
use crate::{Body, Packed, StoreError, Tables};

/// A row of the document that is not stored like that yet.
struct Wanted<'a> {
    kind: &'a KindFacts,
    id: Uuid,
    body: &'a Packed,
    existing: Option<Existing>,
}

/// A row that the document leaves out.
struct Gone<'a> {
    kind: &'a KindFacts,
    id: Uuid,
}

impl Work<'_> {
    /// Compares, then changes. Only the state at the end has to be consistent: rows may swap
    /// names, and a row may replace the one it used to refer to.
    pub(super) fn replace_all(&mut self, tables: &Tables) -> Outcome<()> {
        check_tables(self.codec, tables)?;
        let (mut wanted, mut gone) = (Vec::new(), Vec::new());
        for kind in self.codec.kinds().iter().filter(|kind| kind.is_exported) {
            let rows = tables.get(kind.name).map_or(&[][..], Vec::as_slice);
            self.compare(kind, rows, &mut wanted, &mut gone)?;
        }
        for row in &gone {
            self.forget(row.kind, row.id)?;
        }
        for row in wanted.iter().filter(|row| row.existing.is_some()) {
            self.drop_derived(row.kind, row.id)?;
        }
        let (mut keys, mut references) = (Vec::new(), Vec::new());
        for (position, row) in wanted.iter().enumerate() {
            let body = row.body.open();
            self.put_wanted(row, &body)?;
            self.put_tags(row.kind, row.id, &body)?;
            for key in self.codec.unique_keys(row.kind, &body) {
                let digest = self.key_digest(row.kind, &key);
                keys.push((row.kind.name, digest, position));
            }
            let of_row = self.codec.references(row.kind, &body).into_iter();
            references.extend(of_row.map(|reference| (position, reference)));
        }
        // In the order of their index: each page of it is visited once.
        keys.sort_unstable();
        for (_, digest, position) in keys {
            let row = &wanted[position];
            if let Some(holder) = self.put_key(row.kind, row.id, &digest)? {
                return Err(self.taken(row.kind, &row.body.open(), (&digest, holder)));
            }
        }
        for (position, reference) in references {
            let row = &wanted[position];
            self.check_target(row.kind, row.id, &reference)?;
            self.put_reference(row.kind, row.id, &reference)?;
        }
        gone.iter()
            .try_for_each(|row| self.settle_references_to(row))
    }

    fn compare<'b>(
        &self,
        kind: &'b KindFacts,
        rows: &'b [Packed],
        wanted: &mut Vec<Wanted<'b>>,
        gone: &mut Vec<Gone<'b>>,
    ) -> Outcome<()> {
        let is_same = |body: &Body, row: &Existing| {
            says_the_same(
                self.codec,
                kind,
                body,
                (row.digest, row.expires_at),
                self.now,
            )
        };
        let compared = document::compare(kind, rows, self.stored(kind)?, is_same)?;
        let changed = compared.wanted.into_iter();
        wanted.extend(changed.map(|(id, body, existing)| Wanted {
            kind,
            id,
            body,
            existing,
        }));
        gone.extend(compared.gone.into_iter().map(|id| Gone { kind, id }));
        Ok(())
    }

    fn stored(&self, kind: &KindFacts) -> Outcome<HashMap<Uuid, Existing>> {
        let mut all = self.connection.prepare_cached(
            "SELECT id, seq, digest, expires_at FROM entity
             WHERE control_plane = ?1 AND kind = ?2",
        )?;
        let rows = all.query_map((self.plane, kind.name), |row| {
            let existing = Existing {
                seq: row.get(1)?,
                digest: row.get(2)?,
                expires_at: row.get(3)?,
            };
            Ok((row.get(0)?, existing))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn put_wanted(&mut self, row: &Wanted<'_>, body: &Body) -> Outcome<()> {
        let Wanted {
            kind, id, existing, ..
        } = row;
        let created_at = match existing {
            Some(_) => self
                .read(kind, *id)?
                .and_then(|body| body.get("created_at").cloned()),
            None => None,
        };
        let encoded = match created_at {
            // A changed row keeps the moment it was made: the document's is that of the import.
            Some(moment) if body.contains_key("created_at") => {
                let mut body = body.clone();
                body.insert("created_at".to_owned(), moment);
                self.codec.encode(self.plane, kind, *id, &body, self.now)?
            }
            _ => self.codec.encode(self.plane, kind, *id, body, self.now)?,
        };
        self.put_row(kind, *id, &encoded, existing.as_ref())
    }

    /// What still refers to a removed row is either kept by the document, which is then
    /// inconsistent, or of a kind that documents do not carry, which follows its own rule.
    fn settle_references_to(&mut self, row: &Gone<'_>) -> Outcome<()> {
        let children = self.children(row.kind, row.id)?;
        for (child, field, child_id, _) in &children {
            let child = self.codec.kind(child)?;
            if child.is_exported {
                return Err(StoreError::Foreign {
                    kind: child.name.to_owned(),
                    id: *child_id,
                    field: field.clone(),
                    target_kind: row.kind.name.to_owned(),
                    target: row.id,
                }
                .into());
            }
        }
        self.settle(row.kind, row.id, children)
    }
}
