//! Earlier states of a control plane.

use std::collections::BTreeMap;

use gatehouse_store::{Actor, Batch, Body, Export, Operation, REVISIONS_KEPT, Store, StoreError};
use test_support::TempDir;

use crate::common::*;

fn upsert(kind: &'static str, body: Body) -> Operation {
    Operation::Upsert { kind, body }
}

fn names(export: &Export, kind: &str) -> Vec<String> {
    let rows = export.tables.get(kind).into_iter().flatten();
    rows.map(|row| row.text_of("name").unwrap_or_default())
        .collect()
}

async fn at(store: &Store, version: u64) -> Export {
    let found = store.export_at(PLANE, version).await.unwrap();
    found.unwrap_or_else(|| panic!("version {version} is not kept"))
}

async fn every_version_reads_as_it_was(place: Place) {
    let store = place.open().unwrap();
    apply(&store, vec![upsert("services", service(1, "a"))])
        .await
        .unwrap();
    apply(
        &store,
        vec![
            upsert("services", service(1, "b")),
            upsert("services", service(2, "c")),
        ],
    )
    .await
    .unwrap();
    let kind = "services";
    apply(&store, vec![Operation::Delete { kind, id: id(1) }])
        .await
        .unwrap();

    assert_eq!(names(&at(&store, 0).await, kind), Vec::<String>::new());
    assert_eq!(names(&at(&store, 1).await, kind), ["a"]);
    assert_eq!(names(&at(&store, 2).await, kind), ["b", "c"]);
    assert_eq!(names(&at(&store, 3).await, kind), ["c"]);
    assert!(store.export_at(PLANE, 4).await.unwrap().is_none());
    assert_eq!(
        at(&store, 3).await.tables,
        store.export(PLANE).await.unwrap().tables
    );
}

async fn going_back_makes_a_version_with_the_old_content(place: Place) {
    let store = place.open().unwrap();
    apply(
        &store,
        vec![
            upsert("services", service(1, "a")),
            upsert("routes", route(3, "r", 1)),
            upsert("consumers", consumer(4, "u")),
            upsert("keyauth_credentials", credential(5, "k", 4)),
        ],
    )
    .await
    .unwrap();
    let before = store.export(PLANE).await.unwrap();
    apply(
        &store,
        vec![Operation::ReplaceAll {
            tables: BTreeMap::new(),
        }],
    )
    .await
    .unwrap();

    let tables = at(&store, 1).await.tables;
    let applied = apply(
        &store,
        vec![
            Operation::AtVersion { version: 2 },
            Operation::Note {
                text: "rolled back to 1".to_owned(),
            },
            Operation::ReplaceAll { tables },
        ],
    )
    .await
    .unwrap();

    assert_eq!(applied.version, 3);
    assert_eq!(store.export(PLANE).await.unwrap().tables, before.tables);
    let revisions = store.revisions(PLANE, None, 10).await.unwrap();
    assert_eq!((revisions.current, revisions.oldest), (3, 0));
    let versions: Vec<u64> = revisions
        .entries
        .iter()
        .map(|entry| entry.version)
        .collect();
    assert_eq!(versions, [3, 2, 1]);
    assert_eq!(revisions.entries[0].summary[0]["note"], "rolled back to 1");
    let older = store.revisions(PLANE, Some(2), 10).await.unwrap();
    assert_eq!(older.entries.len(), 1);
}

async fn two_versions_are_compared_in_both_directions(place: Place) {
    let store = place.open().unwrap();
    apply(
        &store,
        vec![
            upsert("services", service(1, "a")),
            upsert("services", service(2, "x")),
        ],
    )
    .await
    .unwrap();
    apply(&store, vec![upsert("services", service(1, "b"))])
        .await
        .unwrap();
    apply(
        &store,
        vec![Operation::Delete {
            kind: "services",
            id: id(2),
        }],
    )
    .await
    .unwrap();
    apply(&store, vec![upsert("services", service(1, "c"))])
        .await
        .unwrap();

    let changes = store.changes_between(PLANE, 1, 3).await.unwrap().unwrap();
    let shown: Vec<_> = changes
        .iter()
        .map(|change| {
            let name = |body: &Option<Body>| body.as_ref().map(|body| body["name"].to_string());
            (change.id, name(&change.before), name(&change.after))
        })
        .collect();
    let text = |name: &str| Some(format!("\"{name}\""));
    assert_eq!(
        shown,
        [(id(1), text("a"), text("b")), (id(2), text("x"), None)]
    );

    let back = store.changes_between(PLANE, 3, 1).await.unwrap().unwrap();
    assert_eq!(back[0].before, changes[0].after);
    assert_eq!(back[1].after, changes[1].before);
    assert!(
        store
            .changes_between(PLANE, 2, 2)
            .await
            .unwrap()
            .unwrap()
            .is_empty()
    );
    assert!(store.changes_between(PLANE, 0, 9).await.unwrap().is_none());
    assert!(
        !format!("{changes:?}").contains("\"a\""),
        "bodies are not printed"
    );
}

