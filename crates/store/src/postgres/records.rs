//! Records: reading, and writing inside a transaction that other processes run beside.

use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use super::fault::Outcome;
use super::link::Link;
use super::numbers::{signed, unsigned};
use crate::limits::LIST_LIMIT;
use crate::{Body, Expect, Record, RecordOperation, RecordQuery, StoreError};

const COLUMNS: &str = "r.id, r.owner, r.created_at, r.updated_at, r.body";

/// How often a unique value that is given up while it is asked for is asked for again.
const ATTEMPTS: usize = 3;

/// Applies one operation; `now` is in Unix milliseconds.
pub(super) async fn run(link: &Link, operation: &RecordOperation, now: u64) -> Outcome<()> {
    match operation {
        RecordOperation::Put {
            space,
            id,
            owner,
            body,
            unique,
            expect,
        } => {
            meets(link, space, *id, expect).await?;
            let conflict = if *expect == Expect::Absent {
                "DO NOTHING"
            } else {
                "(space, id) DO UPDATE SET owner = $3, updated_at = $4, body = $5"
            };
            let sql = format!(
                "INSERT INTO record (space, id, owner, created_at, updated_at, body)
                 VALUES ($1, $2, $3, $4, $4, $5) ON CONFLICT {conflict}"
            );
            let now = signed(now);
            let written = link
                .execute(&sql, &[space, id, owner, &now, &body.to_string()])
                .await?;
            if written == 0 {
                // Another process was faster.
                let (kind, id) = ((*space).to_owned(), *id);
                return Err(StoreError::PrimaryKey { kind, id }.into());
            }
            put_keys(link, space, *id, unique).await
        }
        RecordOperation::Delete { space, id } => {
            drop_keys(link, space, *id).await?;
            let sql = "DELETE FROM record WHERE space = $1 AND id = $2";
            if link.execute(sql, &[space, id]).await? == 0 {
                let (kind, id) = ((*space).to_owned(), *id);
                return Err(StoreError::NotFound { kind, id }.into());
            }
            Ok(())
        }
        RecordOperation::DeleteOwned { space, owner } => {
            let sql = "DELETE FROM record_key WHERE space = $1 AND id IN
                 (SELECT id FROM record WHERE space = $1 AND owner = $2)";
            link.execute(sql, &[space, owner]).await?;
            let sql = "DELETE FROM record WHERE space = $1 AND owner = $2";
            link.execute(sql, &[space, owner]).await?;
            Ok(())
        }
    }
}

async fn meets(link: &Link, space: &str, id: Uuid, expect: &Expect) -> Outcome<()> {
    if *expect == Expect::Anything {
        return Ok(());
    }
    let kind = space.to_owned();
    // Locked, so that what was compared is still there when it is replaced.
    let sql = format!("SELECT {COLUMNS} FROM record r WHERE r.space = $1 AND r.id = $2 FOR UPDATE");
    let found = link.one(&sql, &[&space, &id]).await?;
    let refusal = match (expect, found.as_ref().map(read).transpose()?) {
        (Expect::Absent, Some(_)) => StoreError::PrimaryKey { kind, id },
        (Expect::Present | Expect::Body(_), None) => StoreError::NotFound { kind, id },
        (Expect::Body(wanted), Some(found)) if *wanted != found.body => {
            StoreError::Stale { kind, id }
        }
        _ => return Ok(()),
    };
    Err(refusal.into())
}

async fn put_keys(
    link: &Link,
    space: &str,
    id: Uuid,
    unique: &[(&'static str, String)],
) -> Outcome<()> {
    drop_keys(link, space, id).await?;
    for (field, value) in unique {
        put_key(link, space, id, field, value).await?;
    }
    Ok(())
}

async fn put_key(link: &Link, space: &str, id: Uuid, field: &str, value: &str) -> Outcome<()> {
    let bytes = value.as_bytes();
    for _ in 0..ATTEMPTS {
        // Waits for whoever else is about to take the value.
        let add = "INSERT INTO record_key (space, field, value, id) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING";
        if link.execute(add, &[&space, &field, &bytes, &id]).await? > 0 {
            return Ok(());
        }
        let find = "SELECT id FROM record_key WHERE space = $1 AND field = $2 AND value = $3";
        let Some(row) = link.one(find, &[&space, &field, &bytes]).await? else {
            continue;
        };
        let holder: Uuid = row.try_get(0)?;
        if holder == id {
            return Ok(());
        }
        let mut fields = Body::new();
        fields.insert(field.to_owned(), Value::String(value.to_owned()));
        let kind = space.to_owned();
        return Err(StoreError::Unique {
            kind,
            fields,
            holder,
        }
        .into());
    }
    let reason = format!("`{field}` is changing hands right now");
    Err(StoreError::Unavailable { reason }.into())
}

async fn drop_keys(link: &Link, space: &str, id: Uuid) -> Outcome<()> {
    let sql = "DELETE FROM record_key WHERE space = $1 AND id = $2";
    link.execute(sql, &[&space, &id]).await?;
    Ok(())
}

pub(super) async fn get(link: &Link, space: &str, id: Uuid) -> Outcome<Option<Record>> {
    let sql = format!("SELECT {COLUMNS} FROM record r WHERE r.space = $1 AND r.id = $2");
    let row = link.one(&sql, &[&space, &id]).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn find(
    link: &Link,
    space: &str,
    field: &str,
    value: &str,
) -> Outcome<Option<Record>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM record_key k JOIN record r ON r.space = k.space AND r.id = k.id
         WHERE k.space = $1 AND k.field = $2 AND k.value = $3"
    );
    let row = link.one(&sql, &[&space, &field, &value.as_bytes()]).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(link: &Link, space: &str, query: RecordQuery) -> Outcome<Vec<Record>> {
    let owner = if query.owner.is_some() {
        "r.owner = $4"
    } else {
        "$4::uuid IS NULL"
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM record r WHERE r.space = $1 AND r.id > $2 AND {owner}
         ORDER BY r.id LIMIT $3"
    );
    // No version of a UUID is all zeros, so that id lies before every row.
    let after = query.after.unwrap_or(Uuid::nil());
    let size = if query.size == 0 {
        LIST_LIMIT
    } else {
        query.size.min(LIST_LIMIT)
    };
    let size = i64::try_from(size).unwrap_or(1);
    let rows = link
        .query(&sql, &[&space, &after, &size, &query.owner])
        .await?;
    rows.iter().map(read).collect()
}

pub(super) async fn count(link: &Link, space: &str, owner: Option<Uuid>) -> Outcome<u64> {
    let sql = match owner {
        Some(_) => "SELECT count(*) FROM record WHERE space = $1 AND owner = $2",
        None => "SELECT count(*) FROM record WHERE space = $1 AND $2::uuid IS NULL",
    };
    let row = link.one(sql, &[&space, &owner]).await?;
    Ok(unsigned(row.map_or(Ok(0), |row| row.try_get(0))?))
}

fn read(row: &Row) -> Outcome<Record> {
    let id: Uuid = row.try_get(0)?;
    let body = serde_json::from_str(row.try_get(4)?).map_err(|_| StoreError::Storage {
        action: format!("read the record `{id}`"),
        detail: "the stored document is not JSON".to_owned(),
    })?;
    Ok(Record {
        id,
        owner: row.try_get(1)?,
        created_at: unsigned(row.try_get(2)?),
        updated_at: unsigned(row.try_get(3)?),
        body,
    })
}
