//! The shortest document that means the same: what people keep in files, in a form that decK
//! reads too.
//!
//! Children stand inside their parents, references are names where there are any, what follows
//! by itself (defaults, nulls, derived ids, moments) is left out. Every row is read again before it
//! is written so short; one that would come back different is written whole.

use std::collections::HashMap;

use entities::{Catalogue, EntityKind, IdContext, Map, Mode, Origin, Packed};
use schema::{FieldKind, Schema};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Value, json};
use uuid::Uuid;

use super::yaml;
use crate::table::PackedRows;

/// Kinds that other kinds are nested in, with the field that leads there; the first one that is
/// set counts.
const PARENTS: [(&str, &str); 6] = [
    ("route", "routes"),
    ("service", "services"),
    ("consumer", "consumers"),
    ("consumer_group", "consumer_groups"),
    ("upstream", "upstreams"),
    ("certificate", "certificates"),
];

/// Kinds that stand at the top level whatever they refer to.
const FLAT: [&str; 4] = ["services", "keys", "oauth2_tokens", "degraphql_routes"];

/// The document of a configuration; `tags` are those of the selection.
pub(super) fn document<'a>(
    tables: &'a PackedRows,
    catalogue: &'a Catalogue,
    tags: &[String],
) -> Document<'a> {
    let mut writer = Writer {
        catalogue,
        names: HashMap::new(),
        children: HashMap::new(),
        tops: HashMap::new(),
    };
    writer.index(tables);
    let mut head = Map::new();
    head.insert("_format_version".to_owned(), json!("3.0"));
    if tables.contains_key("basicauth_credentials") {
        head.insert("_transform".to_owned(), json!(false));
    }
    let mut foot = Map::new();
    if !tags.is_empty() {
        foot.insert("_info".to_owned(), json!({"select_tags": tags}));
    }
    Document { writer, head, foot }
}

/// A document whose rows exist only while they are written.
pub(super) struct Document<'a> {
    writer: Writer<'a>,
    head: Map,
    foot: Map,
}

impl<'a> Document<'a> {
    pub(super) fn yaml(&self) -> String {
        let mut out = String::new();
        yaml::members(&self.head, &mut out);
        for (kind, rows) in self.lists() {
            yaml::key(kind.name, &mut out);
            for row in rows {
                yaml::item(
                    &Value::Object(self.writer.row(kind, &row.open(), None)),
                    &mut out,
                );
            }
        }
        yaml::members(&self.foot, &mut out);
        out
    }

    /// Indented, with a line feed at the end.
    pub(super) fn json(&self) -> String {
        // Members are texts and values are JSON: writing them cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The lists at the top level.
    fn lists(&self) -> impl Iterator<Item = (&'a EntityKind, Vec<&'a Packed>)> {
        written(self.writer.catalogue).filter_map(|kind| {
            let rows = self.writer.tops.get(kind.name)?.clone();
            Some((kind, sorted(kind, rows)))
        })
    }
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.head {
            map.serialize_entry(name, value)?;
        }
        for (kind, rows) in self.lists() {
            let writer = &self.writer;
            map.serialize_entry(kind.name, &List { writer, kind, rows })?;
        }
        for (name, value) in &self.foot {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

struct List<'a> {
    writer: &'a Writer<'a>,
    kind: &'a EntityKind,
    rows: Vec<&'a Packed>,
}

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.rows.iter();
        serializer.collect_seq(rows.map(|row| self.writer.row(self.kind, &row.open(), None)))
    }
}

/// Workspaces are no part of a file.
fn written(catalogue: &Catalogue) -> impl Iterator<Item = &EntityKind> {
    let kinds = catalogue.kinds().iter();
    kinds.filter(|kind| kind.exported && kind.name != "workspaces")
}

/// The kind and id of what a row is nested in.
fn parent<'r>(kind: &EntityKind, row: &'r Map) -> Option<(&'static str, &'static str, &'r str)> {
    if FLAT.contains(&kind.name) {
        return None;
    }
    PARENTS.iter().find_map(|(field, target)| {
        let id = reference(row, field)?;
        Some((*field, *target, id))
    })
}

fn reference<'r>(row: &'r Map, field: &str) -> Option<&'r str> {
    row.get(field)?.get("id")?.as_str()
}

