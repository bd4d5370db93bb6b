//! What lies on the disk, and what ends by itself.

use gatehouse_store::{Body, ListQuery, Operation, Store, StoreError, pack};
use serde_json::json;
use test_support::TempDir;

use crate::common::*;

fn everything_in(folder: &TempDir) -> Vec<u8> {
    let files = std::fs::read_dir(folder.path()).unwrap();
    files
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn credentials_never_lie_on_the_disk_in_clear() {
    let folder = TempDir::new("store");
    let path = folder.join("a.db");
    let store = open(&path).unwrap();
    let certificate = body(json!({ "id": id(1), "cert": "PUBLIC-PART", "key": "PRIVATE-PART" }));
    apply(
        &store,
        vec![
            insert("certificates", certificate.clone()),
            insert("consumers", consumer(2, "alice-in-clear")),
            insert("keyauth_credentials", credential(3, "API-KEY-OF-ALICE", 2)),
        ],
    )
    .await
    .unwrap();

    let on_disk = everything_in(&folder);

    assert!(contains(&on_disk, "alice-in-clear") && contains(&on_disk, "PUBLIC-PART"));
    assert!(!contains(&on_disk, "PRIVATE-PART"));
    assert!(!contains(&on_disk, "API-KEY-OF-ALICE"));
    // Through the front door they are there, at the place where they were.
    let read = store
        .get(PLANE, "certificates", id(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        serde_json::to_string(&read).unwrap(),
        serde_json::to_string(&certificate).unwrap()
    );
    let found = store
        .find(PLANE, "keyauth_credentials", "key", "API-KEY-OF-ALICE")
        .await
        .unwrap();
    assert_eq!(found.unwrap(), credential(3, "API-KEY-OF-ALICE", 2));
    let exported = store.export(PLANE).await.unwrap().open();
    assert_eq!(exported["certificates"], [certificate]);
}

#[cfg(unix)]
#[tokio::test]
async fn files_belong_to_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new("store");
    let store = open(&folder.join("deep/er/a.db")).unwrap();
    apply(&store, vec![insert("services", service(1, "s"))])
        .await
        .unwrap();

    let files: Vec<_> = std::fs::read_dir(folder.join("deep/er")).unwrap().collect();
    assert!(files.len() >= 3);
    for file in files {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(
            mode & 0o077,
            0,
            "{} has mode {mode:o}",
            file.path().display()
        );
    }
}

async fn store_does_not_open_with_another_sealing_key(place: Place) {
    drop(place.open().unwrap());

    let error = place.open_with_key(2).unwrap_err();

    assert!(matches!(error, StoreError::Unsealable { .. }), "{error}");
    place.open().unwrap();
}

async fn sealed_value_moved_to_another_row_does_not_open(place: Place) {
    let store = place.open().unwrap();
    let certificate = |n| body(json!({ "id": id(n), "key": format!("key-{n}") }));
    let rows = vec![
        insert("certificates", certificate(1)),
        insert("certificates", certificate(2)),
    ];
    apply(&store, rows).await.unwrap();

    // The rows of the certificates that end in 1 and 2.
    place.sql(
        "UPDATE entity SET sealed = (SELECT o.sealed FROM entity o WHERE o.seq =
         (SELECT min(seq) FROM entity)) WHERE seq = (SELECT max(seq) FROM entity)",
    );

    let error = store.get(PLANE, "certificates", id(2)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unsealable { .. }), "{error}");
    assert!(
        store
            .get(PLANE, "certificates", id(1))
            .await
            .unwrap()
            .is_some()
    );
}

fn ending(number: u128, key: &str, ttl: serde_json::Value) -> Body {
    let mut row = credential(number, key, 1);
    row.insert("ttl".to_owned(), ttl);
    row
}

async fn three_credentials(store: &Store) {
    let rows = vec![
        insert("consumers", consumer(1, "alice")),
        insert("keyauth_credentials", ending(2, "short", json!(10))),
        insert("keyauth_credentials", ending(3, "long", json!(99.5))),
        insert("keyauth_credentials", ending(4, "ever", json!(null))),
    ];
    apply(store, rows).await.unwrap();
}

async fn ttl_is_what_is_left_for_a_reader_and_a_moment_in_an_export(place: Place) {
    let store = place.open().unwrap();
    let start = clock::unix_millis() / 1000 * 1000;
    let frozen = clock::freeze(start);
    three_credentials(&store).await;
    drop(frozen);
    let _frozen = clock::freeze(start + 4_000);

    let read = store
        .get(PLANE, "keyauth_credentials", id(2))
        .await
        .unwrap()
        .unwrap();
    let export = store.export(PLANE).await.unwrap().open();

    assert_eq!(read["ttl"], 6);
    let table = &export["keyauth_credentials"];
    let ends: Vec<_> = table.iter().map(|row| row.get("ttl")).collect();
    let (short, long) = (json!(start / 1000 + 10), json!(start / 1000 + 100));
    assert_eq!(ends, [Some(&short), Some(&long), None]);
}

async fn expired_rows_are_gone_for_every_reader_and_free_their_values(place: Place) {
    let store = place.open().unwrap();
    let start = clock::unix_millis() / 1000 * 1000;
    let frozen = clock::freeze(start);
    three_credentials(&store).await;
    drop(frozen);
    let _frozen = clock::freeze(start + 10_000);

    let kind = "keyauth_credentials";
    assert_eq!(store.get(PLANE, kind, id(2)).await.unwrap(), None);
    assert_eq!(store.find(PLANE, kind, "key", "short").await.unwrap(), None);
    assert_eq!(store.count(PLANE, kind).await.unwrap(), 2);
    let page = store.list(PLANE, kind, ListQuery::default()).await.unwrap();
    assert_eq!((page.rows.len(), &page.rows[0]["ttl"]), (2, &json!(90)));
    assert_eq!(store.export(PLANE).await.unwrap().tables[kind].len(), 2);
    let body = ending(2, "short", json!(10));
    let error = apply(
        &store,
        vec![Operation::Update {
            kind,
            id: id(2),
            body,
        }],
    )
    .await
    .unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    // Both its key and its id can be taken again.
    apply(&store, vec![insert(kind, ending(9, "short", json!(5)))])
        .await
        .unwrap();
    apply(&store, vec![insert(kind, ending(2, "other", json!(5)))])
        .await
        .unwrap();
}

async fn import_of_a_ttl_that_is_a_moment_keeps_the_moment(place: Place) {
    let store = place.open().unwrap();
    let end = clock::unix_seconds() + 5_000;
    let tables = |ttl: u64| {
        let rows = [
            ("consumers".to_owned(), vec![consumer(1, "alice")]),
            (
                "keyauth_credentials".to_owned(),
                vec![ending(2, "k", json!(ttl))],
            ),
        ];
        vec![Operation::ReplaceAll {
            tables: pack(rows.into()),
        }]
    };
    assert_eq!(apply(&store, tables(end)).await.unwrap().changed, 2);
    assert_eq!(apply(&store, tables(end)).await.unwrap().changed, 0);
    assert_eq!(apply(&store, tables(end + 1)).await.unwrap().changed, 1);
    let export = store.export(PLANE).await.unwrap().open();
    assert_eq!(export["keyauth_credentials"][0]["ttl"], end + 1);
}

on_both_stores! {
    store_does_not_open_with_another_sealing_key,
    sealed_value_moved_to_another_row_does_not_open,
    ttl_is_what_is_left_for_a_reader_and_a_moment_in_an_export,
    expired_rows_are_gone_for_every_reader_and_free_their_values,
    import_of_a_ttl_that_is_a_moment_keeps_the_moment,
}
