//! Keeping the ids of rows that a file does not name, so that importing it again changes nothing.
//!
//! Most ids follow from what an entity is called. The rest (API keys, certificates, nameless
//! services and routes) get random ids every time a file is read. Such a row takes over the id of
//! a stored row that holds the same unique values or is otherwise the same.

use std::collections::{BTreeMap, HashMap, HashSet};

use declarative::Document;
use entities::{Catalogue, EntityKind, Packed};
use schema::{FieldKind, Map};
use serde_json::{Value, json};
use store::Tables;
use uuid::Uuid;

/// Every text under a member `id` of a document: ids that the file itself names stay.
pub(super) fn named_ids(document: &Document) -> HashSet<String> {
    let mut found = HashSet::new();
    collect(document.value(), &mut found);
    found
}

fn collect(value: &Value, found: &mut HashSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(id)) = members.get("id") {
                found.insert(id.to_ascii_lowercase());
            }
            members.values().for_each(|member| collect(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// Gives rows of `tables` the ids of the stored rows they are the same as. Other ids that are
/// random are made anew by `fresh`, from the kind and the position, so that they can be the same
/// each time.
pub(super) fn keep_ids(
    tables: &mut Tables,
    stored: &BTreeMap<&str, Vec<&Packed>>,
    named: &HashSet<String>,
    catalogue: &Catalogue,
    fresh: &dyn Fn(&str, usize) -> Uuid,
) {
    let mut kept: HashMap<String, String> = HashMap::new();
    for kind in catalogue.kinds() {
        let Some(rows) = tables.get_mut(kind.name) else {
            continue;
        };
        let old = stored.get(kind.name).map_or(&[][..], Vec::as_slice);
        for packed in rows.iter_mut().filter(|_| !kept.is_empty()) {
            let mut row = packed.open();
            if follow(&mut row, kind, &kept) {
                *packed = Packed::of(&row);
            }
        }
        let taken: HashSet<String> = rows.iter().filter_map(packed_id).collect();
        let mut known = Known::of(kind, old, &taken);
        for (position, packed) in rows.iter_mut().enumerate() {
            let Some(new) = packed_id(packed).filter(|new| !named.contains(new)) else {
                continue;
            };
            if known.holds(&new) {
                continue;
            }
            let is_random = Uuid::try_parse(&new).is_ok_and(|id| id.get_version_num() == 4);
            let made = || is_random.then(|| fresh(kind.name, position).to_string());
            if let Some(id) = known.take(packed).or_else(made) {
                let mut row = packed.open();
                row.insert("id".to_owned(), json!(id));
                *packed = Packed::of(&row);
                kept.insert(new, id);
            }
        }
    }
}

/// Replaces references to rows whose ids were exchanged; tells whether there were any.
fn follow(row: &mut Map, kind: &EntityKind, kept: &HashMap<String, String>) -> bool {
    let mut is_changed = false;
    for field in &kind.schema.fields {
        if !matches!(field.kind, FieldKind::Foreign(_)) {
            continue;
        }
        let Some(Value::Object(reference)) = row.get_mut(field.name) else {
            continue;
        };
        if let Some(new) = id(reference).and_then(|old| kept.get(&old)) {
            reference.insert("id".to_owned(), json!(new));
            is_changed = true;
        }
    }
    if let Some(Value::Array(list)) = row.get_mut("ca_certificates") {
        for item in list {
            if let Some(new) = item.as_str().and_then(|old| kept.get(old)) {
                *item = json!(new);
                is_changed = true;
            }
        }
    }
    is_changed
}

/// Stored rows of one kind whose ids are free, by what makes a row the same: a unique value, or
/// everything besides id and times. What is asked for first is made first: most files name or
/// imply all ids, and contents are only compared where no unique value decides.
struct Known<'s> {
    kind: &'s EntityKind,
    stored: Vec<&'s Packed>,
    ids: HashSet<String>,
    by_value: Option<HashMap<String, String>>,
    by_content: Option<HashMap<[u8; 32], Vec<String>>>,
    given: HashSet<String>,
}

impl<'s> Known<'s> {
    fn of(kind: &'s EntityKind, stored: &[&'s Packed], taken: &HashSet<String>) -> Self {
        let free = |row: &&&'s Packed| packed_id(row).is_some_and(|id| !taken.contains(&id));
        Self {
            kind,
            stored: stored.iter().filter(free).copied().collect(),
            ids: stored.iter().filter_map(|row| packed_id(row)).collect(),
            by_value: None,
            by_content: None,
            given: HashSet::new(),
        }
    }

    fn holds(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// The id of a stored row that is the same; no other row gets it.
    fn take(&mut self, packed: &Packed) -> Option<String> {
        if self.stored.is_empty() {
            return None;
        }
        let row = packed.open();
        let found = self.by_value(&row).or_else(|| self.by_content(&row))?;
        self.given.insert(found.clone());
        Some(found)
    }

    fn by_value(&mut self, row: &Map) -> Option<String> {
        let (kind, stored) = (self.kind, &self.stored);
        let by_value = self.by_value.get_or_insert_with(|| {
            let rows = stored
                .iter()
                .filter_map(|row| Some((row.open(), packed_id(row)?)));
            rows.flat_map(|(row, id)| {
                let values: Vec<String> = values(kind, &row).collect();
                values.into_iter().map(move |value| (value, id.clone()))
            })
            .collect()
        });
        let found = values(kind, row).find_map(|value| by_value.get(&value).cloned())?;
        (!self.given.contains(&found)).then_some(found)
    }

    fn by_content(&mut self, row: &Map) -> Option<String> {
        let stored = &self.stored;
        let by_content = self.by_content.get_or_insert_with(|| {
            let mut contents: HashMap<[u8; 32], Vec<String>> = HashMap::new();
            for row in stored {
                let ids = contents.entry(content(&row.open())).or_default();
                ids.extend(packed_id(row));
            }
            contents
        });
        let same = by_content.get_mut(&content(row))?;
        std::iter::from_fn(|| same.pop()).find(|id| !self.given.contains(id))
    }
}

/// The unique values of a row.
fn values<'r>(kind: &'r EntityKind, row: &'r Map) -> impl Iterator<Item = String> + use<'r> {
    let unique = kind.unique_keys(row).into_iter();
    unique.map(|key| format!("{}={}", key.fields.join("+"), key.value))
}

/// Stands for everything besides id and times.
fn content(row: &Map) -> [u8; 32] {
    let mut content = BTreeMap::new();
    for (name, value) in row {
        if !matches!(name.as_str(), "id" | "created_at" | "updated_at") {
            content.insert(name, value);
        }
    }
    pki::sha256(json!(content).to_string().as_bytes())
}

fn packed_id(row: &Packed) -> Option<String> {
    Some(row.text_of("id")?.to_ascii_lowercase())
}

fn id(row: &Map) -> Option<String> {
    Some(row.get("id")?.as_str()?.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use declarative::{Format, Limits, Options};
    use entities::NoPlugins;

    use super::*;

    const FILE: &str = "_format_version: \"3.0\"
services:
- host: nameless.test
  routes:
  - paths: [/a]
  - paths: [/b]
consumers:
- username: ann
  keyauth_credentials:
  - key: secret-1
  - key: secret-2
";

    fn read(text: &str, catalogue: &Catalogue) -> (Tables, HashSet<String>) {
        let document = Document::parse(text.as_bytes(), Format::Auto, Limits::default()).unwrap();
        let config = document.normalise(catalogue, Options::default()).unwrap();
        (store::pack(config.tables), named_ids(&document))
    }

    fn rows(tables: &Tables) -> BTreeMap<&str, Vec<&Packed>> {
        let tables = tables.iter();
        tables
            .map(|(kind, rows)| (kind.as_str(), rows.iter().collect()))
            .collect()
    }

    fn open(tables: &Tables, kind: &str) -> Vec<Map> {
        tables[kind].iter().map(Packed::open).collect()
    }

    fn without_times(tables: &Tables) -> Value {
        let open = tables.keys().map(|kind| (kind, open(tables, kind)));
        let mut tables = json!(open.collect::<BTreeMap<_, _>>());
        for rows in tables.as_object_mut().unwrap().values_mut() {
            for row in rows.as_array_mut().unwrap() {
                let row = row.as_object_mut().unwrap();
                row.remove("created_at");
                row.remove("updated_at");
            }
        }
        tables
    }

    #[test]
    fn reading_a_file_twice_gives_the_same_rows() {
        let catalogue = Catalogue::new(Arc::new(NoPlugins));
        let (first, _) = read(FILE, &catalogue);
        let (mut second, named) = read(FILE, &catalogue);
        assert_ne!(without_times(&first), without_times(&second));

        keep_ids(&mut second, &rows(&first), &named, &catalogue, &|_, _| {
            Uuid::nil()
        });

        assert_eq!(without_times(&first), without_times(&second));
    }

    #[test]
    fn ids_that_the_file_names_stay() {
        let catalogue = Catalogue::new(Arc::new(NoPlugins));
        let (first, _) = read(FILE, &catalogue);
        let id = "4cf1c6a0-7d0e-4b61-9b9c-2f4f2b1d9c11";
        let text = FILE.replace("- key: secret-1", &format!("- key: secret-1\n    id: {id}"));
        let (mut second, named) = read(&text, &catalogue);

        keep_ids(&mut second, &rows(&first), &named, &catalogue, &|_, _| {
            Uuid::nil()
        });

        let rows = open(&second, "keyauth_credentials");
        assert_eq!(
            rows.iter().find(|row| row["key"] == "secret-1").unwrap()["id"],
            id
        );
        let old = open(&first, "keyauth_credentials");
        let of = |rows: &[Map]| rows.iter().find(|r| r["key"] == "secret-2").unwrap()["id"].clone();
        assert_eq!(of(&rows), of(&old));
    }

    #[test]
    fn rows_that_are_alike_get_an_id_each() {
        let catalogue = Catalogue::new(Arc::new(NoPlugins));
        let text = "_format_version: \"3.0\"\nservices:\n- host: a.test\n- host: a.test\n";
        let (first, _) = read(text, &catalogue);
        let (mut second, named) = read(text, &catalogue);

        keep_ids(&mut second, &rows(&first), &named, &catalogue, &|_, _| {
            Uuid::nil()
        });

        let ids = |tables: &Tables| {
            let rows = open(tables, "services").into_iter();
            rows.map(|row| row["id"].to_string())
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(ids(&second), ids(&first));
        assert_eq!(ids(&first).len(), 2);
    }
}
