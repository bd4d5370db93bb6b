//! One row as a line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use uuid::Uuid;

use super::{FORMAT, TABLES, Table, Type};
use crate::StoreError;

/// A value of a row; `None` in a row is a null.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Uuid(Uuid),
    Text(String),
    Bytes(Vec<u8>),
    Number(i64),
    Bool(bool),
}

/// Writes a row.
pub(super) fn render(table: &Table, cells: Vec<Option<Cell>>) -> String {
    let mut line = vec![Value::from(table.name)];
    line.extend(cells.into_iter().map(|cell| match cell {
        None => Value::Null,
        Some(Cell::Uuid(id)) => Value::from(id.to_string()),
        Some(Cell::Text(text)) => Value::from(text),
        Some(Cell::Bytes(bytes)) => Value::from(STANDARD.encode(bytes)),
        Some(Cell::Number(number)) => Value::from(number),
        Some(Cell::Bool(is_true)) => Value::from(is_true),
    }));
    Value::Array(line).to_string()
}

/// Reads a row: the position of its table, and its cells.
pub(super) fn parse(line: &str) -> Result<(usize, Vec<Option<Cell>>), StoreError> {
    let Ok(Value::Array(values)) = serde_json::from_str(line) else {
        return Err(bad("a line is not an array"));
    };
    let mut values = values.into_iter();
    let name = values.next().unwrap_or_default();
    let table = TABLES.iter().position(|table| name == table.name);
    let Some(position) = table else {
        return Err(bad(&format!("the table {name} is not known")));
    };
    let columns = TABLES[position].columns;
    if values.len() != columns.len() {
        return Err(bad(&format!("a row of {name} has not as many columns")));
    }
    let cells = values.zip(columns).map(|(value, (column, kind))| {
        cell(value, *kind).ok_or_else(|| bad(&format!("`{column}` of {name} is of another kind")))
    });
    Ok((position, cells.collect::<Result<_, _>>()?))
}

fn cell(value: Value, kind: Type) -> Option<Option<Cell>> {
    let cell = match (kind, value) {
        (_, Value::Null) => return Some(None),
        (Type::Uuid, Value::String(text)) => Cell::Uuid(Uuid::try_parse(&text).ok()?),
        (Type::Text | Type::TextBytes, Value::String(text)) => Cell::Text(text),
        (Type::Bytes, Value::String(text)) => Cell::Bytes(STANDARD.decode(text).ok()?),
        (Type::Number, Value::Number(number)) => Cell::Number(number.as_i64()?),
        (Type::Bool, Value::Bool(is_true)) => Cell::Bool(is_true),
        _ => return None,
    };
    Some(Some(cell))
}

/// Reads the first line.
pub(super) fn read_format(line: Option<String>) -> Result<(), StoreError> {
    let line = line.unwrap_or_default();
    let first: Value = serde_json::from_str(&line).unwrap_or_default();
    match first.get("format").and_then(Value::as_u64) {
        Some(FORMAT) => Ok(()),
        Some(other) => Err(bad(&format!(
            "they have format {other}, this release knows {FORMAT}; use the release that wrote them"
        ))),
        None => Err(bad("they do not begin with their format")),
    }
}

fn bad(reason: &str) -> StoreError {
    StoreError::Storage {
        action: "read the rows of a store".to_owned(),
        detail: reason.to_owned(),
    }
}
