//! What only the inside can show: clearing away, migrations, where a plan looks.

use std::sync::Arc;

use serde_json::json;
use test_support::TempDir;
use uuid::Uuid;

use super::Database;
use super::writer::Task;
use crate::limits::QUEUE_LIMIT;
use crate::{
    Actor, Batch, Body, KindFacts, ListQuery, Model, Operation, Reference, TagFilter, UniqueKey,
};

struct Keys;

impl Model for Keys {
    fn kinds(&self) -> Vec<KindFacts> {
        vec![KindFacts {
            name: "keys",
            is_exported: true,
            has_ttl: true,
            sealed: vec![],
        }]
    }
    fn unique_keys(&self, _kind: &str, _body: &Body) -> Vec<UniqueKey> {
        Vec::new()
    }
    fn references(&self, _kind: &str, _body: &Body) -> Vec<Reference> {
        Vec::new()
    }
}

const PLANE: Uuid = Uuid::from_u128(1);

fn open(folder: &TempDir) -> Database {
    let sealer = Arc::new(pki::Sealer::from_key(&[7; 32]).unwrap());
    Database::open(folder.join("a.db"), sealer, Arc::new(Keys)).unwrap()
}

fn batch(rows: impl Iterator<Item = serde_json::Value>) -> Batch {
    let insert = |row: serde_json::Value| Operation::Insert {
        kind: "keys",
        body: row.as_object().unwrap().clone(),
    };
    Batch {
        control_plane: PLANE,
        actor: Actor::system(),
        operations: rows.map(insert).collect(),
    }
}

fn rows_on_disk(folder: &TempDir) -> i64 {
    let connection = super::open::open_reader(&folder.join("a.db")).unwrap();
    connection
        .query_row("SELECT count(*) FROM entity", [], |row| row.get(0))
        .unwrap()
}

#[tokio::test]
async fn sweep_clears_expired_rows_away_and_makes_a_version() {
    let folder = TempDir::new("store");
    let database = open(&folder);
    let start = clock::unix_millis();
    let frozen = clock::freeze(start);
    let row = |n: u128| json!({ "id": Uuid::from_u128(n), "ttl": if n < 3 { 10 } else { 100 } });
    database.apply(batch((0..5).map(row))).await.unwrap();
    database.writer.run(Task::Sweep).await.unwrap();
    assert_eq!(
        (
            rows_on_disk(&folder),
            database.version(PLANE).await.unwrap()
        ),
        (5, 1)
    );
    drop(frozen);
    let _frozen = clock::freeze(start + 11_000);
    let mut notices = database.subscribe();

    database.writer.run(Task::Sweep).await.unwrap();

    assert_eq!(
        (
            rows_on_disk(&folder),
            database.version(PLANE).await.unwrap()
        ),
        (2, 2)
    );
    assert_eq!(notices.recv().await.unwrap().version, 2);
    let trail = database.audit(PLANE, 1, 10).await.unwrap();
    assert_eq!(trail[0].actor_kind, "system");
}

#[tokio::test]
async fn reader_connections_cannot_write() {
    let folder = TempDir::new("store");
    let _database = open(&folder);
    let reader = super::open::open_reader(&folder.join("a.db")).unwrap();
    assert!(reader.execute("DELETE FROM entity", []).is_err());
}

