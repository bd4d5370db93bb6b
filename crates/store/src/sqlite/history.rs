//! Earlier states: kept by triggers, so that no way of writing can forget them, and read back.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row};
use uuid::Uuid;

use super::fault::Outcome;
use super::read::{Reading, packed};
use crate::history::{EarlierRows, PAGE_LIMIT, ROWS_KEPT, cutoff, put_back};
use crate::model::KindFacts;
use crate::{AuditEntry, Export, Packed, Revisions, RowChange, StoreError};

/// The tables and triggers. A row of `history` says what a version replaced; without `body` there
/// was nothing. The first one of a version counts. 1000 is `REVISIONS_KEPT`.
pub(super) const STEP: &str = "
CREATE TABLE history (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    control_plane BLOB NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    expires_at INTEGER,
    body TEXT,
    sealed BLOB
) STRICT;
CREATE UNIQUE INDEX history_key ON history (control_plane, version, kind, id);
CREATE INDEX history_at ON history (at);

CREATE TABLE history_floor (
    control_plane BLOB PRIMARY KEY,
    kept_after INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO history_floor SELECT control_plane, version FROM plane WHERE version > 0;

CREATE TRIGGER history_added AFTER INSERT ON entity BEGIN
    INSERT OR IGNORE INTO history (control_plane, version, kind, id, at)
    VALUES (new.control_plane, 1 + coalesce((SELECT version FROM plane
            WHERE control_plane = new.control_plane), 0), new.kind, new.id, new.updated_at);
END;
CREATE TRIGGER history_changed AFTER UPDATE ON entity BEGIN
    INSERT OR IGNORE INTO history
        (control_plane, version, kind, id, at, expires_at, body, sealed)
    VALUES (old.control_plane, 1 + coalesce((SELECT version FROM plane
            WHERE control_plane = old.control_plane), 0), old.kind, old.id, new.updated_at,
            old.expires_at, old.body, old.sealed);
END;
CREATE TRIGGER history_removed AFTER DELETE ON entity BEGIN
    INSERT OR IGNORE INTO history
        (control_plane, version, kind, id, at, expires_at, body, sealed)
    VALUES (old.control_plane, 1 + coalesce((SELECT version FROM plane
            WHERE control_plane = old.control_plane), 0), old.kind, old.id,
            1000 * unixepoch(), old.expires_at, old.body, old.sealed);
END;
CREATE TRIGGER history_kept AFTER UPDATE OF version ON plane WHEN new.version > 1000 BEGIN
    DELETE FROM history
    WHERE control_plane = new.control_plane AND version <= new.version - 1000;
    INSERT INTO history_floor (control_plane, kept_after)
    VALUES (new.control_plane, new.version - 1000)
    ON CONFLICT DO UPDATE SET kept_after = max(kept_after, excluded.kept_after);
END;
CREATE TRIGGER history_purged AFTER DELETE ON plane BEGIN
    DELETE FROM history WHERE control_plane = old.control_plane;
    DELETE FROM history_floor WHERE control_plane = old.control_plane;
END;
";

/// Two ways to be forgotten, each with its index: asked for together they read the whole table.
pub(super) const RAISE_FLOOR: &str = "INSERT INTO history_floor (control_plane, kept_after)
    SELECT control_plane, max(version) FROM (
        SELECT control_plane, version FROM history WHERE at < ?1
        UNION ALL
        SELECT control_plane, version FROM history
        WHERE seq <= (SELECT max(seq) FROM history) - ?2
    ) GROUP BY control_plane
    ON CONFLICT DO UPDATE SET kept_after = max(kept_after, excluded.kept_after)";

/// Forgets what is too old or too much; `now` is in Unix milliseconds.
pub(super) fn clear(connection: &Connection, now: u64) -> Outcome<()> {
    let before = cutoff(now);
    let raised = connection
        .prepare_cached(RAISE_FLOOR)?
        .execute((before, ROWS_KEPT))?;
    if raised > 0 {
        connection.execute(
            "DELETE FROM history WHERE version <= (SELECT kept_after FROM history_floor AS floor
             WHERE floor.control_plane = history.control_plane)",
            [],
        )?;
    }
    Ok(())
}