struct Writer<'a> {
    catalogue: &'a Catalogue,
    /// Names by kind and id.
    names: HashMap<(&'static str, String), String>,
    /// Rows by kind and id of what they are nested in.
    children: HashMap<(&'static str, String), Vec<(&'a EntityKind, &'a Packed)>>,
    /// Rows that are nested in nothing, by kind.
    tops: HashMap<&'static str, Vec<&'a Packed>>,
}

impl<'a> Writer<'a> {
    fn index(&mut self, tables: &'a PackedRows) {
        for kind in written(self.catalogue) {
            for packed in tables.get(kind.name).into_iter().flatten() {
                let row = packed.open();
                if let Some((_, target, id)) = parent(kind, &row) {
                    let list = self.children.entry((target, id.to_owned())).or_default();
                    list.push((kind, packed));
                } else {
                    self.tops.entry(kind.name).or_default().push(packed);
                }
                let text = |member: &str| row.get(member).and_then(Value::as_str);
                let name = kind.endpoint_key.and_then(text);
                // A name that looks like an id would be taken for one.
                let name = name.filter(|name| is_addressable(kind, name));
                if let (Some(id), Some(name)) = (text("id"), name) {
                    let name = name.to_owned();
                    self.names.insert((kind.name, id.to_owned()), name);
                }
            }
        }
    }

    fn list(
        &self,
        kind: &EntityKind,
        rows: Vec<&Packed>,
        inside: Option<(&'static str, Uuid)>,
    ) -> Vec<Value> {
        sorted(kind, rows)
            .into_iter()
            .map(|row| Value::Object(self.row(kind, &row.open(), inside)))
            .collect()
    }

    fn row(&self, kind: &EntityKind, row: &Map, inside: Option<(&'static str, Uuid)>) -> Map {
        let mut short = self.short(kind, row, inside);
        let id = row.get(kind.primary_key).and_then(Value::as_str);
        let id = id.unwrap_or_default();
        let parent = Uuid::try_parse(id).unwrap_or_default();
        let field = PARENTS.iter().find(|(_, target)| *target == kind.name);
        let inside = field.map(|(field, _)| (*field, parent));
        let children = self.children.get(&(kind.name, id.to_owned()));
        for child in written(self.catalogue) {
            let rows = children.into_iter().flatten();
            let rows: Vec<&Packed> = rows
                .filter(|(kind, _)| kind.name == child.name)
                .map(|(_, row)| *row)
                .collect();
            if rows.is_empty() {
                continue;
            }
            let list = self.list(child, rows, inside);
            match groups(child, &list) {
                Some(groups) => short.insert("groups".to_owned(), groups),
                None => short.insert(child.name.to_owned(), Value::Array(list)),
            };
        }
        short
    }

    /// The row without what follows by itself, if it comes back from that.
    fn short(&self, kind: &EntityKind, row: &Map, inside: Option<(&'static str, Uuid)>) -> Map {
        let plugin = row.get("name").and_then(Value::as_str);
        let plugin = plugin.filter(|_| kind.name == "plugins");
        let schema = plugin.and_then(|name| self.catalogue.plugin_schema(name));
        let mut short = row.clone();
        strip(schema.unwrap_or(&kind.schema), &mut short);
        for moment in ["created_at", "updated_at"] {
            short.shift_remove(moment);
        }
        if !self.comes_back(kind, row, &short) {
            short = row.clone();
        }
        for (field, target) in kind.foreign_fields() {
            if let Some(id) = reference(row, field.name) {
                let name = self.names.get(&(target, id.to_owned()));
                let name = name.map_or(id, String::as_str);
                short.insert(field.name.to_owned(), json!(name));
            }
        }
        if let Some((field, _)) = inside {
            short.shift_remove(field);
        }
        let context = IdContext { parent: inside };
        let derived = kind.generated_id(&short, context);
        if derived.is_some_and(|id| row.get("id") == Some(&json!(id))) {
            short.shift_remove("id");
        }
        short
    }

    fn comes_back(&self, kind: &EntityKind, row: &Map, short: &Map) -> bool {
        let mut again = short.clone();
        let ttl = row.get("ttl").filter(|_| kind.has_ttl);
        let read =
            self.catalogue
                .validate_from(kind.name, &mut again, Mode::Insert, Origin::Declarative);
        if kind.name == "ca_certificates" {
            self.catalogue.transform(kind.name, &mut again);
        }
        let is_moment = |name: &str| matches!(name, "created_at" | "updated_at" | "ttl");
        let same = |left: &Map, right: &Map| {
            left.iter().all(|(name, value)| {
                is_moment(name) || right.get(name).unwrap_or(&Value::Null) == value
            })
        };
        read.is_ok() && ttl == short.get("ttl") && same(row, &again) && same(&again, row)
    }
}

/// Memberships as decK writes them, when the group is all that there is to say.
fn groups(kind: &EntityKind, rows: &[Value]) -> Option<Value> {
    let group = |row: &Value| {
        let members = row.as_object().filter(|members| members.len() == 1)?;
        Some(json!({"name": members.get("consumer_group")?}))
    };
    let is_membership = kind.name == "consumer_group_consumers";
    is_membership.then(|| rows.iter().map(group).collect())?
}

/// Whether references by that name lead to the row.
fn is_addressable(kind: &EntityKind, name: &str) -> bool {
    let key = kind.endpoint_key.unwrap_or_default();
    let is_unique = kind.cache_key == [key] || kind.schema.find(key).is_some_and(|key| key.unique);
    is_unique && !name.is_empty() && Uuid::try_parse(name).is_err()
}

fn sorted<'r>(kind: &EntityKind, mut rows: Vec<&'r Packed>) -> Vec<&'r Packed> {
    if rows.len() > 1 {
        rows.sort_by_cached_key(|row| place(kind, &row.open()));
    }
    rows
}

/// Named rows by name, then the rest; rows of one name by id.
fn place(kind: &EntityKind, row: &Map) -> (bool, Option<String>, Option<String>) {
    let text = |member: &str| {
        let text = row.get(member).and_then(Value::as_str);
        text.map(str::to_owned)
    };
    let name = kind.endpoint_key.and_then(text).or_else(|| text("name"));
    (name.is_none(), name, text(kind.primary_key))
}

/// Removes nulls and defaults, at every depth that has a description.
fn strip(schema: &Schema, body: &mut Map) {
    body.retain(|name, value| {
        let Some(field) = schema.find(name) else {
            return !value.is_null();
        };
        let default = field.default.as_ref().unwrap_or(&Value::Null);
        if value == default {
            return false;
        }
        match (&field.kind, &mut *value) {
            (FieldKind::Record(inner), Value::Object(members)) => {
                strip(inner, members);
                !(members.is_empty() && field.is_required())
            }
            (FieldKind::Array(element) | FieldKind::Set(element), Value::Array(items)) => {
                for item in items {
                    if let (FieldKind::Record(inner), Value::Object(members)) =
                        (&element.kind, item)
                    {
                        strip(inner, members);
                    }
                }
                true
            }
            _ => true,
        }
    });
}
