//! The file itself: reopening, another process, damage, other programs, newer releases.

use std::io::{Seek as _, SeekFrom, Write as _};

use gatehouse_store::{ListQuery, StoreError};
use test_support::TempDir;

use crate::common::*;

#[tokio::test]
async fn reopened_store_has_what_was_written() {
    let folder = TempDir::new("store");
    let path = folder.join("a.db");
    let store = open(&path).unwrap();
    let rows = vec![
        insert("consumers", consumer(1, "alice")),
        insert("keyauth_credentials", credential(2, "k", 1)),
    ];
    apply(&store, rows).await.unwrap();
    drop(store);

    let store = open(&path).unwrap();

    assert_eq!(store.version(PLANE).await.unwrap(), 1);
    let found = store
        .find(PLANE, "keyauth_credentials", "key", "k")
        .await
        .unwrap();
    assert_eq!(found, Some(credential(2, "k", 1)));
    let error = apply(&store, vec![insert("consumers", consumer(3, "alice"))])
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Unique { .. }), "{error}");
}

#[tokio::test]
async fn store_in_use_is_not_opened_twice() {
    let folder = TempDir::new("store");
    let path = folder.join("a.db");
    let store = open(&path).unwrap();

    assert_eq!(
        open(&path).unwrap_err(),
        StoreError::Locked {
            place: path.display().to_string()
        }
    );

    drop(store);
    open(&path).unwrap();
}

#[tokio::test]
async fn clones_keep_the_store_open() {
    let folder = TempDir::new("store");
    let store = open(&folder.join("a.db")).unwrap();
    let clone = store.clone();
    drop(store);
    apply(&clone, vec![insert("services", service(1, "s"))])
        .await
        .unwrap();
    assert_eq!(clone.count(PLANE, "services").await.unwrap(), 1);
}

#[tokio::test]
async fn file_of_a_newer_release_is_refused_and_left_alone() {
    let folder = TempDir::new("store");
    let path = folder.join("a.db");
    drop(open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();

    let error = open(&path).unwrap_err();

    let StoreError::Newer {
        found: 99, known, ..
    } = error
    else {
        panic!("{error}")
    };
    assert!(known < 99);
    assert!(
        error.to_string().contains("start the newer release"),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn database_of_another_program_is_refused() {
    let folder = TempDir::new("store");
    let path = folder.join("a.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("CREATE TABLE notes (text TEXT)")
        .unwrap();
    drop(connection);

    assert_eq!(
        open(&path).unwrap_err(),
        StoreError::NotAStore {
            place: path.display().to_string()
        }
    );
}

#[tokio::test]
async fn file_that_is_no_database_is_named_with_a_next_step() {
    let folder = TempDir::new("store");
    let path = folder.join("a.db");
    std::fs::write(&path, b"this is a text file, not a database; ".repeat(100)).unwrap();

    let error = open(&path).unwrap_err();

    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("a.db") && text.contains("restore"), "{text}");
}

#[tokio::test]
async fn damage_inside_the_file_is_reported_not_read() {
    let folder = TempDir::new("store");
    let path = folder.join("a.db");
    let store = open(&path).unwrap();
    let rows = (1..=2_000)
        .map(|n| insert("services", service(n, &format!("s{n}"))))
        .collect();
    apply(&store, rows).await.unwrap();
    drop(store);
    // Every page after the first few becomes noise.
    let length = std::fs::metadata(&path).unwrap().len();
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(40 * 4096)).unwrap();
    let noise = vec![0xA5; usize::try_from(length - 40 * 4096).unwrap()];
    file.write_all(&noise).unwrap();
    drop(file);

    let store = open(&path).unwrap();
    let mut failures = Vec::new();
    failures.extend(
        store
            .list(PLANE, "services", ListQuery::default())
            .await
            .err(),
    );
    failures.extend(store.export(PLANE).await.err());
    failures.extend(
        apply(&store, vec![insert("services", service(9_999, "x"))])
            .await
            .err(),
    );

    assert!(!failures.is_empty());
    for error in failures {
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    }
}

#[tokio::test]
async fn folder_that_cannot_be_made_is_named() {
    let folder = TempDir::new("store");
    std::fs::write(folder.join("file"), b"").unwrap();

    let error = open(&folder.join("file/a.db")).unwrap_err();

    assert!(matches!(error, StoreError::Storage { .. }), "{error}");
    assert!(error.to_string().contains("file"), "{error}");
}

#[tokio::test]
async fn backup_taken_while_writing_is_one_state() {
    let folder = TempDir::new("store");
    let store = open(&folder.join("a.db")).unwrap();
    let mut writes = tokio::task::JoinSet::new();
    for n in 1..=300 {
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
    store.backup(folder.join("copy.db")).await.unwrap();
    writes.join_all().await;

    let copy = open(&folder.join("copy.db")).unwrap();
    let export = copy.export(PLANE).await.unwrap();
    assert!(export.version > 0);
    for kind in ["services", "routes"] {
        assert_eq!(
            u64::try_from(export.tables[kind].len()).unwrap(),
            export.version
        );
    }
    apply(&copy, vec![insert("services", service(1_000, "new"))])
        .await
        .unwrap();
}

#[tokio::test]
async fn backup_never_overwrites() {
    let folder = TempDir::new("store");
    let store = open(&folder.join("a.db")).unwrap();
    std::fs::write(folder.join("precious"), b"precious").unwrap();

    let error = store.backup(folder.join("precious")).await.unwrap_err();

    assert!(error.to_string().contains("precious"), "{error}");
    assert_eq!(std::fs::read(folder.join("precious")).unwrap(), b"precious");
    assert!(store.backup(folder.join("none/copy.db")).await.is_err());
    assert!(store.backup(folder.join("a.db")).await.is_err());
    apply(&store, vec![insert("services", service(1, "s"))])
        .await
        .unwrap();
}