impl Reading<'_> {
    /// The oldest version that can be read, and the version now.
    fn reach(&self) -> Outcome<(u64, u64)> {
        let floor: Option<u64> = self
            .connection
            .prepare_cached("SELECT kept_after FROM history_floor WHERE control_plane = ?1")?
            .query_row([self.plane], |row| row.get(0))
            .optional()?;
        Ok((floor.unwrap_or(0), self.version()?.0))
    }

    pub(super) fn revisions(&self, before: Option<u64>, size: usize) -> Outcome<Revisions> {
        let (oldest, current) = self.reach()?;
        let before = before.unwrap_or_else(|| current.saturating_add(1));
        let mut select = self.connection.prepare_cached(
            "SELECT seq, at, version, actor_kind, actor_id, summary FROM audit
             WHERE control_plane = ?1 AND version >= ?2 AND version < ?3 AND version > 0
             ORDER BY seq DESC LIMIT ?4",
        )?;
        let size = size.clamp(1, PAGE_LIMIT);
        let mut rows = select.query((self.plane, oldest, before, size))?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let text: String = row.get(5)?;
            entries.push(AuditEntry {
                sequence: row.get(0)?,
                at: row.get(1)?,
                control_plane: self.plane,
                version: row.get(2)?,
                actor_kind: row.get(3)?,
                actor_id: row.get(4)?,
                summary: serde_json::from_str(&text).map_err(|_| StoreError::Storage {
                    action: "read the audit trail".to_owned(),
                    detail: "a summary is not JSON".to_owned(),
                })?,
            });
        }
        Ok(Revisions {
            current,
            oldest,
            entries,
        })
    }

    pub(super) fn export_at(&self, version: u64) -> Outcome<Option<Export>> {
        let (oldest, current) = self.reach()?;
        if version < oldest || version > current {
            return Ok(None);
        }
        let mut export = self.export()?;
        export.version = version;
        let earlier = self.replaced_after(version, u64::MAX)?;
        put_back(&mut export, self.codec.kinds(), earlier);
        Ok(Some(export))
    }

    pub(super) fn changes_between(&self, from: u64, to: u64) -> Outcome<Option<Vec<RowChange>>> {
        let (oldest, current) = self.reach()?;
        let (low, high) = (from.min(to), from.max(to));
        if low < oldest || high > current {
            return Ok(None);
        }
        let mut changes = Vec::new();
        let mut later = self.replaced_after(high, u64::MAX)?;
        for (key, earlier) in self.replaced_after(low, high)? {
            let (kind, id) = (&self.codec.kinds()[key.0], key.1);
            let newer = match later.remove(&key) {
                Some(body) => body,
                None => self.row(kind.name, id)?,
            };
            let pair = if from <= to {
                (earlier, newer)
            } else {
                (newer, earlier)
            };
            changes.extend(RowChange::of(kind, id, pair));
        }
        Ok(Some(changes))
    }

    /// What the versions after one (up to another) replaced first: the state at the former.
    fn replaced_after(&self, version: u64, upto: u64) -> Outcome<EarlierRows> {
        let upto = upto.min(i64::MAX.unsigned_abs());
        let mut select = self.connection.prepare_cached(
            "SELECT id, body, sealed, expires_at, kind FROM history
             WHERE control_plane = ?1 AND version > ?2 AND version <= ?3 ORDER BY version",
        )?;
        let kinds = self.codec.kinds();
        let mut found = EarlierRows::new();
        let mut rows = select.query((self.plane, version, upto))?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(4)?;
            // A kind that this release no longer knows has no rows that could be read.
            let Some(position) = kinds.iter().position(|kind| kind.name == name) else {
                continue;
            };
            let key = (position, row.get(0)?);
            if !kinds[position].is_exported || found.contains_key(&key) {
                continue;
            }
            let ends: Option<u64> = row.get(3)?;
            let is_there = row.get_ref(1)? != ValueRef::Null;
            let body = if is_there && ends.is_none_or(|end| end > self.now) {
                Some(self.body(&kinds[position], row)?)
            } else {
                None
            };
            found.insert(key, body);
        }
        Ok(found)
    }

    /// A row as exports show it.
    fn row(&self, kind: &str, id: Uuid) -> Outcome<Option<Packed>> {
        let kind = self.codec.kind(kind)?;
        let mut find = self.connection.prepare_cached(
            "SELECT id, body, sealed, expires_at FROM entity
             WHERE control_plane = ?1 AND kind = ?2 AND id = ?3
             AND (expires_at IS NULL OR expires_at > ?4)",
        )?;
        let mut rows = find.query((self.plane, kind.name, id, self.now))?;
        match rows.next()? {
            Some(row) => Ok(Some(self.body(kind, row)?)),
            None => Ok(None),
        }
    }

    /// The body in a row of columns `id, body, sealed, expires_at`.
    fn body(&self, kind: &KindFacts, row: &Row<'_>) -> Outcome<Packed> {
        packed(self.codec, self.plane, kind, row)
    }
}