async fn a_refused_batch_leaves_no_trace_in_the_history(place: Place) {
    let store = place.open().unwrap();
    apply(&store, vec![upsert("services", service(1, "a"))])
        .await
        .unwrap();

    let moved = apply(
        &store,
        vec![
            Operation::AtVersion { version: 7 },
            upsert("services", service(1, "b")),
        ],
    )
    .await;
    assert!(
        matches!(
            moved,
            Err(StoreError::Moved {
                expected: 7,
                current: 1
            })
        ),
        "{moved:?}"
    );
    let taken = apply(
        &store,
        vec![
            upsert("services", service(1, "b")),
            upsert("services", service(2, "b")),
        ],
    )
    .await;
    assert!(matches!(taken, Err(StoreError::Unique { .. })), "{taken:?}");

    assert!(
        store
            .changes_between(PLANE, 0, 1)
            .await
            .unwrap()
            .unwrap()
            .len()
            == 1
    );
    apply(&store, vec![upsert("services", service(1, "c"))])
        .await
        .unwrap();
    assert_eq!(names(&at(&store, 1).await, "services"), ["a"]);
}

async fn only_so_many_versions_are_kept(place: Place) {
    let store = place.open().unwrap();
    for number in 0..REVISIONS_KEPT + 5 {
        let operation = upsert("services", service(1, &format!("n{number}")));
        apply(&store, vec![operation]).await.unwrap();
    }

    let revisions = store.revisions(PLANE, None, 1_000).await.unwrap();
    assert_eq!(
        (revisions.current, revisions.oldest),
        (REVISIONS_KEPT + 5, 5)
    );
    assert!(store.export_at(PLANE, 4).await.unwrap().is_none());
    assert_eq!(names(&at(&store, 5).await, "services"), ["n4"]);
    assert_eq!(revisions.entries.last().unwrap().version, 6);
}

async fn the_history_of_a_purged_control_plane_is_gone_and_others_stay(place: Place) {
    let store = place.open().unwrap();
    let other = uuid::Uuid::from_u128(77);
    for plane in [PLANE, other] {
        let operation = upsert("services", service(1, "a"));
        let batch = Batch::of_one(plane, Actor::system(), operation);
        store.apply(batch).await.unwrap();
    }

    store.purge(PLANE, Actor::system()).await.unwrap();

    let gone = store.revisions(PLANE, None, 10).await.unwrap();
    assert_eq!((gone.current, gone.entries.len()), (0, 0));
    assert_eq!(
        names(&at(&store, 0).await, "services"),
        Vec::<String>::new()
    );
    let stays = store.export_at(other, 1).await.unwrap().unwrap();
    assert_eq!(names(&stays, "services"), ["a"]);
    assert!(store.export_at(PLANE, 1).await.unwrap().is_none());
}

#[tokio::test]
async fn credentials_in_the_history_are_sealed() {
    let folder = TempDir::new("store");
    let path = folder.join("a.db");
    {
        let store = open(&path).unwrap();
        apply(
            &store,
            vec![
                upsert("consumers", consumer(4, "u")),
                upsert("keyauth_credentials", credential(5, "very-secret-key", 4)),
            ],
        )
        .await
        .unwrap();
        let kind = "keyauth_credentials";
        apply(&store, vec![Operation::Delete { kind, id: id(5) }])
            .await
            .unwrap();
        let rows = &at(&store, 1).await.tables["keyauth_credentials"];
        assert_eq!(rows[0].open()["key"], "very-secret-key");
    }
    let bytes = std::fs::read(&path).unwrap();
    let secret = b"very-secret-key";
    assert!(!bytes.windows(secret.len()).any(|window| window == secret));
}

on_both_stores! {
    every_version_reads_as_it_was,
    going_back_makes_a_version_with_the_old_content,
    two_versions_are_compared_in_both_directions,
    a_refused_batch_leaves_no_trace_in_the_history,
    only_so_many_versions_are_kept,
    the_history_of_a_purged_control_plane_is_gone_and_others_stay,
}
