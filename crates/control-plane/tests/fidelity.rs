//! Configurations of the reference's control plane, read and written again: every table says what
//! it said, so nodes cannot tell the two control planes apart by what they push.

use std::sync::Arc;

use declarative::Config;
use entities::{Catalogue, NoPlugins};
use serde_json::{Value, json};
use wire::hash::section_hash;

/// Recorded frames of Kong Gateway 3.9.3.
const RECORDED: &str = include_str!("../../wire/tests/data/recorded-hashes.jsonl");

#[test]
fn recorded_configurations_are_written_as_they_were() {
    let catalogue = Catalogue::new(Arc::new(NoPlugins));
    let mut faults = Vec::new();
    let mut count = 0;
    for line in RECORDED.lines() {
        let mut record: Value = serde_json::from_str(line).unwrap();
        let name = record["name"].as_str().unwrap().to_owned();
        let mut table = record["config_table"].take();
        // Plugins have descriptions of their own, and the product has few of the recorded ones.
        table.as_object_mut().unwrap().remove("plugins");
        let config = match Config::from_table(&table, &catalogue) {
            Ok(config) => config,
            Err(problems) => {
                faults.push(format!("{name}: refused: {problems:?}"));
                continue;
            }
        };
        let written = config.to_table(&catalogue);
        for (kind, rows) in table.as_object().unwrap() {
            let ours = written.get(kind).unwrap_or(&Value::Null);
            if kind != "parameters" && plain(ours) != plain(rows) {
                faults.push(format!("{name}, {kind}:\n{}", difference(rows, ours)));
            }
        }
        count += 1;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(count, 17);
}

/// A digest that does not see members that are null: to a node they are absent. Nor does it see
/// whether an empty collection is a list.
fn plain(value: &Value) -> String {
    fn strip(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(strip).collect(),
            Value::Object(map) => {
                let members = map.iter().filter(|(_, value)| !value.is_null());
                members
                    .map(|(key, value)| (key.clone(), strip(value)))
                    .collect()
            }
            other => other.clone(),
        }
    }
    section_hash(&strip(value))
}

fn difference(theirs: &Value, ours: &Value) -> String {
    let none = Vec::new();
    let rows = |value: &Value| value.as_array().unwrap_or(&none).clone();
    let mut out = String::new();
    for (theirs, ours) in rows(theirs).iter().zip(rows(ours)) {
        let keys = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let (theirs, ours) = (keys(theirs), keys(&ours));
        let mut names: Vec<_> = theirs.keys().chain(ours.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let absent = json!("(absent)");
            let (a, b) = (theirs.get(name), ours.get(name));
            let (a, b) = (a.unwrap_or(&absent), b.unwrap_or(&absent));
            if section_hash(a) != section_hash(b) {
                out.push_str(&format!("  {name}: {a} became {b}\n"));
            }
        }
    }
    out
}
