//! The version, the change log and the audit row of a batch.

use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value;
use uuid::Uuid;

use super::apply::Work;
use super::fault::Outcome;
use crate::export::summary;
use crate::limits::{AUDIT_KEPT, CHANGES_LOGGED, VERSIONS_LOGGED};
use crate::{Actor, Applied, ChangeKind, StoreError};

impl Work<'_> {
    /// Gives what was changed a version, a place in the log and an audit row.
    pub(super) fn finish(self, actor: &Actor) -> Outcome<Applied> {
        let (before, logged_after) = self.plane_row()?;
        let changed = self.changes.len();
        if changed == 0 {
            return Ok(Applied {
                version: before,
                changed,
            });
        }
        let version = before + 1;
        let reach = if changed > CHANGES_LOGGED {
            version
        } else {
            self.log(version)?;
            logged_after.max(version.saturating_sub(VERSIONS_LOGGED))
        };
        if reach > logged_after {
            self.connection
                .prepare_cached(
                    "DELETE FROM change_log WHERE control_plane = ?1 AND version <= ?2",
                )?
                .execute((self.plane, reach))?;
        }
        self.connection
            .prepare_cached(
                "INSERT INTO plane (control_plane, version, logged_after) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET version = ?2, logged_after = ?3",
            )?
            .execute((self.plane, version, reach))?;
        audit(
            self.connection,
            self.plane,
            (self.now, version),
            actor,
            &summary(&self.changes, self.note.as_deref()),
        )?;
        Ok(Applied { version, changed })
    }

    /// Refuses to go on when the control plane is at another version.
    pub(super) fn at_version(&self, expected: u64) -> Outcome<()> {
        let current = self.plane_row()?.0;
        if current == expected {
            return Ok(());
        }
        Err(StoreError::Moved { expected, current }.into())
    }

    fn plane_row(&self) -> Outcome<(u64, u64)> {
        let mut find = self
            .connection
            .prepare_cached("SELECT version, logged_after FROM plane WHERE control_plane = ?1")?;
        let row = find.query_row([self.plane], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(row.optional()?.unwrap_or((0, 0)))
    }

    fn log(&self, version: u64) -> Outcome<()> {
        let mut add = self.connection.prepare_cached(
            "INSERT INTO change_log (control_plane, version, ordinal, kind, id, is_removal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for (ordinal, (kind, id, change)) in self.changes.iter().enumerate() {
            let is_removal = *change == ChangeKind::Removed;
            add.execute((self.plane, version, ordinal, kind, id, is_removal))?;
        }
        Ok(())
    }
}

/// Adds an audit row; `at` is the moment and the version.
pub(super) fn audit(
    connection: &Connection,
    plane: Uuid,
    at: (u64, u64),
    actor: &Actor,
    summary: &Value,
) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO audit (at, control_plane, version, actor_kind, actor_id, summary)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            at.0,
            plane,
            at.1,
            &actor.kind,
            actor.id,
            summary.to_string(),
        ))?;
    connection
        .prepare_cached("DELETE FROM audit WHERE seq <= ?1")?
        .execute([connection.last_insert_rowid() - AUDIT_KEPT])?;
    Ok(())
}
