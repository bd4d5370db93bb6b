//! Stores as lines, and moving between databases.

use std::collections::VecDeque;

use gatehouse_store::{Expect, Location, Operation, RecordOperation, Store, StoreError, dump};
use serde_json::json;

use crate::common::*;

fn lines_of(location: &Location) -> Vec<String> {
    let mut lines = Vec::new();
    let count = dump::dump(location, &mut |line| {
        lines.push(line.to_owned());
        Ok(())
    });
    assert_eq!(usize::try_from(count.unwrap()).unwrap(), lines.len() - 1);
    lines
}

fn load(location: &Location, lines: &[String]) -> Result<u64, StoreError> {
    let mut left: VecDeque<String> = lines.iter().cloned().collect();
    dump::load(location, &mut || Ok(left.pop_front()))
}

/// A store with something in every table.
async fn filled(place: &Place) -> Store {
    let store = place.open().unwrap();
    let mut tagged = service(1, "a\u{0}b");
    tagged.insert("tags".to_owned(), json!(["x", "nul\u{0}"]));
    let rows = vec![
        insert("services", tagged),
        insert("routes", route(2, "r", 1)),
        insert("consumers", consumer(3, "c")),
        insert("keyauth_credentials", credential(4, "secret", 3)),
        insert(
            "certificates",
            body(json!({ "id": id(5), "key": "private" })),
        ),
    ];
    apply(&store, rows).await.unwrap();
    apply(&store, vec![delete("certificates", 5)])
        .await
        .unwrap();
    let put = RecordOperation::Put {
        space: "things",
        id: id(9),
        owner: id(8),
        body: json!({ "name": "thing" }),
        unique: vec![("name", "thing".to_owned())],
        expect: Expect::Absent,
    };
    store.record_batch(vec![put]).await.unwrap();
    store
}

async fn check_same(one: &Store, other: &Store) {
    let (first, second) = (
        one.export(PLANE).await.unwrap(),
        other.export(PLANE).await.unwrap(),
    );
    assert_eq!(
        (first.version, &first.tables),
        (second.version, &second.tables)
    );
    assert_eq!(first.version, 2);
    let found = other
        .find(PLANE, "keyauth_credentials", "key", "secret")
        .await
        .unwrap();
    assert_eq!(found, Some(credential(4, "secret", 3)));
    let at = |store: &Store| {
        let store = store.clone();
        async move { store.export_at(PLANE, 1).await.unwrap().unwrap().open() }
    };
    assert_eq!(at(one).await, at(other).await);
    assert_eq!(at(other).await["certificates"][0]["key"], "private");
    let record = other.record_find("things", "name", "thing").await.unwrap();
    assert_eq!(record, one.record_get("things", id(9)).await.unwrap());
    assert_eq!(
        one.changes(PLANE, 0).await.unwrap(),
        other.changes(PLANE, 0).await.unwrap()
    );
    assert_eq!(
        one.audit(PLANE, 0, 9).await.unwrap(),
        other.audit(PLANE, 0, 9).await.unwrap()
    );
    assert_eq!(
        one.tags(PLANE, None, None, 9).await.unwrap(),
        other.tags(PLANE, None, None, 9).await.unwrap()
    );
}

async fn loaded_store_is_the_same_in_either_database(place: Place) {
    let store = filled(&place).await;
    let lines = lines_of(&place.location());

    for target in [Place::sqlite(), Place::postgres()] {
        load(&target.location(), &lines).unwrap();

        let copy = target.open().unwrap();
        check_same(&store, &copy).await;
        // Counters go on where they were.
        let applied = apply(&copy, vec![insert("services", service(20, "new"))])
            .await
            .unwrap();
        assert_eq!(applied.version, 3);
        let taken = vec![insert("consumers", consumer(21, "c"))];
        let error = apply(&copy, taken).await.unwrap_err();
        assert!(matches!(error, StoreError::Unique { .. }), "{error}");
    }
}

async fn dump_taken_while_writing_is_one_state(place: Place) {
    let store = place.open().unwrap();
    let mut writes = tokio::task::JoinSet::new();
    for n in 1..=200 {
        let store = store.clone();
        writes.spawn(async move {
            let rows = vec![
                insert("services", service(n, &format!("s{n}"))),
                insert("routes", route(n, &format!("r{n}"), n)),
            ];
            apply(&store, rows).await.unwrap();
        });
    }
    writes.join_next().await;
    let location = place.location();
    let lines = tokio::task::spawn_blocking(move || lines_of(&location))
        .await
        .unwrap();
    writes.join_all().await;

    let target = Place::sqlite();
    load(&target.location(), &lines).unwrap();
    let export = target.open().unwrap().export(PLANE).await.unwrap();
    assert!(export.version > 0);
    for kind in ["services", "routes"] {
        let rows = u64::try_from(export.tables[kind].len()).unwrap();
        assert_eq!(rows, export.version);
    }
}

async fn loading_into_a_store_is_refused_and_changes_nothing(place: Place) {
    let store = filled(&place).await;
    let lines = lines_of(&place.location());
    drop(store);

    let error = load(&place.location(), &lines).unwrap_err().to_string();

    assert!(
        error.contains("already") && error.contains("empty"),
        "{error}"
    );
    assert_eq!(lines_of(&place.location()), lines);
}

async fn bad_lines_leave_nothing_behind(place: Place) {
    let good = {
        let source = Place::sqlite();
        filled(&source).await;
        lines_of(&source.location())
    };
    let with = |line: &str| [&good[..], &[line.to_owned()]].concat();
    for (lines, expected) in [
        (vec![], "format"),
        (vec!["{\"format\":2}".to_owned()], "this release knows 1"),
        (with("[]"), "not known"),
        (with("[\"secrets\",1]"), "not known"),
        (with("[\"meta\",1]"), "columns"),
        (with("[\"meta\",1,2]"), "`name`"),
        (with("not json"), "array"),
    ] {
        let error = load(&place.location(), &lines).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    // The place is as free as before.
    load(&place.location(), &good).unwrap();
    let store = place.open().unwrap();
    let gone = Operation::Delete {
        kind: "routes",
        id: id(2),
    };
    apply(&store, vec![gone]).await.unwrap();
}

on_both_stores! {
    threads:
    loaded_store_is_the_same_in_either_database,
    dump_taken_while_writing_is_one_state,
    loading_into_a_store_is_refused_and_changes_nothing,
    bad_lines_leave_nothing_behind,
}

#[test]
fn place_without_a_store_is_told() {
    let place = Place::sqlite();
    let error = dump::dump(&place.location(), &mut |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("no such file"), "{error}");
    let place = Place::postgres();
    let error = dump::dump(&place.location(), &mut |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("there is no store"), "{error}");
}