#[tokio::test]
async fn commits_are_synced() {
    let folder = TempDir::new("store");
    drop(open(&folder));
    let (connection, _lock) = super::open::open_writer(&folder.join("a.db")).unwrap();
    let pragma = |name: &str| -> String {
        let value = |row: &rusqlite::Row<'_>| Ok(format!("{:?}", row.get_ref(0)?));
        connection
            .query_row(&format!("PRAGMA {name}"), [], value)
            .unwrap()
    };
    // 2 is FULL.
    assert!(
        pragma("synchronous").contains("2"),
        "{}",
        pragma("synchronous")
    );
    let mode: String = connection
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

/// A copy of the file alone lacks what is only in the write-ahead log.
#[tokio::test]
async fn write_ahead_log_is_carried_into_the_file_when_nobody_writes() {
    let folder = TempDir::new("store");
    let database = open(&folder);
    let row = |n: u128| json!({ "id": Uuid::from_u128(n), "text": "x".repeat(2_000) });
    database.apply(batch((0..1_000).map(row))).await.unwrap();
    let (file, alone) = (folder.join("a.db"), folder.join("alone.db"));
    let rows_in_file = || {
        std::fs::copy(&file, &alone).unwrap();
        let connection = rusqlite::Connection::open(&alone).unwrap();
        let count = connection.query_row("SELECT count(*) FROM entity", [], |row| row.get(0));
        count.unwrap_or(0_i64)
    };
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while rows_in_file() < 1_000 {
        assert!(tokio::time::Instant::now() < end, "nothing was carried");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn full_queue_turns_requests_away_after_a_while() {
    let folder = TempDir::new("store");
    let database = open(&folder);
    let taken = u32::try_from(QUEUE_LIMIT).unwrap();
    let places = database
        .writer
        .places()
        .acquire_many_owned(taken)
        .await
        .unwrap();

    let error = database.apply(batch(std::iter::empty())).await.unwrap_err();

    assert!(
        error.to_string().contains("too many writes are waiting"),
        "{error}"
    );
    drop(places);
    database.apply(batch(std::iter::empty())).await.unwrap();
}

/// Every list starts at its place in an index; none sorts or reads a whole table.
#[tokio::test]
async fn lists_neither_scan_nor_sort() {
    let folder = TempDir::new("store");
    let database = open(&folder);
    let connection = super::open::open_reader(&folder.join("a.db")).unwrap();
    let reading = super::Reading {
        connection: &connection,
        codec: &database.codec,
        plane: PLANE,
        now: 0,
    };
    let after = Some(Uuid::nil());
    let tags = |filter| ListQuery {
        after,
        tags: Some(filter),
        ..ListQuery::default()
    };
    let queries = [
        ListQuery {
            after,
            ..ListQuery::default()
        },
        ListQuery {
            after,
            parent: Some(("f".to_owned(), PLANE)),
            ..ListQuery::default()
        },
        tags(TagFilter::All(vec!["a".to_owned(), "b".to_owned()])),
        tags(TagFilter::Any(vec!["a".to_owned(), "b".to_owned()])),
    ];
    for query in queries {
        let plan = reading
            .plan("keys", &query)
            .unwrap_or_else(|_| panic!("{query:?}"));
        let is_scan = |step: &String| step.starts_with("SCAN") || step.contains("ORDER BY");
        assert!(!plan.iter().any(is_scan), "{query:?}: {plan:#?}");
    }
}

/// What runs for every row that changes, and every minute, finds its rows by an index.
#[tokio::test]
async fn derived_rows_and_old_history_are_found_by_their_indexes() {
    let folder = TempDir::new("store");
    let _database = open(&folder);
    let connection = super::open::open_reader(&folder.join("a.db")).unwrap();
    let plan = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Vec<String> {
        let mut explain = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let steps = explain.query_map(values, |row| row.get(3)).unwrap();
        steps.map(Result::unwrap).collect()
    };
    for sql in super::apply::DROP_DERIVED {
        let steps = plan(sql, &[&PLANE, &"keys", &PLANE]);
        let columns = "(control_plane=? AND kind=? AND id=?)";
        assert!(
            steps.len() == 1 && steps[0].ends_with(columns),
            "{sql}: {steps:?}"
        );
    }
    let steps = plan(super::history::RAISE_FLOOR, &[&1, &1]);
    assert!(
        !steps.iter().any(|step| step.starts_with("SCAN history")),
        "{steps:#?}"
    );
}

#[tokio::test]
async fn request_that_is_refused_among_others_takes_none_of_them_with_it() {
    let folder = TempDir::new("store");
    let database = open(&folder);
    let row = |n: u128| json!({ "id": Uuid::from_u128(n) });
    let replace = |kind: &str, ids: std::ops::Range<u128>| {
        let rows = batch(ids.map(row)).operations.into_iter();
        let bodies = rows.filter_map(|operation| match operation {
            Operation::Insert { body, .. } | Operation::Upsert { body, .. } => Some(body),
            _ => None,
        });
        let tables = crate::pack([(kind.to_owned(), bodies.collect())].into());
        Batch {
            operations: vec![Operation::ReplaceAll { tables }],
            ..batch(std::iter::empty())
        }
    };

    let (first, large, unknown, last, taken) = tokio::join!(
        database.apply(batch([row(1)].into_iter())),
        database.apply(replace("keys", 2..4)),
        database.apply(replace("unknown", 5..6)),
        database.apply(batch([row(4)].into_iter())),
        database.apply(Batch {
            operations: vec![Operation::Delete {
                kind: "keys",
                id: Uuid::from_u128(1)
            }],
            ..batch(std::iter::empty())
        }),
    );

    assert_eq!(first.unwrap().version, 1);
    assert_eq!(large.unwrap().changed, 3);
    assert!(matches!(
        unknown,
        Err(crate::StoreError::UnknownKind { .. })
    ));
    assert_eq!(last.unwrap().version, 3);
    assert!(matches!(taken, Err(crate::StoreError::NotFound { .. })));
    assert_eq!(rows_on_disk(&folder), 3);
}
