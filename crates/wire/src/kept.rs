//! A configuration that waits for a node of another version, compressed.
//!
//! Each control plane with nodes keeps its newest one for as long as it is the newest; compressed
//! it takes a tenth of the memory.

use std::io::{BufRead as _, BufReader};

use bytes::Bytes;
use flate2::read::GzDecoder;
use schema::{Map, Packed};

use crate::PackedTable;
use crate::error::WireError;
use crate::pack::gzip_fast;

/// A [`PackedTable`], compressed.
#[derive(Clone, Debug)]
pub struct KeptTable {
    members: Map,
    /// Names of tables and their numbers of rows, in their order.
    tables: Vec<(String, usize)>,
    /// Their rows, each a line: the text of a row has none of its own.
    rows: Bytes,
}

impl KeptTable {
    /// Compresses a table.
    ///
    /// # Errors
    ///
    /// [`WireError::Encode`].
    pub fn of(table: &PackedTable) -> Result<Self, WireError> {
        let all = table.tables.iter();
        let rows = gzip_fast(|out| {
            for row in all.flat_map(|(_, rows)| rows) {
                out.write_all(row.text().as_bytes())?;
                out.write_all(b"\n")?;
            }
            Ok(())
        })?;
        let counts = table.tables.iter();
        Ok(Self {
            members: table.members.clone(),
            tables: counts
                .map(|(name, rows)| (name.clone(), rows.len()))
                .collect(),
            rows,
        })
    }

    /// The table that was compressed.
    ///
    /// # Errors
    ///
    /// [`WireError::Inflate`] or [`WireError::Json`], only when memory was damaged.
    pub fn open(&self) -> Result<PackedTable, WireError> {
        let mut lines = BufReader::new(GzDecoder::new(&*self.rows)).lines();
        let mut next = || {
            let end = || WireError::Inflate("a row is missing".to_owned());
            let line = lines.next().ok_or_else(end)?;
            let line = line.map_err(|error| WireError::Inflate(error.to_string()))?;
            Packed::from_text(&line).map_err(|error| WireError::Json(error.to_string()))
        };
        let mut tables = Vec::with_capacity(self.tables.len());
        for (name, count) in &self.tables {
            let rows: Result<Vec<Packed>, WireError> = (0..*count).map(|_| next()).collect();
            tables.push((name.clone(), rows?));
        }
        Ok(PackedTable {
            members: self.members.clone(),
            tables,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kept_table_comes_back_as_it_was() {
        let table = PackedTable::of(&json!({
            "_format_version": "3.0",
            "services": [{"id": "a", "name": "two\nlines"}, {"id": "b", "tags": ["\u{2028}"]}],
            "routes": [{"id": "c"}],
        }));

        let kept = KeptTable::of(&table).unwrap();

        assert_eq!(kept.open().unwrap(), table);
    }

    #[test]
    fn damaged_rows_are_an_error() {
        let table = PackedTable::of(&json!({"services": [{"id": "a"}, {"id": "b"}]}));
        let mut kept = KeptTable::of(&table).unwrap();
        kept.rows.truncate(kept.rows.len() / 2);
        assert!(kept.open().is_err());
        kept = KeptTable::of(&table).unwrap();
        kept.tables[0].1 += 1;
        assert!(kept.open().is_err());
    }
}
