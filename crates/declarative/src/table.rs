//! Configurations on the wire between the planes.

use std::collections::{HashMap, HashSet};

use entities::{Catalogue, EntityKind, Map};
use serde_json::{Value, json};

use crate::config::Config;
use crate::normalise::{Options, normalise};
use crate::problem::Problem;

impl Config {
    /// Reads a wire `config_table`: a declarative document with flat references, in which
    /// unknown members are tolerated when they are null, `{}` and `[]` are the same when empty,
    /// whole numbers may be floats, and `ttl` is the second at which a row ends.
    ///
    /// # Errors
    ///
    /// Everything that is wrong; a table is accepted whole or not at all.
    pub fn from_table(table: &Value, catalogue: &Catalogue) -> Result<Self, Vec<Problem>> {
        let options = Options {
            ignore_unknown_nulls: true,
            is_table: true,
            version_optional: true,
            ..Options::default()
        };
        normalise(table, catalogue, options)
    }

    /// The wire `config_table`: flat references, secrets as stored, deprecated aliases added.
    /// Disabled services and plugins are left out with what hangs on them.
    #[must_use]
    pub fn to_table(&self, catalogue: &Catalogue) -> Value {
        self.table(catalogue, false)
    }

    /// The whole configuration in the same form, disabled entities included.
    #[must_use]
    pub(crate) fn table(&self, catalogue: &Catalogue, everything: bool) -> Value {
        let mut table = Map::new();
        table.insert("_format_version".to_owned(), json!("3.0"));
        table.insert("_transform".to_owned(), json!(false));
        let mut absent: HashSet<&str> = HashSet::new();
        let partials: HashMap<&str, &Map> = self
            .rows("partials")
            .iter()
            .filter_map(|row| Some((row.get("id")?.as_str()?, row)))
            .collect();
        let is_told = |kind: &&EntityKind| kind.delivered || (everything && kind.exported);
        for kind in catalogue.kinds().iter().filter(is_told) {
            let mut rows = Vec::new();
            for row in self.rows(kind.name) {
                if !everything && is_left_out(kind, row, &absent) {
                    absent.extend(row.get("id").and_then(Value::as_str));
                    continue;
                }
                let mut row = flat(kind, row, catalogue);
                if !everything && kind.name == "plugins" {
                    catalogue.with_partials(&mut row, |id| partials.get(id).copied());
                }
                rows.push(Value::Object(row));
            }
            if !rows.is_empty() {
                table.insert(kind.name.to_owned(), Value::Array(rows));
            }
        }
        Value::Object(table)
    }
}

/// Whether a row is disabled or hangs on one that is left out.
fn is_left_out(kind: &EntityKind, row: &Map, absent: &HashSet<&str>) -> bool {
    let can_be_disabled = matches!(kind.name, "services" | "plugins");
    if can_be_disabled && row.get("enabled") == Some(&Value::Bool(false)) {
        return true;
    }
    !absent.is_empty()
        && kind.foreign_fields().any(|(field, _)| {
            row.get(field.name)
                .and_then(|key| key.get("id"))
                .and_then(Value::as_str)
                .is_some_and(|id| absent.contains(id))
        })
}

fn flat(kind: &EntityKind, row: &Map, catalogue: &Catalogue) -> Map {
    let mut row = row.clone();
    catalogue.add_aliases(kind.name, &mut row);
    for (field, _) in kind.foreign_fields() {
        if let Some(value) = row.get_mut(field.name)
            && let Some(id) = value.get_mut("id")
        {
            *value = id.take();
        }
    }
    row
}
