//! Configurations on the wire between the planes.

use std::collections::{BTreeMap, HashMap, HashSet};

use entities::{Catalogue, EntityKind, Map, Packed};
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
        let partials = self.rows("partials").iter();
        let mut teller = Teller::new(catalogue, everything, partials.cloned());
        let mut table = members();
        for kind in teller.kinds() {
            let rows = self.rows(kind.name).iter();
            let rows = rows.filter_map(|row| teller.told(kind, row.clone()).map(Value::Object));
            let rows: Vec<Value> = rows.collect();
            if !rows.is_empty() {
                table.insert(kind.name.to_owned(), Value::Array(rows));
            }
        }
        Value::Object(table)
    }
}

/// Packed rows by plural name.
pub type PackedRows = BTreeMap<String, Vec<Packed>>;

/// [`Config::to_table`] of packed rows, of which no more than one is open at a time: the members
/// that are no entities, and the tables in the order in which they are sent.
#[must_use]
pub fn packed_table(
    mut rows: PackedRows,
    catalogue: &Catalogue,
) -> (Map, Vec<(String, Vec<Packed>)>) {
    let partials = rows.get("partials").into_iter().flatten();
    let mut teller = Teller::new(catalogue, false, partials.map(Packed::open));
    let mut tables = Vec::new();
    for kind in teller.kinds() {
        let rows = rows.remove(kind.name).into_iter().flatten();
        let rows = rows.filter_map(|row| Some(Packed::of(&teller.told(kind, row.open())?)));
        let rows: Vec<Packed> = rows.collect();
        if !rows.is_empty() {
            tables.push((kind.name.to_owned(), rows));
        }
    }
    (members(), tables)
}

fn members() -> Map {
    Map::from_iter([
        ("_format_version".to_owned(), json!("3.0")),
        ("_transform".to_owned(), json!(false)),
    ])
}

/// Makes rows what is told of them.
struct Teller<'a> {
    catalogue: &'a Catalogue,
    /// Whether rows are told that no node gets.
    everything: bool,
    /// Ids of rows that were left out.
    absent: HashSet<String>,
    partials: HashMap<String, Map>,
}

impl<'a> Teller<'a> {
    fn new(
        catalogue: &'a Catalogue,
        everything: bool,
        partials: impl Iterator<Item = Map>,
    ) -> Self {
        let by_id = |row: Map| Some((row.get("id")?.as_str()?.to_owned(), row));
        Self {
            catalogue,
            everything,
            absent: HashSet::new(),
            partials: partials.filter_map(by_id).collect(),
        }
    }

    fn kinds(&self) -> impl Iterator<Item = &'a EntityKind> + use<'a> {
        let everything = self.everything;
        let is_told = move |kind: &&EntityKind| kind.delivered || (everything && kind.exported);
        self.catalogue.kinds().iter().filter(is_told)
    }

    /// The row as it is told; `None` when it is left out.
    fn told(&mut self, kind: &EntityKind, row: Map) -> Option<Map> {
        if !self.everything && is_left_out(kind, &row, &self.absent) {
            let id = row.get("id").and_then(Value::as_str);
            self.absent.extend(id.map(str::to_owned));
            return None;
        }
        let mut row = flat(kind, row, self.catalogue);
        if !self.everything && kind.name == "plugins" {
            let partials = &self.partials;
            self.catalogue
                .with_partials(&mut row, |id| partials.get(id));
        }
        Some(row)
    }
}

/// Whether a row is disabled or hangs on one that is left out.
fn is_left_out(kind: &EntityKind, row: &Map, absent: &HashSet<String>) -> bool {
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

fn flat(kind: &EntityKind, mut row: Map, catalogue: &Catalogue) -> Map {
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
