//! Reading entities: one row, lists by keyset, whole snapshots, the logs.

use rusqlite::{Connection, OptionalExtension as _, Row};
use uuid::Uuid;

use super::fault::Outcome;
use super::list;
use crate::codec::{Codec, Stored, Ttl};
use crate::limits::{CHANGES_TOLD, LIST_DEFAULT, LIST_LIMIT};
use crate::model::KindFacts;
use crate::{
    AuditEntry, Body, Change, ChangeKind, Changes, Export, ListQuery, Packed, Page, StoreError,
    TagRow,
};

/// Reading within one control plane.
pub(super) struct Reading<'a> {
    pub(super) connection: &'a Connection,
    pub(super) codec: &'a Codec,
    pub(super) plane: Uuid,
    /// Unix seconds; rows that ended before are not there.
    pub(super) now: u64,
}

impl Reading<'_> {
    pub(super) fn get(&self, kind: &str, id: Uuid) -> Outcome<Option<Body>> {
        let kind = self.codec.kind(kind)?;
        let mut find = self.connection.prepare_cached(
            "SELECT id, body, sealed, expires_at FROM entity
             WHERE control_plane = ?1 AND kind = ?2 AND id = ?3
             AND (expires_at IS NULL OR expires_at > ?4)",
        )?;
        let mut rows = find.query((self.plane, kind.name, id, self.now))?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let (_, body) = decode(self.codec, self.plane, kind, row, Ttl::Remaining(self.now))?;
        Ok(Some(body))
    }

    pub(super) fn find(&self, kind: &str, fields: &[String], value: &str) -> Outcome<Option<Body>> {
        let name = self.codec.kind(kind)?.name;
        let digest = self.codec.key_digest(self.plane, name, fields, value);
        let id: Option<Uuid> = self
            .connection
            .prepare_cached(
                "SELECT id FROM unique_key WHERE control_plane = ?1 AND kind = ?2 AND digest = ?3",
            )?
            .query_row((self.plane, name, digest), |row| row.get(0))
            .optional()?;
        match id {
            Some(id) => self.get(name, id),
            None => Ok(None),
        }
    }

    pub(super) fn list(&self, kind: &str, query: &ListQuery) -> Outcome<Page> {
        let kind = self.codec.kind(kind)?;
        let size = if query.size == 0 {
            LIST_DEFAULT
        } else {
            query.size.min(LIST_LIMIT)
        };
        let (sql, parameters) = self.statement(kind, query, size + 1);
        let mut select = self.connection.prepare_cached(&sql)?;
        let mut rows = select.query(&*parameters.iter().map(|p| &**p).collect::<Vec<_>>())?;
        let mut page = Page::default();
        let mut last = None;
        while let Some(row) = rows.next()? {
            if page.rows.len() == size {
                page.next = last;
                break;
            }
            let (id, body) = decode(self.codec, self.plane, kind, row, Ttl::Remaining(self.now))?;
            page.rows.push(body);
            last = Some(id);
        }
        Ok(page)
    }

    /// How the database would walk a list.
    #[cfg(test)]
    pub(super) fn plan(&self, kind: &str, query: &ListQuery) -> Outcome<Vec<String>> {
        let (sql, parameters) = self.statement(self.codec.kind(kind)?, query, 100);
        let mut explain = self
            .connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let parameters: Vec<_> = parameters.iter().map(|p| &**p).collect();
        let steps = explain.query_map(&*parameters, |row| row.get(3))?;
        Ok(steps.collect::<rusqlite::Result<_>>()?)
    }

    fn statement(
        &self,
        kind: &KindFacts,
        query: &ListQuery,
        limit: usize,
    ) -> (String, list::Parameters) {
        list::statement(self.plane, kind, query, self.now, limit)
    }

    pub(super) fn count(&self, kind: &str) -> Outcome<u64> {
        let kind = self.codec.kind(kind)?;
        let mut count = self.connection.prepare_cached(
            "SELECT count(*) FROM entity WHERE control_plane = ?1 AND kind = ?2
             AND (expires_at IS NULL OR expires_at > ?3)",
        )?;
        Ok(count.query_row((self.plane, kind.name, self.now), |row| row.get(0))?)
    }

    pub(super) fn tags(
        &self,
        tag: Option<&str>,
        after: Option<TagRow>,
        size: usize,
    ) -> Outcome<Vec<TagRow>> {
        let after = after.unwrap_or(TagRow {
            tag: String::new(),
            kind: String::new(),
            id: Uuid::nil(),
        });
        let only = if tag.is_some() {
            "tag = ?2"
        } else {
            "?2 IS NULL"
        };
        let sql = format!(
            "SELECT tag, kind, id FROM tag WHERE control_plane = ?1 AND {only}
             AND (tag, kind, id) > (?3, ?4, ?5) ORDER BY tag, kind, id LIMIT ?6"
        );
        let size = size.clamp(1, LIST_LIMIT);
        let mut select = self.connection.prepare_cached(&sql)?;
        let rows = select.query_map(
            (self.plane, tag, after.tag, after.kind, after.id, size),
            |row| {
                Ok(TagRow {
                    tag: row.get(0)?,
                    kind: row.get(1)?,
                    id: row.get(2)?,
                })
            },
        )?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Everything at one version; the caller gives a connection inside a transaction.
    pub(super) fn export(&self) -> Outcome<Export> {
        let mut export = Export {
            version: self.version()?.0,
            ..Export::default()
        };
        for kind in self.codec.kinds().iter().filter(|kind| kind.is_exported) {
            let mut all = self.connection.prepare_cached(
                "SELECT id, body, sealed, expires_at FROM entity
                 WHERE control_plane = ?1 AND kind = ?2
                 AND (expires_at IS NULL OR expires_at > ?3) ORDER BY id",
            )?;
            let mut rows = all.query((self.plane, kind.name, self.now))?;
            let mut table = Vec::new();
            while let Some(row) = rows.next()? {
                table.push(packed(self.codec, self.plane, kind, row)?);
            }
            if !table.is_empty() {
                export.tables.insert(kind.name.to_owned(), table);
            }
        }
        Ok(export)
    }

    /// The version, and the one after which the change log is complete.
    pub(super) fn version(&self) -> Outcome<(u64, u64)> {
        let mut find = self
            .connection
            .prepare_cached("SELECT version, logged_after FROM plane WHERE control_plane = ?1")?;
        let row = find.query_row([self.plane], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(row.optional()?.unwrap_or((0, 0)))
    }

    pub(super) fn changes(&self, after: u64) -> Outcome<Changes> {
        let (version, logged_after) = self.version()?;
        if after < logged_after || after > version {
            return Ok(Changes::TooOld);
        }
        let mut select = self.connection.prepare_cached(
            "SELECT version, kind, id, is_removal FROM change_log
             WHERE control_plane = ?1 AND version > ?2 ORDER BY version, ordinal LIMIT ?3",
        )?;
        let rows = select.query_map((self.plane, after, CHANGES_TOLD + 1), |row| {
            let change = if row.get(3)? {
                ChangeKind::Removed
            } else {
                ChangeKind::Written
            };
            Ok(Change {
                version: row.get(0)?,
                kind: row.get(1)?,
                id: row.get(2)?,
                change,
            })
        })?;
        let changes: Vec<Change> = rows.collect::<rusqlite::Result<_>>()?;
        if changes.len() > CHANGES_TOLD {
            return Ok(Changes::TooOld);
        }
        Ok(Changes::Since(changes))
    }

    pub(super) fn audit(&self, after: u64, size: usize) -> Outcome<Vec<AuditEntry>> {
        let mut select = self.connection.prepare_cached(
            "SELECT seq, at, control_plane, version, actor_kind, actor_id, summary FROM audit
             WHERE control_plane = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
        )?;
        let mut rows = select.query((self.plane, after, size.clamp(1, LIST_LIMIT)))?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let sequence = row.get(0)?;
            let text = row.get_ref(6)?.as_str().map_err(rusqlite::Error::from)?;
            let summary = serde_json::from_str(text).map_err(|_| StoreError::Storage {
                action: format!("read the audit entry {sequence}"),
                detail: "its summary is not JSON".to_owned(),
            })?;
            entries.push(AuditEntry {
                sequence,
                at: row.get(1)?,
                control_plane: row.get(2)?,
                version: row.get(3)?,
                actor_kind: row.get(4)?,
                actor_id: row.get(5)?,
                summary,
            });
        }
        Ok(entries)
    }
}

/// Reads the columns `id, body, sealed, expires_at` of `kind`.
pub(super) fn decode(
    codec: &Codec,
    plane: Uuid,
    kind: &KindFacts,
    row: &Row<'_>,
    ttl: Ttl,
) -> Outcome<(Uuid, Body)> {
    let stored = stored(row)?;
    Ok((stored.id, codec.decode(plane, kind, &stored, ttl)?))
}

/// The same as exports show it.
pub(super) fn packed(
    codec: &Codec,
    plane: Uuid,
    kind: &KindFacts,
    row: &Row<'_>,
) -> Outcome<Packed> {
    Ok(codec.decode_packed(plane, kind, &stored(row)?)?)
}

fn stored<'r>(row: &'r Row<'_>) -> Outcome<Stored<'r>> {
    let body = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
    let sealed = row.get_ref(2)?.as_blob_or_null();
    Ok(Stored {
        id: row.get(0)?,
        body,
        sealed: sealed.map_err(rusqlite::Error::from)?,
        expires_at: row.get(3)?,
    })
}
