//! Down-conversion against payloads recorded from Kong Gateway 3.9.3.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot do without ends the test"
)]

use gatehouse_wire::downgrade::{Action, Change, Rewriter};
use gatehouse_wire::hash::packed_hash;
use gatehouse_wire::v1::{PlaneFrame, decode_reconfigure, encode_reconfigure};
use gatehouse_wire::{PackedTable, Version};
use serde_json::{Value, json};

/// The recorded payloads, newest version first.
fn recorded() -> Vec<(Version, Value)> {
    include_str!("data/recorded-downgrades.jsonl")
        .lines()
        .map(|line| {
            let mut record: Value = serde_json::from_str(line).unwrap();
            let version = Version::parse(record["version"].as_str().unwrap()).unwrap();
            (version, record["config_table"].take())
        })
        .collect()
}

/// The reference writes an empty list of a converted payload as `{}`.
/// What nodes get of a table.
#[derive(Debug, PartialEq)]
struct Converted {
    table: Value,
    changes: Vec<Change>,
}

fn sent(table: &Value, mut rewriter: Rewriter) -> Option<Converted> {
    let packed = PackedTable::of(table);
    let frame = encode_reconfigure(&packed, &packed_hash(&packed), 0, &mut rewriter).unwrap();
    let read = match decode_reconfigure(&frame, usize::MAX >> 1).unwrap() {
        PlaneFrame::Reconfigure(read) => Some(read),
        PlaneFrame::Other { .. } => None,
    };
    let read = read.unwrap();
    let changes = rewriter.finish();
    if changes.is_empty() {
        assert_eq!(PackedTable::of(&read.config_table), packed);
        return None;
    }
    let table = read.config_table;
    Some(Converted { table, changes })
}

fn convert(table: &Value, node: Version) -> Option<Converted> {
    sent(table, Rewriter::new(node, false))
}

fn for_open_source(table: &Value) -> Option<Converted> {
    sent(table, Rewriter::new(Version::new(3, 10, 0), true))
}

fn without_empty_kinds(value: &Value) -> Value {
    match value {
        Value::Array(items) if items.is_empty() => json!({}),
        Value::Array(items) => Value::Array(items.iter().map(without_empty_kinds).collect()),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), without_empty_kinds(value)))
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn every_recorded_payload_is_reproduced_from_every_newer_one() {
    let recorded = recorded();
    assert_eq!(recorded.len(), 7);
    for (index, (from, table)) in recorded.iter().enumerate() {
        for (to, expected) in &recorded[index + 1..] {
            let converted = convert(table, *to).expect("something to change").table;
            let mut actual = converted.as_object().unwrap().clone();
            for (name, expected) in expected.as_object().unwrap() {
                let actual = actual.remove(name).unwrap_or_default();
                let rows = |value: &Value| value.as_array().cloned().unwrap_or_default();
                for (actual, expected) in rows(&actual).iter().zip(rows(expected)) {
                    assert_eq!(
                        without_empty_kinds(actual),
                        without_empty_kinds(&expected),
                        "{from} to {to}, {name}"
                    );
                }
                assert_eq!(rows(&actual).len(), rows(expected).len());
            }
            assert!(actual.is_empty(), "{actual:?}");
        }
    }
}

#[test]
fn converting_twice_changes_nothing_more() {
    for (version, table) in recorded() {
        assert_eq!(
            convert(&table, version).map(|c| c.changes),
            None,
            "{version}"
        );
    }
}

#[test]
fn nodes_of_the_newest_version_and_later_get_the_table_as_it_is() {
    let table =
        json!({"plugins": [{"id": "a", "name": "cors", "config": {"allow_origin_absent": true}}]});
    for version in ["3.10.0", "3.12.0.1", "4.0.0"] {
        assert_eq!(convert(&table, Version::parse(version).unwrap()), None);
    }
    assert!(convert(&table, Version::new(3, 9, 3)).is_some());
}

#[test]
fn lost_values_are_noted_and_empty_ones_are_no_loss() {
    let table = json!({"plugins": [{"id": "p1", "name": "jwt", "config": {"realm": "r"}},
        {"id": "p2", "name": "jwt", "config": {"realm": null}}]});
    let converted = convert(&table, Version::new(3, 7, 0)).unwrap();
    assert_eq!(converted.table["plugins"][0]["config"], json!({}));
    assert_eq!(converted.table["plugins"][1]["config"], json!({}));
    let [lost, dropped] = &converted.changes[..] else {
        panic!("{:?}", converted.changes);
    };
    assert!(lost.is_loss() && !dropped.is_loss());
    assert_eq!((lost.id.as_str(), lost.field.as_str()), ("p1", "realm"));
    assert_eq!(lost.plugin.as_deref(), Some("jwt"));
    assert_eq!(
        (lost.since, dropped.action),
        (Version::new(3, 8, 0), Action::Dropped)
    );
}

#[test]
fn rows_of_odd_form_are_left_alone() {
    let table = json!({"plugins": [1, null, {"name": 3}, {"name": "acme", "config": []},
        {"name": "acme", "config": {"storage_config": 1}}], "services": {}, "x": "y"});
    assert_eq!(convert(&table, Version::new(3, 0, 0)), None);
    assert_eq!(convert(&json!([]), Version::new(3, 0, 0)), None);
}

#[test]
fn nodes_of_the_open_source_line_get_neither_groups_nor_what_hangs_on_them() {
    let table = json!({
        "_format_version": "3.0",
        "consumers": [{"id": "c"}],
        "consumer_groups": [{"id": "g", "name": "gold"}],
        "consumer_group_consumers": [{"id": "m", "consumer_group": "g", "consumer": "c"}],
        "plugins": [
            {"id": "p", "name": "rate-limiting", "consumer_group": "g"},
            {"id": "q", "name": "rate-limiting", "consumer_group": null},
        ],
        "upstreams": [{"id": "u", "algorithm": "sticky-sessions", "sticky_sessions_cookie": "c"}],
        "vaults": [{"id": "v", "name": "konnect"}],
    });
    let converted = for_open_source(&table).expect("there are groups");
    assert_eq!(
        converted.table,
        json!({
            "_format_version": "3.0",
            "consumers": [{"id": "c"}],
            "plugins": [{"id": "q", "name": "rate-limiting", "consumer_group": null}],
            "upstreams": [{"id": "u", "algorithm": "round-robin"}],
        })
    );
    let ids: Vec<_> = converted
        .changes
        .iter()
        .map(|change| change.id.as_str())
        .collect();
    assert_eq!(ids, ["g", "m", "p", "u", "v"]);
    assert!(converted.changes.iter().all(Change::is_loss));
    let without = json!({"services": [{"id": "s"}], "vaults": [{"name": "env"}]});
    assert_eq!(for_open_source(&without), None);
}
