//! Rows of a database file.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params_from_iter};
use uuid::Uuid;

use super::line::{Cell, parse, render};
use super::{FileKind, HISTORY, LineSink, LineSource, TABLES, Table, Type, occupied};
use crate::StoreError;
use crate::sqlite::{check_file, open_reader, open_writer, translate};

pub(super) fn dump(path: &Path, sink: LineSink<'_>) -> Result<u64, StoreError> {
    let fault = |error: &rusqlite::Error| translate(error, "read", path);
    if !path.is_file() {
        return Err(StoreError::Storage {
            action: format!("read `{}`", path.display()),
            detail: "there is no such file".to_owned(),
        });
    }
    let connection = open_reader(path).map_err(|error| fault(&error))?;
    check_file(&connection, path)?;
    // One transaction: all tables in one state.
    let snapshot = connection
        .unchecked_transaction()
        .map_err(|error| fault(&error))?;
    let mut count = 0;
    for table in TABLES {
        let sql = format!("SELECT {} FROM {}", table.names(), table.name);
        let mut select = snapshot.prepare(&sql).map_err(|error| fault(&error))?;
        let mut rows = select.query([]).map_err(|error| fault(&error))?;
        while let Some(row) = rows.next().map_err(|error| fault(&error))? {
            let cells = read(table, row).map_err(|error| fault(&error))?;
            sink(&render(table, cells))?;
            count += 1;
        }
    }
    Ok(count)
}

/// How every database file begins.
const HEADER: &[u8] = b"SQLite format 3\0";

pub(super) fn file_kind(path: &Path) -> Result<FileKind, StoreError> {
    let mut begin = Vec::new();
    let length = u64::try_from(HEADER.len()).unwrap_or(0);
    let read = File::open(path).and_then(|file| file.take(length).read_to_end(&mut begin));
    read.map_err(|error| StoreError::Storage {
        action: format!("read `{}`", path.display()),
        detail: error.to_string(),
    })?;
    if begin != HEADER {
        return Ok(FileKind::Other);
    }
    let connection = open_reader(path).map_err(|error| translate(&error, "read", path))?;
    match check_file(&connection, path) {
        Err(StoreError::NotAStore { .. }) => Ok(FileKind::Database),
        _ => Ok(FileKind::Store),
    }
}

fn read(table: &Table, row: &Row<'_>) -> rusqlite::Result<Vec<Option<Cell>>> {
    let cell = |(index, (_, kind)): (usize, &(&str, Type))| {
        if row.get_ref(index)? == ValueRef::Null {
            return Ok(None);
        }
        Ok(Some(match kind {
            Type::Uuid => Cell::Uuid(row.get(index)?),
            Type::Text | Type::TextBytes => Cell::Text(row.get(index)?),
            Type::Bytes => Cell::Bytes(row.get(index)?),
            Type::Number => Cell::Number(row.get(index)?),
            Type::Bool => Cell::Bool(row.get(index)?),
        }))
    };
    table.columns.iter().enumerate().map(cell).collect()
}

pub(super) fn load(path: &Path, source: LineSource<'_>) -> Result<u64, StoreError> {
    let is_new = !path.exists();
    let (connection, lock) = open_writer(path)?;
    let loaded = fill(&connection, path, source);
    drop((connection, lock));
    if loaded.is_err() && is_new {
        // Half a store must not look like one.
        for end in ["", "-wal", "-shm", ".lock"] {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            drop(std::fs::remove_file(name));
        }
    }
    loaded
}

fn fill(connection: &Connection, path: &Path, source: LineSource<'_>) -> Result<u64, StoreError> {
    let fault = |error: &rusqlite::Error| translate(error, "write", path);
    let run = |sql: &str| connection.execute(sql, []).map_err(|error| fault(&error));
    for table in TABLES {
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {} LIMIT 1)",
            table.name
        );
        let count: i64 = connection
            .query_row(&sql, [], |row| row.get(0))
            .map_err(|error| fault(&error))?;
        if count > 0 {
            return Err(occupied(&path.display().to_string()));
        }
    }
    run("BEGIN IMMEDIATE")?;
    let (mut count, mut is_history_clear) = (0, false);
    // Adding entities wrote a history of its own.
    let clear = format!("DELETE FROM {HISTORY}");
    while let Some(line) = source()? {
        let (position, cells) = parse(&line)?;
        let table = &TABLES[position];
        if table.name == HISTORY && !is_history_clear {
            run(&clear)?;
            is_history_clear = true;
        }
        let places = vec!["?"; table.columns.len()].join(", ");
        let sql = format!(
            "INSERT INTO {} ({}) VALUES ({places})",
            table.name,
            table.names()
        );
        connection
            .prepare_cached(&sql)
            .and_then(|mut insert| insert.execute(params_from_iter(cells.into_iter().map(value))))
            .map_err(|error| fault(&error))?;
        count += 1;
    }
    if !is_history_clear {
        run(&clear)?;
    }
    run("COMMIT")?;
    Ok(count)
}

fn value(cell: Option<Cell>) -> Value {
    match cell {
        None => Value::Null,
        Some(Cell::Uuid(id)) => Value::Blob(Uuid::as_bytes(&id).to_vec()),
        Some(Cell::Text(text)) => Value::Text(text),
        Some(Cell::Bytes(bytes)) => Value::Blob(bytes),
        Some(Cell::Number(number)) => Value::Integer(number),
        Some(Cell::Bool(is_true)) => Value::Integer(i64::from(is_true)),
    }
}
