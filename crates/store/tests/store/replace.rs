//! Replacing a whole configuration: the smallest change, and a consistent end.

use std::collections::BTreeMap;

use gatehouse_store::{Applied, Body, ChangeKind, Changes, Operation, Store, StoreError, pack};
use serde_json::json;

use crate::common::*;

async fn replace(store: &Store, tables: &[(&str, Vec<Body>)]) -> Result<Applied, StoreError> {
    let tables: BTreeMap<String, Vec<Body>> = tables
        .iter()
        .map(|(kind, rows)| ((*kind).to_owned(), rows.clone()))
        .collect();
    let tables = pack(tables);
    apply(store, vec![Operation::ReplaceAll { tables }]).await
}

fn dated(mut row: Body, moment: u64) -> Body {
    row.insert("created_at".to_owned(), moment.into());
    row.insert("updated_at".to_owned(), moment.into());
    row
}

async fn importing_the_same_again_changes_nothing(place: Place) {
    let store = place.open().unwrap();
    let import = |moment| {
        vec![
            (
                "services",
                vec![
                    dated(service(1, "a"), moment),
                    dated(service(2, "b"), moment),
                ],
            ),
            ("routes", vec![dated(route(3, "r", 1), moment)]),
        ]
    };
    let first = replace(&store, &import(100)).await.unwrap();
    assert_eq!((first.version, first.changed), (1, 3));

    let mut notices = store.subscribe();
    let again = replace(&store, &import(200)).await.unwrap();

    assert_eq!((again.version, again.changed), (1, 0));
    assert_eq!(
        store.get(PLANE, "services", id(1)).await.unwrap().unwrap()["created_at"],
        100
    );
    assert_eq!(
        store.get(PLANE, "services", id(1)).await.unwrap().unwrap()["updated_at"],
        100
    );
    assert_eq!(store.audit(PLANE, 0, 10).await.unwrap().len(), 1);
    assert!(notices.try_recv().is_err());
}

async fn import_touches_only_rows_that_differ(place: Place) {
    let store = place.open().unwrap();
    let first = [(
        "services",
        (1..=3)
            .map(|n| dated(service(n, &format!("s{n}")), 100))
            .collect(),
    )];
    replace(&store, &first).await.unwrap();

    let mut changed = dated(service(2, "s2"), 200);
    changed.insert("host".to_owned(), json!("other.example.com"));
    let rows = vec![
        dated(service(1, "s1"), 200),
        changed,
        dated(service(4, "s4"), 200),
    ];
    let second = replace(&store, &[("services", rows)]).await.unwrap();

    assert_eq!((second.version, second.changed), (2, 3));
    let Changes::Since(mut log) = store.changes(PLANE, 1).await.unwrap() else {
        panic!()
    };
    log.sort_by_key(|change| change.id);
    let log: Vec<_> = log
        .iter()
        .map(|change| (change.id, change.change))
        .collect();
    let (written, removed) = (ChangeKind::Written, ChangeKind::Removed);
    assert_eq!(log, [(id(2), written), (id(3), removed), (id(4), written)]);
    let changed = store.get(PLANE, "services", id(2)).await.unwrap().unwrap();
    assert_eq!(changed["host"], "other.example.com");
    // It was made then and changed now.
    assert_eq!(
        (&changed["created_at"], &changed["updated_at"]),
        (&json!(100), &json!(200))
    );
    assert_eq!(
        store.get(PLANE, "services", id(4)).await.unwrap().unwrap()["created_at"],
        200
    );
}

async fn order_of_members_is_no_difference(place: Place) {
    let store = place.open().unwrap();
    let one = body(json!({ "id": id(1), "name": "a", "x": { "p": [1, 2], "q": null } }));
    let two = body(json!({ "x": { "q": null, "p": [1, 2] }, "name": "a", "id": id(1) }));
    let three = body(json!({ "x": { "q": null, "p": [2, 1] }, "name": "a", "id": id(1) }));
    replace(&store, &[("services", vec![one])]).await.unwrap();

    assert_eq!(
        replace(&store, &[("services", vec![two])])
            .await
            .unwrap()
            .changed,
        0
    );
    assert_eq!(
        replace(&store, &[("services", vec![three])])
            .await
            .unwrap()
            .changed,
        1
    );
}

