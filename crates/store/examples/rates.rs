//! Prints how many single writes, pages and rows a second the store does on this disk:
//! `cargo run --release -p gatehouse-store --example rates -- FOLDER`.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use entities::{Catalogue, NoPlugins};
use gatehouse_store::{Actor, Batch, Body, ListQuery, Operation, Store, StoreOptions};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

const PLANE: Uuid = Uuid::from_u128(1);
const ROWS: u128 = 100_000;
const SPAN: Duration = Duration::from_secs(5);

fn service(number: u128) -> Body {
    let service = json!({
        "id": Uuid::from_u128(number), "name": format!("service-{number}"), "protocol": "http",
        "host": "upstream.example.com", "port": 80, "path": null, "retries": 5, "enabled": true,
        "connect_timeout": 60000, "read_timeout": 60000, "write_timeout": 60000, "tags": ["a"],
        "created_at": 1, "updated_at": 1,
    });
    match service {
        Value::Object(body) => body,
        _ => Body::new(),
    }
}

fn insert(number: u128) -> Batch {
    let operation = Operation::Insert {
        kind: "services",
        body: service(number),
    };
    Batch::of_one(PLANE, Actor::system(), operation)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("rates-{}", clock::new_uuid()));
    let store = Store::open(StoreOptions {
        location: folder.join("a.db").into(),
        sealer: Arc::new(pki::Sealer::from_key(&[1; 32])?),
        catalogue: Arc::new(Catalogue::new(Arc::new(NoPlugins))),
    })?;
    for writers in [1, 10, 100] {
        let rate = write(&store, writers).await?;
        say(&format!("{writers} writers: {rate} single writes a second"))?;
    }
    let start = Instant::now();
    store.purge(PLANE, Actor::system()).await?;
    let table = (0..ROWS).map(service).collect();
    let tables = [("services".to_owned(), table)].into();
    let operations = vec![Operation::ReplaceAll { tables }];
    let again = operations.clone();
    let batch = |operations| Batch {
        control_plane: PLANE,
        actor: Actor::system(),
        operations,
    };
    store.apply(batch(operations)).await?;
    say(&format!(
        "import of {ROWS} rows: {} ms",
        start.elapsed().as_millis()
    ))?;
    let start = Instant::now();
    store.apply(batch(again)).await?;
    say(&format!(
        "import of the same: {} ms",
        start.elapsed().as_millis()
    ))?;
    let start = Instant::now();
    store.export(PLANE).await?;
    say(&format!(
        "export of {ROWS} rows: {} ms",
        start.elapsed().as_millis()
    ))?;
    pages(&store).await?;
    drop(store);
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

async fn write(store: &Store, writers: u128) -> Result<u128, Box<dyn Error>> {
    let mut tasks = JoinSet::new();
    let end = Instant::now() + SPAN;
    for writer in 0..writers {
        let store = store.clone();
        tasks.spawn(async move {
            let mut count = 0;
            while Instant::now() < end {
                let number = (writers << 96) | (writer << 64) | count;
                store.apply(insert(number)).await?;
                count += 1;
            }
            Ok::<_, gatehouse_store::StoreError>(count)
        });
    }
    let mut total = 0;
    for count in tasks.join_all().await {
        total += count?;
    }
    Ok(total / u128::from(SPAN.as_secs()))
}

async fn pages(store: &Store) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let (mut query, mut count) = (
        ListQuery {
            size: 1_000,
            ..ListQuery::default()
        },
        0_u128,
    );
    loop {
        let page = store.list(PLANE, "services", query.clone()).await?;
        count += 1;
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    let micros = start.elapsed().as_micros() / count;
    say(&format!("page of 1,000 rows: {micros} us"))?;
    let start = Instant::now();
    for number in 0..1_000 {
        store
            .find(PLANE, "services", "name", &format!("service-{number}"))
            .await?;
    }
    let micros = start.elapsed().as_micros() / 1_000;
    say(&format!("one row by name: {micros} us"))
}

fn say(text: &str) -> Result<(), Box<dyn Error>> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
