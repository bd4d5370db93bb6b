//! The lock on a control plane, its versions, its change log and the audit trail.

use uuid::Uuid;

use super::apply::Work;
use super::fault::Outcome;
use super::history;
use super::link::Link;
use super::numbers::{signed, unsigned};
use super::rows;
use super::script::{Script, values};
use super::state::Entry;
use crate::export::summary;
use crate::limits::{CHANGES_LOGGED, VERSIONS_LOGGED};
use crate::{Actor, Applied};

/// What holding the lock of a control plane means.
pub(super) struct Held {
    /// The version, and the one after which the change log is complete.
    pub(super) before: (u64, u64),
    /// The transaction, by which its outcome can be asked for.
    pub(super) transaction: String,
}

/// Begins a transaction that holds the lock: whoever else writes to the control plane waits.
pub(super) async fn begin(link: &Link, plane: Uuid) -> Outcome<Held> {
    let lock = "SELECT version, logged_after, pg_current_xact_id()::text FROM plane
         WHERE control_plane = $1 FOR UPDATE";
    // Prepared before, so that it travels together with the beginning.
    link.statement(lock).await?;
    let values: [_; 1] = [&plane as _];
    let ((), found) = tokio::try_join!(link.batch("BEGIN"), link.one(lock, &values))?;
    let row = match found {
        Some(row) => row,
        None => {
            // Whoever inserts first has the lock; the others wait here for its end.
            let add = "INSERT INTO plane (control_plane, version, logged_after) VALUES ($1, 0, 0)
                 ON CONFLICT (control_plane) DO UPDATE SET version = plane.version
                 RETURNING version, logged_after, pg_current_xact_id()::text";
            let row = link.one(add, &[&plane]).await?;
            row.ok_or_else(|| rows::impossible("a control plane could not be added"))?
        }
    };
    Ok(Held {
        before: (unsigned(row.try_get(0)?), unsigned(row.try_get(1)?)),
        transaction: row.try_get(2)?,
    })
}

impl Work<'_> {
    /// The version that the requests so far led to.
    pub(super) fn version(&self) -> u64 {
        let last = self.entries.last().map(|entry| entry.version);
        last.unwrap_or(self.before.0)
    }

    /// Gives what a request changed a version.
    pub(super) fn finish(&mut self, actor: &Actor) -> Applied {
        let before = self.version();
        let (changes, note) = self.state.keep(before + 1, self.now);
        let changed = changes.len();
        if changed == 0 {
            return Applied {
                version: before,
                changed,
            };
        }
        let version = before + 1;
        self.entries.push(Entry {
            version,
            at: self.now,
            actor: actor.clone(),
            changes,
            note,
        });
        Applied { version, changed }
    }

    /// Adds what writes the versions that were made, their log and their audit rows.
    pub(super) fn record(&self, script: &mut Script) {
        let Some(version) = self.entries.last().map(|entry| entry.version) else {
            return;
        };
        let large = self.entries.iter().rev().find(|entry| is_large(entry));
        let reach = self
            .before
            .1
            .max(version.saturating_sub(VERSIONS_LOGGED))
            .max(large.map_or(0, |entry| entry.version));
        let plane = self.plane;
        if reach > self.before.1 {
            let sql = "DELETE FROM change_log
                 WHERE control_plane = $1 AND version > $2 AND version <= $3";
            script.push(sql, values![plane, signed(self.before.1), signed(reach)]);
        }
        let logged = self.entries.iter().filter(|entry| entry.version > reach);
        rows::log(script, plane, logged);
        history::shorten(script, plane, self.before.0, version);
        let update = "UPDATE plane SET version = $2, logged_after = $3 WHERE control_plane = $1";
        script.push(update, values![plane, signed(version), signed(reach)]);
        let entries = self.entries.iter().map(|entry| Audit {
            at: entry.at,
            version: entry.version,
            actor: &entry.actor,
            summary: summary(&entry.changes, entry.note.as_deref()).to_string(),
        });
        audit(script, plane, entries.collect());
    }
}

fn is_large(entry: &Entry) -> bool {
    entry.changes.len() > CHANGES_LOGGED
}

/// A row of the audit trail.
pub(super) struct Audit<'a> {
    pub(super) at: u64,
    pub(super) version: u64,
    pub(super) actor: &'a Actor,
    pub(super) summary: String,
}

/// Adds what writes rows of the audit trail.
pub(super) fn audit(script: &mut Script, plane: Uuid, rows: Vec<Audit<'_>>) {
    let sql = "INSERT INTO audit (at, control_plane, version, actor_kind, actor_id, summary)
         SELECT n.at, $1, n.version, n.actor_kind, n.actor_id, n.summary
         FROM UNNEST($2::bigint[], $3::bigint[], $4::text[], $5::uuid[], $6::text[])
         WITH ORDINALITY AS n(at, version, actor_kind, actor_id, summary, place)
         ORDER BY n.place";
    let moments: Vec<i64> = rows.iter().map(|row| signed(row.at)).collect();
    let versions: Vec<i64> = rows.iter().map(|row| signed(row.version)).collect();
    let kinds: Vec<String> = rows.iter().map(|row| row.actor.kind.clone()).collect();
    let ids: Vec<Option<Uuid>> = rows.iter().map(|row| row.actor.id).collect();
    let summaries: Vec<String> = rows.into_iter().map(|row| row.summary).collect();
    script.push(
        sql,
        values![plane, moments, versions, kinds, ids, summaries],
    );
}