async fn rows_may_swap_their_unique_values(place: Place) {
    let store = place.open().unwrap();
    replace(
        &store,
        &[("services", vec![service(1, "a"), service(2, "b")])],
    )
    .await
    .unwrap();

    replace(
        &store,
        &[("services", vec![service(1, "b"), service(2, "a")])],
    )
    .await
    .unwrap();
    let found = store
        .find(PLANE, "services", "name", "a")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, service(2, "a"));

    // A new row may take the name of one that goes.
    replace(
        &store,
        &[("services", vec![service(1, "b"), service(3, "a")])],
    )
    .await
    .unwrap();
    let found = store
        .find(PLANE, "services", "name", "a")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, service(3, "a"));
}

async fn inconsistent_documents_change_nothing(place: Place) {
    let store = place.open().unwrap();
    let good = [
        ("services", vec![service(1, "a")]),
        ("routes", vec![route(2, "r", 1)]),
    ];
    replace(&store, &good).await.unwrap();

    let twice = [("services", vec![service(1, "a"), service(5, "a")])];
    let same_id = [("services", vec![service(5, "x"), service(5, "y")])];
    let dangling = [
        ("services", vec![service(5, "x")]),
        ("routes", vec![route(2, "r", 1)]),
    ];
    let dangling_new = [
        ("services", vec![service(1, "a")]),
        ("routes", vec![route(3, "r", 9)]),
    ];
    let unknown = [("gadgets", vec![])];
    let not_exported = [("notes", vec![])];
    let refused = [
        replace(&store, &twice).await.unwrap_err(),
        replace(&store, &same_id).await.unwrap_err(),
        replace(&store, &dangling).await.unwrap_err(),
        replace(&store, &dangling_new).await.unwrap_err(),
        replace(&store, &unknown).await.unwrap_err(),
        replace(&store, &not_exported).await.unwrap_err(),
    ];

    assert!(
        matches!(refused[0], StoreError::Unique { .. }),
        "{}",
        refused[0]
    );
    assert!(
        matches!(refused[1], StoreError::PrimaryKey { .. }),
        "{}",
        refused[1]
    );
    assert!(
        matches!(refused[2], StoreError::Foreign { .. }),
        "{}",
        refused[2]
    );
    assert!(
        matches!(refused[3], StoreError::Foreign { .. }),
        "{}",
        refused[3]
    );
    assert!(
        matches!(refused[4], StoreError::UnknownKind { .. }),
        "{}",
        refused[4]
    );
    assert!(
        matches!(refused[5], StoreError::Malformed { .. }),
        "{}",
        refused[5]
    );
    let export = store.export(PLANE).await.unwrap();
    assert_eq!(export.version, 1);
    let tables = export.open();
    assert_eq!(tables["services"], [service(1, "a")]);
    assert_eq!(tables["routes"], [route(2, "r", 1)]);
}

async fn empty_document_empties_and_rows_outside_documents_follow_their_rule(place: Place) {
    let store = place.open().unwrap();
    let note = |number, field: &str, target: u128| {
        insert(
            "notes",
            body(json!({ "id": id(number), field: { "id": id(target) } })),
        )
    };
    let rows = vec![
        insert("services", service(1, "a")),
        insert("routes", route(2, "r", 1)),
        insert("consumers", consumer(3, "c")),
        note(4, "service", 1),
        note(5, "consumer", 3),
    ];
    apply(&store, rows).await.unwrap();

    replace(&store, &[]).await.unwrap();

    assert!(store.export(PLANE).await.unwrap().tables.is_empty());
    let kept = store.get(PLANE, "notes", id(4)).await.unwrap().unwrap();
    assert_eq!(kept["service"], json!(null));
    assert_eq!(store.get(PLANE, "notes", id(5)).await.unwrap(), None);
}

async fn more_rows_than_the_log_takes_ask_for_an_export(place: Place) {
    let store = place.open().unwrap();
    let rows = (1..=10_001).map(|n| service(n, &format!("s{n}"))).collect();
    replace(&store, &[("services", rows)]).await.unwrap();

    assert_eq!(store.changes(PLANE, 0).await.unwrap(), Changes::TooOld);
    assert_eq!(
        store.changes(PLANE, 1).await.unwrap(),
        Changes::Since(vec![])
    );
    assert_eq!(
        store.export(PLANE).await.unwrap().tables["services"].len(),
        10_001
    );
}

on_both_stores! {
    importing_the_same_again_changes_nothing,
    import_touches_only_rows_that_differ,
    order_of_members_is_no_difference,
    rows_may_swap_their_unique_values,
    inconsistent_documents_change_nothing,
    empty_document_empties_and_rows_outside_documents_follow_their_rule,
    more_rows_than_the_log_takes_ask_for_an_export,
}
