//! Readers and writers at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatehouse_store::{Operation, Store};
use serde_json::json;

use crate::common::*;

/// Every batch gives all services the same number, so a mixture betrays itself.
fn generation(number: u128) -> Vec<Operation> {
    let mut operations: Vec<Operation> = (1..=20)
        .map(|n| {
            let mut row = service(n, &format!("s{n}"));
            row.insert("generation".to_owned(), json!(number.to_string()));
            Operation::Upsert {
                kind: "services",
                body: row,
            }
        })
        .collect();
    // The number of routes follows the generation too.
    operations.push(match number % 2 {
        0 => insert("routes", route(100, "r", 1)),
        _ => delete("routes", 100),
    });
    operations
}

async fn export_is_one_state_while_writers_write(place: Place) {
    let store = place.open().unwrap();
    apply(&store, generation(0)).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|_| tokio::spawn(read_until(store.clone(), done.clone())))
        .collect();

    for number in 1..=60 {
        apply(&store, generation(number)).await.unwrap();
    }
    done.store(true, Ordering::Relaxed);

    let mut exports = 0;
    for reader in readers {
        exports += reader.await.unwrap();
    }
    assert!(exports > 0);
    assert_eq!(store.version(PLANE).await.unwrap(), 61);
}

async fn read_until(store: Store, done: Arc<AtomicBool>) -> usize {
    let mut exports = 0;
    while !done.load(Ordering::Relaxed) {
        let export = store.export(PLANE).await.unwrap();
        let version = export.version;
        let generation = (version - 1).to_string();
        let tables = export.open();
        let services = &tables["services"];
        assert_eq!(services.len(), 20);
        assert!(
            services.iter().all(|row| row["generation"] == generation),
            "version {generation}"
        );
        let has_route = tables.contains_key("routes");
        assert_eq!(has_route, version % 2 == 1);
        exports += 1;
    }
    exports
}

async fn more_writers_than_the_queue_holds_all_get_through(place: Place) {
    let store = place.open().unwrap();
    let writers: Vec<_> = (1..=3_000)
        .map(|n| {
            let store = store.clone();
            let write = vec![insert("services", service(n, &format!("s{n}")))];
            tokio::spawn(async move { apply(&store, write).await })
        })
        .collect();

    let mut versions = Vec::new();
    for writer in writers {
        versions.push(writer.await.unwrap().unwrap().version);
    }

    versions.sort_unstable();
    assert_eq!(versions, (1..=3_000).collect::<Vec<u64>>());
    assert_eq!(store.count(PLANE, "services").await.unwrap(), 3_000);
}

async fn refused_write_leaves_its_neighbours_in_the_group(place: Place) {
    let store = place.open().unwrap();
    let mut succeeded = 0;
    let mut set = tokio::task::JoinSet::new();
    for n in 1..=200_u32 {
        let store = store.clone();
        set.spawn(async move {
            let name = if n % 3 == 0 {
                "same".to_owned()
            } else {
                format!("s{n}")
            };
            let rows = vec![
                insert("services", service(n.into(), &name)),
                insert("consumers", consumer(n.into(), &format!("c{n}"))),
            ];
            apply(&store, rows).await.is_ok()
        });
    }
    while let Some(result) = set.join_next().await {
        succeeded += u64::from(result.unwrap());
    }

    assert_eq!(succeeded, 200 - 66 + 1);
    assert_eq!(store.count(PLANE, "services").await.unwrap(), succeeded);
    assert_eq!(store.count(PLANE, "consumers").await.unwrap(), succeeded);
    assert_eq!(store.version(PLANE).await.unwrap(), succeeded);
}

async fn write_whose_caller_went_away_is_whole_or_absent(place: Place) {
    let store = place.open().unwrap();
    for n in 1..=50_u128 {
        let rows = vec![
            insert("services", service(n, &format!("s{n}"))),
            insert("routes", route(n, &format!("r{n}"), n)),
        ];
        let write = tokio::spawn({
            let store = store.clone();
            async move { apply(&store, rows).await }
        });
        tokio::task::yield_now().await;
        write.abort();
    }
    drop(store);

    // The last handle may still be inside an aborted task for a moment.
    let store = loop {
        match place.open() {
            Ok(store) => break store,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let services = store.count(PLANE, "services").await.unwrap();
    assert_eq!(services, store.count(PLANE, "routes").await.unwrap());
    assert_eq!(services, store.version(PLANE).await.unwrap());
}

on_both_stores! {
    threads:
    write_whose_caller_went_away_is_whole_or_absent,
    export_is_one_state_while_writers_write,
    more_writers_than_the_queue_holds_all_get_through,
    refused_write_leaves_its_neighbours_in_the_group,
}
