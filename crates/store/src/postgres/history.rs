//! Earlier states: what each version replaced is kept beside it, and read back.

use uuid::Uuid;

use super::draft::Address;
use super::fault::Outcome;
use super::link::Link;
use super::numbers::{signed, unsigned};
use super::read::{Reading, audit_entry, packed};
use super::script::{Script, values};
use crate::codec::Encoded;
use crate::history::{EarlierRows, PAGE_LIMIT, REVISIONS_KEPT, ROWS_KEPT, cutoff, put_back};
use crate::{Export, Packed, Revisions, RowChange};

/// What there was before a row was changed.
pub(super) enum Before {
    /// What the database has at this moment, if anything.
    Stored,
    /// Nothing.
    Absent,
    /// A content that an earlier request of the same transaction gave it.
    Given {
        body: String,
        sealed: Option<Vec<u8>>,
        expires_at: Option<u64>,
    },
}

impl Before {
    pub(super) fn given(encoded: &Encoded) -> Self {
        Self::Given {
            body: encoded.body.clone(),
            sealed: encoded.sealed.clone(),
            expires_at: encoded.expiry.moment(),
        }
    }
}

/// What one version replaced.
pub(super) struct Replaced {
    pub(super) version: u64,
    /// Unix milliseconds.
    pub(super) at: u64,
    pub(super) address: Address,
    pub(super) before: Before,
}

const KEEP_STORED: &str = "INSERT INTO history (control_plane, version, kind, id, at, expires_at,
    body, sealed)
    SELECT $1, n.version, n.kind, n.id, n.at, e.expires_at, e.body, e.sealed
    FROM UNNEST($2::bigint[], $3::text[], $4::uuid[], $5::bigint[]) AS n(version, kind, id, at)
    LEFT JOIN entity e ON e.control_plane = $1 AND e.kind = n.kind AND e.id = n.id
    ON CONFLICT DO NOTHING";
