//! The file: newer releases, other programs, damage.

use gatehouse_analytics::{Analytics, AnalyticsError};
use test_support::TempDir;

use crate::common::*;

#[tokio::test]
async fn file_of_a_newer_release_is_refused() {
    let folder = TempDir::new("analytics");
    drop(open(&folder));
    let path = folder.join("analytics.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 77).unwrap();
    drop(connection);

    let error = Analytics::open(&path).unwrap_err();

    assert_eq!(
        error,
        AnalyticsError::Newer {
            path,
            found: 77,
            known: 1
        }
    );
}

#[tokio::test]
async fn database_of_another_program_is_refused() {
    let folder = TempDir::new("analytics");
    let path = folder.join("analytics.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("CREATE TABLE notes (text TEXT)")
        .unwrap();
    drop(connection);

    assert_eq!(
        Analytics::open(&path).unwrap_err(),
        AnalyticsError::Foreign { path }
    );
}

#[tokio::test]
async fn file_that_is_no_database_is_named_with_a_next_step() {
    let folder = TempDir::new("analytics");
    let path = folder.join("analytics.db");
    std::fs::write(&path, b"not a database at all. ".repeat(100)).unwrap();

    let error = Analytics::open(&path).unwrap_err();

    assert!(matches!(error, AnalyticsError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("move it away"), "{error}");
}

#[tokio::test]
async fn folder_is_made() {
    let folder = TempDir::new("analytics");
    let analytics = Analytics::open(&folder.join("a/b/analytics.db")).unwrap();
    let (now, _frozen) = frozen_minute();
    ingest(&analytics, batch(1, vec![record(now, 1, 1, 200)])).await;
    assert_eq!(all(&analytics, now).await.totals.count, 1);
}
