//! Reading entities: one row, lists by keyset, whole snapshots, the logs.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::fault::Outcome;
use super::link::Link;
use super::list;
use super::numbers::{signed, unsigned};
use crate::codec::{Codec, Stored, Ttl};
use crate::limits::{CHANGES_TOLD, LIST_DEFAULT, LIST_LIMIT};
use crate::model::KindFacts;
use crate::{
    AuditEntry, Body, Change, ChangeKind, Changes, Export, ListQuery, Packed, Page, StoreError,
    TagRow,
};

/// Begins a transaction that sees one state of the database and may take its time.
pub(crate) const BEGIN_SNAPSHOT: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = 0";

/// Reading within one control plane.
pub(super) struct Reading<'a> {
    pub(super) link: &'a Link,
    pub(super) codec: &'a Codec,
    pub(super) plane: Uuid,
    /// Unix seconds; rows that ended before are not there.
    pub(super) now: u64,
}

impl Reading<'_> {
    pub(super) async fn get(&self, kind: &str, id: Uuid) -> Outcome<Option<Body>> {
        let kind = self.codec.kind(kind)?;
        let sql = "SELECT id, body, sealed, expires_at FROM entity
             WHERE control_plane = $1 AND kind = $2 AND id = $3
             AND (expires_at IS NULL OR expires_at > $4)";
        let row = self
            .link
            .one(sql, &[&self.plane, &kind.name, &id, &signed(self.now)])
            .await?;
        self.shown(kind, row.as_ref())
    }

    pub(super) async fn find(
        &self,
        kind: &str,
        fields: &[String],
        value: &str,
    ) -> Outcome<Option<Body>> {
        let kind = self.codec.kind(kind)?;
        let digest = self.codec.key_digest(self.plane, kind.name, fields, value);
        let sql = "SELECT e.id, e.body, e.sealed, e.expires_at FROM unique_key k
             JOIN entity e ON e.control_plane = k.control_plane AND e.kind = k.kind AND e.id = k.id
             WHERE k.control_plane = $1 AND k.kind = $2 AND k.digest = $3
             AND (e.expires_at IS NULL OR e.expires_at > $4)";
        let digest = digest.as_slice();
        let row = self
            .link
            .one(sql, &[&self.plane, &kind.name, &digest, &signed(self.now)])
            .await?;
        self.shown(kind, row.as_ref())
    }

    fn shown(&self, kind: &KindFacts, row: Option<&Row>) -> Outcome<Option<Body>> {
        let ttl = Ttl::Remaining(self.now);
        let body = row.map(|row| decode(self.codec, self.plane, kind, row, ttl));
        Ok(body.transpose()?.map(|(_, body)| body))
    }

    pub(super) async fn list(&self, kind: &str, query: &ListQuery) -> Outcome<Page> {
        let kind = self.codec.kind(kind)?;
        let size = if query.size == 0 {
            LIST_DEFAULT
        } else {
            query.size.min(LIST_LIMIT)
        };
        let (sql, values) = list::statement(self.plane, kind, query, self.now, size + 1);
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as _).collect();
        let rows = self.link.query(&sql, &values).await?;
        let mut page = Page::default();
        let mut last = None;
        for row in &rows {
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

    pub(super) async fn count(&self, kind: &str) -> Outcome<u64> {
        let kind = self.codec.kind(kind)?;
        let sql = "SELECT count(*) FROM entity WHERE control_plane = $1 AND kind = $2
             AND (expires_at IS NULL OR expires_at > $3)";
        let row = self
            .link
            .one(sql, &[&self.plane, &kind.name, &signed(self.now)])
            .await?;
        Ok(unsigned(row.map_or(Ok(0), |row| row.try_get(0))?))
    }

    pub(super) async fn tags(
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
            "tag = $2"
        } else {
            "$2::bytea IS NULL"
        };
        let sql = format!(
            "SELECT tag, kind, id FROM tag WHERE control_plane = $1 AND {only}
             AND (tag, kind, id) > ($3, $4, $5) ORDER BY tag, kind, id LIMIT $6"
        );
        let size = i64::try_from(size.clamp(1, LIST_LIMIT)).unwrap_or(1);
        let (tag, from) = (tag.map(str::as_bytes), after.tag.as_bytes());
        let rows = self
            .link
            .query(
                &sql,
                &[&self.plane, &tag, &from, &after.kind, &after.id, &size],
            )
            .await?;
        let told = |row: &Row| -> Outcome<TagRow> {
            Ok(TagRow {
                tag: String::from_utf8_lossy(row.try_get(0)?).into_owned(),
                kind: row.try_get(1)?,
                id: row.try_get(2)?,
            })
        };
        rows.iter().map(told).collect()
    }

    /// Everything at one version; the caller gives a link inside a snapshot.
    pub(super) async fn export(&self) -> Outcome<Export> {
        let mut export = Export {
            version: self.version().await?.0,
            ..Export::default()
        };
        let sql = "SELECT id, body, sealed, expires_at FROM entity
             WHERE control_plane = $1 AND kind = $2
             AND (expires_at IS NULL OR expires_at > $3) ORDER BY id";
        for kind in self.codec.kinds().iter().filter(|kind| kind.is_exported) {
            let mut rows = self
                .link
                .stream(sql, &[&self.plane, &kind.name, &signed(self.now)])
                .await?;
            let mut table = Vec::new();
            while let Some(row) = rows.next().await? {
                table.push(packed(self.codec, self.plane, kind, &row)?);
            }
            if !table.is_empty() {
                export.tables.insert(kind.name.to_owned(), table);
            }
        }
        Ok(export)
    }

    /// The version, and the one after which the change log is complete.
    pub(super) async fn version(&self) -> Outcome<(u64, u64)> {
        let sql = "SELECT version, logged_after FROM plane WHERE control_plane = $1";
        let Some(row) = self.link.one(sql, &[&self.plane]).await? else {
            return Ok((0, 0));
        };
        Ok((unsigned(row.try_get(0)?), unsigned(row.try_get(1)?)))
    }

    /// The caller gives a link inside a snapshot.
    pub(super) async fn changes(&self, after: u64) -> Outcome<Changes> {
        let (version, logged_after) = self.version().await?;
        if after < logged_after || after > version {
            return Ok(Changes::TooOld);
        }
        let sql = "SELECT version, kind, id, is_removal FROM change_log
             WHERE control_plane = $1 AND version > $2 ORDER BY version, ordinal LIMIT $3";
        let most = i64::try_from(CHANGES_TOLD + 1).unwrap_or(i64::MAX);
        let rows = self
            .link
            .query(sql, &[&self.plane, &signed(after), &most])
            .await?;
        if rows.len() > CHANGES_TOLD {
            return Ok(Changes::TooOld);
        }
        let told = |row: &Row| -> Outcome<Change> {
            let change = if row.try_get(3)? {
                ChangeKind::Removed
            } else {
                ChangeKind::Written
            };
            Ok(Change {
                version: unsigned(row.try_get(0)?),
                kind: row.try_get(1)?,
                id: row.try_get(2)?,
                change,
            })
        };
        Ok(Changes::Since(
            rows.iter().map(told).collect::<Outcome<_>>()?,
        ))
    }

    pub(super) async fn audit(&self, after: u64, size: usize) -> Outcome<Vec<AuditEntry>> {
        let sql = "SELECT seq, at, control_plane, version, actor_kind, actor_id, summary
             FROM audit WHERE control_plane = $1 AND seq > $2 ORDER BY seq LIMIT $3";
        let size = i64::try_from(size.clamp(1, LIST_LIMIT)).unwrap_or(1);
        let rows = self
            .link
            .query(sql, &[&self.plane, &signed(after), &size])
            .await?;
        rows.iter().map(audit_entry).collect()
    }
}