const KEEP_GIVEN: &str = "INSERT INTO history (control_plane, version, kind, id, at, expires_at,
    body, sealed)
    SELECT $1, n.version, n.kind, n.id, n.at, n.expires_at, n.body, n.sealed
    FROM UNNEST($2::bigint[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::text[],
    $8::bytea[]) AS n(version, kind, id, at, expires_at, body, sealed)
    ON CONFLICT DO NOTHING";

/// Adds what keeps the content that is about to be replaced. The first one of a version counts.
pub(super) fn keep(script: &mut Script, plane: Uuid, replaced: Vec<Replaced>) {
    let is_stored = |row: &Replaced| matches!(row.before, Before::Stored);
    let (stored, given): (Vec<_>, Vec<_>) = replaced.into_iter().partition(is_stored);
    if !stored.is_empty() {
        let (versions, kinds, ids, moments) = columns(&stored);
        script.push(KEEP_STORED, values![plane, versions, kinds, ids, moments]);
    }
    if given.is_empty() {
        return;
    }
    let (versions, kinds, ids, moments) = columns(&given);
    let (mut ends, mut bodies, mut secrets) = (Vec::new(), Vec::new(), Vec::new());
    for row in given {
        let (end, body, secret) = match row.before {
            Before::Given {
                body,
                sealed,
                expires_at,
            } => (expires_at.map(signed), Some(body), sealed),
            Before::Stored | Before::Absent => (None, None, None),
        };
        ends.push(end);
        bodies.push(body);
        secrets.push(secret);
    }
    script.push(
        KEEP_GIVEN,
        values![plane, versions, kinds, ids, moments, ends, bodies, secrets],
    );
}

type Columns = (Vec<i64>, Vec<&'static str>, Vec<Uuid>, Vec<i64>);

fn columns(rows: &[Replaced]) -> Columns {
    (
        rows.iter().map(|row| signed(row.version)).collect(),
        rows.iter().map(|row| row.address.0).collect(),
        rows.iter().map(|row| row.address.1).collect(),
        rows.iter().map(|row| signed(row.at)).collect(),
    )
}

/// Adds what forgets the versions that a new version pushes out.
pub(super) fn shorten(script: &mut Script, plane: Uuid, before: u64, now: u64) {
    let (from, to) = (
        before.saturating_sub(REVISIONS_KEPT),
        now.saturating_sub(REVISIONS_KEPT),
    );
    if to > 0 {
        let sql = "DELETE FROM history
             WHERE control_plane = $1 AND version > $2 AND version <= $3";
        script.push(sql, values![plane, signed(from), signed(to)]);
    }
}

/// Forgets what is too old or too much; `now` is in Unix milliseconds.
pub(super) async fn clear(link: &Link, now: u64) -> Outcome<()> {
    let before = signed(cutoff(now));
    let sql = "INSERT INTO history_floor (control_plane, kept_after)
         SELECT control_plane, max(version) FROM history
         WHERE at < $1 OR seq <= (SELECT last_value FROM history_seq_seq) - $2
         GROUP BY control_plane
         ON CONFLICT (control_plane) DO UPDATE
         SET kept_after = greatest(history_floor.kept_after, excluded.kept_after)";
    if link.execute(sql, &[&before, &signed(ROWS_KEPT)]).await? > 0 {
        let sql = "DELETE FROM history h USING history_floor f
             WHERE f.control_plane = h.control_plane AND h.version <= f.kept_after";
        link.execute(sql, &[]).await?;
    }
    Ok(())
}

/// These need a link inside a snapshot.
impl Reading<'_> {
    /// The oldest version that can be read, and the version now.
    async fn reach(&self) -> Outcome<(u64, u64)> {
        let sql = "SELECT kept_after FROM history_floor WHERE control_plane = $1";
        let row = self.link.one(sql, &[&self.plane]).await?;
        let floor: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
        let current = self.version().await?.0;
        let oldest = unsigned(floor).max(current.saturating_sub(REVISIONS_KEPT));
        Ok((oldest, current))
    }

    pub(super) async fn revisions(&self, before: Option<u64>, size: usize) -> Outcome<Revisions> {
        let (oldest, current) = self.reach().await?;
        let before = before.unwrap_or_else(|| current.saturating_add(1));
        let sql = "SELECT seq, at, control_plane, version, actor_kind, actor_id, summary
             FROM audit WHERE control_plane = $1 AND version >= $2 AND version < $3
             AND version > 0 ORDER BY seq DESC LIMIT $4";
        let size = i64::try_from(size.clamp(1, PAGE_LIMIT)).unwrap_or(1);
        let rows = self
            .link
            .query(sql, &[&self.plane, &signed(oldest), &signed(before), &size])
            .await?;
        Ok(Revisions {
            current,
            oldest,
            entries: rows.iter().map(audit_entry).collect::<Outcome<_>>()?,
        })
    }

    pub(super) async fn export_at(&self, version: u64) -> Outcome<Option<Export>> {
        let (oldest, current) = self.reach().await?;
        if version < oldest || version > current {
            return Ok(None);
        }
        let mut export = self.export().await?;
        export.version = version;
        let earlier = self.replaced_after(version, u64::MAX).await?;
        put_back(&mut export, self.codec.kinds(), earlier);
        Ok(Some(export))
    }

    pub(super) async fn changes_between(
        &self,
        from: u64,
        to: u64,
    ) -> Outcome<Option<Vec<RowChange>>> {
        let (oldest, current) = self.reach().await?;
        let (low, high) = (from.min(to), from.max(to));
        if low < oldest || high > current {
            return Ok(None);
        }
        let mut changes = Vec::new();
        let mut later = self.replaced_after(high, u64::MAX).await?;
        for (key, earlier) in self.replaced_after(low, high).await? {
            let (kind, id) = (&self.codec.kinds()[key.0], key.1);
            let newer = match later.remove(&key) {
                Some(body) => body,
                None => self.exported(kind.name, id).await?,
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
    async fn replaced_after(&self, version: u64, upto: u64) -> Outcome<EarlierRows> {
        let sql = "SELECT id, body, sealed, expires_at, kind FROM history
             WHERE control_plane = $1 AND version > $2 AND version <= $3 ORDER BY version";
        let mut rows = self
            .link
            .stream(sql, &[&self.plane, &signed(version), &signed(upto)])
            .await?;
        let kinds = self.codec.kinds();
        let mut found = EarlierRows::new();
        while let Some(row) = rows.next().await? {
            let name: &str = row.try_get(4)?;
            // A kind that this release no longer knows has no rows that could be read.
            let Some(position) = kinds.iter().position(|kind| kind.name == name) else {
                continue;
            };
            let key = (position, row.try_get(0)?);
            if !kinds[position].is_exported || found.contains_key(&key) {
                continue;
            }
            let ends: Option<i64> = row.try_get(3)?;
            let is_there = row.try_get::<_, Option<&str>>(1)?.is_some();
            let body = if is_there && ends.is_none_or(|end| unsigned(end) > self.now) {
                let kind = &kinds[position];
                Some(packed(self.codec, self.plane, kind, &row)?)
            } else {
                None
            };
            found.insert(key, body);
        }
        Ok(found)
    }

    /// A row as exports show it.
    async fn exported(&self, kind: &str, id: Uuid) -> Outcome<Option<Packed>> {
        let kind = self.codec.kind(kind)?;
        let sql = "SELECT id, body, sealed, expires_at FROM entity
             WHERE control_plane = $1 AND kind = $2 AND id = $3
             AND (expires_at IS NULL OR expires_at > $4)";
        let row = self
            .link
            .one(sql, &[&self.plane, &kind.name, &id, &signed(self.now)])
            .await?;
        let body = row.map(|row| packed(self.codec, self.plane, kind, &row));
        body.transpose()
    }
}
