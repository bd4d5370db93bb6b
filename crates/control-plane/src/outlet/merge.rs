//! The union of the configurations of a group's members, and where they clash.

use std::collections::HashMap;

use entities::{Catalogue, EntityKind, Map};
use serde_json::Value;
use store::Tables;
use uuid::Uuid;

use super::build::Exports;
use crate::model::Conflict;

/// Most clashes that are listed; a person repairs them one by one anyway.
const MAX_CONFLICTS: usize = 100;

/// Tables of members that the group has its own of.
const OWN: [&str; 2] = ["workspaces", "parameters"];

/// Joins what members define. Two of them may not define an entity with the same id or the same
/// unique value, nor the same plugin for everything.
pub(super) fn merge(exports: Exports, catalogue: &Catalogue) -> (Tables, Vec<Conflict>) {
    let mut tables = Tables::new();
    let mut seen: HashMap<Key, Uuid> = HashMap::new();
    let mut conflicts = Vec::new();
    for (member, export) in exports {
        for (name, rows) in export.tables {
            if OWN.contains(&name.as_str()) {
                continue;
            }
            let kind = catalogue.kind(&name);
            let merged = tables.entry(name.clone()).or_default();
            for packed in rows {
                let row = packed.open();
                let clash = keys(&name, kind, &row)
                    .into_iter()
                    .find(|key| seen.get(key).is_some_and(|other| *other != member));
                if let Some(key) = clash {
                    let singular = kind.map_or(name.as_str(), |kind| kind.singular);
                    conflicts.push(conflict(member, singular, &row, &key));
                    continue;
                }
                for key in keys(&name, kind, &row) {
                    seen.insert(key, member);
                }
                merged.push(packed);
            }
        }
    }
    conflicts.truncate(MAX_CONFLICTS);
    (tables, conflicts)
}

/// What no two members may both define: table, fields, value.
type Key = (String, String, String);

fn keys(table: &str, kind: Option<&EntityKind>, row: &Map) -> Vec<Key> {
    let text = |field: &str| row.get(field).and_then(Value::as_str).unwrap_or_default();
    let mut keys = Vec::new();
    if !text("id").is_empty() {
        keys.push((table.to_owned(), "id".to_owned(), text("id").to_owned()));
    }
    if table == "plugins" {
        let is_null = |field: &str| row.get(field).is_none_or(Value::is_null);
        let scopes = ["service", "route", "consumer", "consumer_group"];
        if scopes.into_iter().all(is_null) {
            let name = text("name").to_owned();
            keys.push((table.to_owned(), "global plugin".to_owned(), name));
        }
        if !text("instance_name").is_empty() {
            let name = text("instance_name").to_owned();
            keys.push((table.to_owned(), "instance_name".to_owned(), name));
        }
        return keys;
    }
    let unique = kind.map(|kind| kind.unique_keys(row)).unwrap_or_default();
    keys.extend(
        unique
            .into_iter()
            .map(|key| (table.to_owned(), key.fields.join(", "), key.value)),
    );
    keys
}

fn conflict(member: Uuid, singular: &str, row: &Map, (_, fields, value): &Key) -> Conflict {
    let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
    let name = row.get("name").and_then(Value::as_str).unwrap_or(id);
    Conflict {
        member,
        description: format!(
            "{singular} `{name}` has the same {fields} (`{value}`) as one of another member"
        ),
        resource_id: Uuid::parse_str(id).unwrap_or_default(),
        resource_type: singular.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use entities::NoPlugins;
    use serde_json::json;
    use store::Export;

    use super::*;

    fn export(tables: &Value) -> Export {
        let tables = tables.as_object().unwrap().iter().map(|(name, rows)| {
            let rows = rows.as_array().unwrap().iter();
            (
                name.clone(),
                rows.map(|row| row.as_object().unwrap().clone()).collect(),
            )
        });
        Export {
            version: 1,
            tables: store::pack(tables.collect()),
        }
    }

    fn merged(members: &[Value]) -> (Tables, Vec<Conflict>) {
        let exports = members
            .iter()
            .zip(1..)
            .map(|(tables, number)| (Uuid::from_u128(number), export(tables)));
        merge(exports.collect(), &Catalogue::new(Arc::new(NoPlugins)))
    }

    #[test]
    fn different_entities_are_joined() {
        let (tables, conflicts) = merged(&[
            json!({"services": [{"id": "a", "name": "one"}], "workspaces": [{"id": "w"}]}),
            json!({"services": [{"id": "b", "name": "two"}], "workspaces": [{"id": "w"}]}),
        ]);
        assert_eq!(conflicts, []);
        assert_eq!(tables["services"].len(), 2);
        assert!(!tables.contains_key("workspaces"));
    }

    #[test]
    fn same_id_in_two_members_is_a_clash() {
        let id = Uuid::from_u128(9).to_string();
        let (_, conflicts) = merged(&[
            json!({"services": [{"id": id, "name": "one"}]}),
            json!({"services": [{"id": id, "name": "two"}]}),
        ]);
        assert_eq!(conflicts.len(), 1);
        assert_eq!(conflicts[0].member, Uuid::from_u128(2));
        assert_eq!(conflicts[0].resource_id, Uuid::from_u128(9));
    }

    #[test]
    fn global_plugin_counts_once_in_a_group() {
        let (_, conflicts) = merged(&[
            json!({"plugins": [{"id": "a", "name": "cors", "service": null}]}),
            json!({"plugins": [{"id": "b", "name": "cors"}]}),
        ]);
        assert_eq!(conflicts.len(), 1);
        let (_, conflicts) = merged(&[
            json!({"plugins": [{"id": "a", "name": "cors", "service": {"id": "s"}}]}),
            json!({"plugins": [{"id": "b", "name": "cors"}]}),
        ]);
        assert_eq!(conflicts, []);
    }
}