/// Reads a row of the audit trail.
pub(super) fn audit_entry(row: &Row) -> Outcome<AuditEntry> {
    let sequence = unsigned(row.try_get(0)?);
    let summary = serde_json::from_str(row.try_get(6)?);
    Ok(AuditEntry {
        sequence,
        at: unsigned(row.try_get(1)?),
        control_plane: row.try_get(2)?,
        version: unsigned(row.try_get(3)?),
        actor_kind: row.try_get(4)?,
        actor_id: row.try_get(5)?,
        summary: summary.map_err(|_| StoreError::Storage {
            action: format!("read the audit entry {sequence}"),
            detail: "its summary is not JSON".to_owned(),
        })?,
    })
}

/// Reads the columns `id, body, sealed, expires_at` of `kind`.
pub(super) fn decode(
    codec: &Codec,
    plane: Uuid,
    kind: &KindFacts,
    row: &Row,
    ttl: Ttl,
) -> Outcome<(Uuid, Body)> {
    let stored = stored(row)?;
    Ok((stored.id, codec.decode(plane, kind, &stored, ttl)?))
}

/// The same as exports show it.
pub(super) fn packed(codec: &Codec, plane: Uuid, kind: &KindFacts, row: &Row) -> Outcome<Packed> {
    Ok(codec.decode_packed(plane, kind, &stored(row)?)?)
}

fn stored(row: &Row) -> Outcome<Stored<'_>> {
    Ok(Stored {
        id: row.try_get(0)?,
        body: row.try_get(1)?,
        sealed: row.try_get(2)?,
        expires_at: row.try_get::<_, Option<i64>>(3)?.map(unsigned),
    })
}
