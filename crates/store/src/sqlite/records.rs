//! Records: writing inside the writer's transaction, reading on a reader.

use rusqlite::{Connection, OptionalExtension as _, Row};
use serde_json::Value;
use uuid::Uuid;

use super::fault::Outcome;
use crate::limits::LIST_LIMIT;
use crate::{Body, Expect, Record, RecordOperation, RecordQuery, StoreError};

const COLUMNS: &str = "r.id, r.owner, r.created_at, r.updated_at, r.body";

/// Applies one operation; `now` is in Unix milliseconds.
pub(super) fn run(connection: &Connection, operation: &RecordOperation, now: u64) -> Outcome<()> {
    match operation {
        RecordOperation::Put {
            space,
            id,
            owner,
            body,
            unique,
            expect,
        } => {
            meets(connection, space, *id, expect)?;
            connection
                .prepare_cached(
                    "INSERT INTO record (space, id, owner, created_at, updated_at, body)
                     VALUES (?1, ?2, ?3, ?4, ?4, ?5)
                     ON CONFLICT DO UPDATE SET owner = ?3, updated_at = ?4, body = ?5",
                )?
                .execute((space, id, owner, now, body.to_string()))?;
            put_keys(connection, space, *id, unique)
        }
        RecordOperation::Delete { space, id } => {
            drop_keys(connection, space, *id)?;
            let removed = connection
                .prepare_cached("DELETE FROM record WHERE space = ?1 AND id = ?2")?
                .execute((space, id))?;
            if removed == 0 {
                return Err(StoreError::NotFound {
                    kind: (*space).to_owned(),
                    id: *id,
                }
                .into());
            }
            Ok(())
        }
        RecordOperation::DeleteOwned { space, owner } => {
            connection
                .prepare_cached(
                    "DELETE FROM record_key WHERE space = ?1 AND id IN
                     (SELECT id FROM record WHERE space = ?1 AND owner = ?2)",
                )?
                .execute((space, owner))?;
            connection
                .prepare_cached("DELETE FROM record WHERE space = ?1 AND owner = ?2")?
                .execute((space, owner))?;
            Ok(())
        }
    }
}

fn meets(connection: &Connection, space: &str, id: Uuid, expect: &Expect) -> Outcome<()> {
    if *expect == Expect::Anything {
        return Ok(());
    }
    let kind = space.to_owned();
    let refusal = match (expect, get(connection, space, id)?) {
        (Expect::Absent, Some(_)) => StoreError::PrimaryKey { kind, id },
        (Expect::Present | Expect::Body(_), None) => StoreError::NotFound { kind, id },
        (Expect::Body(wanted), Some(found)) if *wanted != found.body => {
            StoreError::Stale { kind, id }
        }
        _ => return Ok(()),
    };
    Err(refusal.into())
}

fn put_keys(
    connection: &Connection,
    space: &str,
    id: Uuid,
    unique: &[(&'static str, String)],
) -> Outcome<()> {
    drop_keys(connection, space, id)?;
    for (field, value) in unique {
        let holder = connection
            .prepare_cached(
                "SELECT id FROM record_key WHERE space = ?1 AND field = ?2 AND value = ?3",
            )?
            .query_row((space, field, value), |row| row.get(0))
            .optional()?;
        match holder {
            Some(holder) if holder == id => {}
            Some(holder) => {
                let mut fields = Body::new();
                fields.insert((*field).to_owned(), Value::String(value.clone()));
                return Err(StoreError::Unique {
                    kind: space.to_owned(),
                    fields,
                    holder,
                }
                .into());
            }
            None => {
                connection
                    .prepare_cached(
                        "INSERT INTO record_key (space, field, value, id) VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute((space, field, value, id))?;
            }
        }
    }
    Ok(())
}

fn drop_keys(connection: &Connection, space: &str, id: Uuid) -> Outcome<()> {
    connection
        .prepare_cached("DELETE FROM record_key WHERE space = ?1 AND id = ?2")?
        .execute((space, id))?;
    Ok(())
}

pub(super) fn get(connection: &Connection, space: &str, id: Uuid) -> Outcome<Option<Record>> {
    let sql = format!("SELECT {COLUMNS} FROM record r WHERE r.space = ?1 AND r.id = ?2");
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query((space, id))?;
    rows.next()?.map(read).transpose()
}

pub(super) fn find(
    connection: &Connection,
    space: &str,
    field: &str,
    value: &str,
) -> Outcome<Option<Record>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM record_key k JOIN record r ON r.space = k.space AND r.id = k.id
         WHERE k.space = ?1 AND k.field = ?2 AND k.value = ?3"
    );
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query((space, field, value))?;
    rows.next()?.map(read).transpose()
}

pub(super) fn list(
    connection: &Connection,
    space: &str,
    query: RecordQuery,
) -> Outcome<Vec<Record>> {
    let owner = if query.owner.is_some() {
        "r.owner = ?4"
    } else {
        "?4 IS NULL"
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM record r WHERE r.space = ?1 AND r.id > ?2 AND {owner}
         ORDER BY r.id LIMIT ?3"
    );
    // No version of a UUID is all zeros, so that id lies before every row.
    let after = query.after.unwrap_or(Uuid::nil());
    let size = if query.size == 0 {
        LIST_LIMIT
    } else {
        query.size.min(LIST_LIMIT)
    };
    let mut all = connection.prepare_cached(&sql)?;
    let mut rows = all.query((space, after, size, query.owner))?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(read(row)?);
    }
    Ok(records)
}

pub(super) fn count(connection: &Connection, space: &str, owner: Option<Uuid>) -> Outcome<u64> {
    let sql = match owner {
        Some(_) => "SELECT count(*) FROM record WHERE space = ?1 AND owner = ?2",
        None => "SELECT count(*) FROM record WHERE space = ?1 AND ?2 IS NULL",
    };
    let mut count = connection.prepare_cached(sql)?;
    Ok(count.query_row((space, owner), |row| row.get(0))?)
}

fn read(row: &Row<'_>) -> Outcome<Record> {
    let id: Uuid = row.get(0)?;
    let text = row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?;
    let body = serde_json::from_str(text).map_err(|_| StoreError::Storage {
        action: format!("read the record `{id}`"),
        detail: "the stored document is not JSON".to_owned(),
    })?;
    let (owner, created_at, updated_at) = (row.get(1)?, row.get(2)?, row.get(3)?);
    Ok(Record {
        id,
        owner,
        created_at,
        updated_at,
        body,
    })
}
