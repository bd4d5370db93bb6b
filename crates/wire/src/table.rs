//! A configuration whose rows wait as text: what a control plane keeps for its nodes.

use schema::{Map, Packed};
use serde_json::Value;

/// A configuration table with packed rows. On the wire, in hashes and for older nodes it is the
/// same as the open one with the same content.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PackedTable {
    /// Members that are no entities, such as `_format_version`; they come first.
    pub members: Map,
    /// Entities by plural name, in the order in which they are sent.
    pub tables: Vec<(String, Vec<Packed>)>,
}

impl PackedTable {
    /// Packs an open table. Anything but an object counts as an empty one.
    #[must_use]
    pub fn of(table: &Value) -> Self {
        let mut packed = Self::default();
        for (name, value) in table.as_object().into_iter().flatten() {
            let rows = value.as_array().map_or(&[][..], Vec::as_slice);
            let open: Option<Vec<&Map>> = rows.iter().map(Value::as_object).collect();
            match open.filter(|rows| !rows.is_empty()) {
                Some(rows) => {
                    let rows = rows.into_iter().map(Packed::of).collect();
                    packed.tables.push((name.clone(), rows));
                }
                None => {
                    packed.members.insert(name.clone(), value.clone());
                }
            }
        }
        packed
    }

    /// The rows of a table.
    #[must_use]
    pub fn rows(&self, name: &str) -> &[Packed] {
        let found = self.tables.iter().find(|(table, _)| table == name);
        found.map_or(&[][..], |(_, rows)| rows)
    }

    /// The open table.
    #[must_use]
    pub fn open(&self) -> Value {
        let mut table = self.members.clone();
        for (name, rows) in &self.tables {
            let rows = rows.iter().map(|row| Value::Object(row.open()));
            table.insert(name.clone(), Value::Array(rows.collect()));
        }
        Value::Object(table)
    }
}
