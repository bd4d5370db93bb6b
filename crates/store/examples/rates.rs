//! Prints the figures of the store on this machine, for a file and for a PostgreSQL server that is
//! started for it (with synced commits):
//! `make bench-store`, or
//! `cargo run --release -p gatehouse-store --example rates -- FOLDER [sqlite|postgres] [FIGURES]`.
//! FIGURES are all or some of `removal load writes consumers`; with `small` there are 100,000
//! consumers instead of a million.
//!
//! | figure | aim |
//! | --- | --- |
//! | 100,000 entities loaded by one batch | 10 s |
//! | 100,000 entities replaced by two | 5 s |
//! | single writes a second by 10 writers | 2,000 |
//! | a page of 1,000 at 100,000 entities, 99th of 100 | 20 ms |
//! | one write at 1,000,000 consumers, 99th of 100 | 5 ms |

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use entities::{Catalogue, NoPlugins};
use gatehouse_store::{
    Actor, Batch, Body, ListQuery, Location, Operation, PostgresConfig, Store, StoreError,
    StoreOptions, pack,
};
use serde_json::{Value, json};
use test_support::{Postgres, PostgresOptions};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PLANE: Uuid = Uuid::from_u128(1);
const LARGE: Uuid = Uuid::from_u128(2);
const REPLACED: Uuid = Uuid::from_u128(3);
const ROWS: u128 = 100_000;
const CONSUMERS: u128 = 1_000_000;
const SPAN: Duration = Duration::from_secs(10);

/// Single writes at the end: enough for the write-ahead log to be carried into the file meanwhile.
const SINGLE_WRITES: u128 = 20_000;

/// Without a write for so long a database has settled, and how long that is waited for.
const REST: Duration = Duration::from_secs(3);
const SETTLING: Duration = Duration::from_secs(120);

type Done = Result<(), Box<dyn Error>>;

fn object(value: Value) -> Body {
    match value {
        Value::Object(body) => body,
        _ => Body::new(),
    }
}

fn service(number: u128) -> Body {
    object(json!({
        "id": Uuid::from_u128(number), "name": format!("service-{number}"), "protocol": "http",
        "host": "upstream.example.com", "port": 80, "path": null, "retries": 5, "enabled": true,
        "connect_timeout": 60000, "read_timeout": 60000, "write_timeout": 60000, "tags": ["a"],
        "created_at": 1, "updated_at": 1,
    }))
}

fn route(number: u128, service: &Body) -> Body {
    object(json!({
        "id": clock::new_uuid(), "name": format!("route-{number}"),
        "paths": [format!("/route/{number}")], "protocols": ["http", "https"],
        "service": { "id": service.get("id") }, "tags": ["a", "b"], "strip_path": true,
        "preserve_host": false, "https_redirect_status_code": 426, "regex_priority": 0,
        "created_at": 1, "updated_at": 1,
    }))
}

fn consumer(number: u128) -> Body {
    object(json!({
        "id": Uuid::from_u128(number), "username": format!("user-{number}"), "custom_id": null,
        "tags": null, "created_at": 1, "updated_at": 1,
    }))
}

fn batch(control_plane: Uuid, operations: Vec<Operation>) -> Batch {
    Batch {
        control_plane,
        actor: Actor::system(),
        operations,
    }
}

fn insert(control_plane: Uuid, kind: &'static str, body: Body) -> Batch {
    batch(control_plane, vec![Operation::Insert { kind, body }])
}

#[tokio::main]
async fn main() -> Done {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let rest: Vec<String> = arguments.collect();
    let asked = |word: &str| rest.iter().any(|argument| argument == word);
    let known = ["removal", "load", "writes", "consumers"];
    let every = !known.into_iter().any(asked);
    let wanted = Wanted {
        removal: every || asked("removal"),
        load: every || asked("load"),
        writes: every || asked("writes"),
        consumers: (every || asked("consumers")).then_some(if asked("small") {
            ROWS
        } else {
            CONSUMERS
        }),
    };
    if !asked("postgres") {
        let folder = folder.join(format!("rates-{}", clock::new_uuid()));
        say("SQLite")?;
        measure(folder.join("a.db").into(), &wanted).await?;
        std::fs::remove_dir_all(folder)?;
    }
    if !asked("sqlite") {
        let server = Postgres::start(&PostgresOptions {
            is_durable: true,
            ..PostgresOptions::default()
        });
        say("PostgreSQL")?;
        let config = PostgresConfig::from_url(&server.url("rates"))?;
        measure(config.into(), &wanted).await?;
    }
    Ok(())
}

/// The figures that were asked for.
struct Wanted {
    removal: bool,
    load: bool,
    writes: bool,
    consumers: Option<u128>,
}

async fn measure(location: Location, wanted: &Wanted) -> Done {
    let store = Store::open(StoreOptions {
        location,
        sealer: Arc::new(pki::Sealer::from_key(&[1; 32])?),
        catalogue: Arc::new(Catalogue::new(Arc::new(NoPlugins))),
    })?;
    if wanted.removal {
        remove(&store).await?;
    }
    if wanted.load {
        load(&store).await?;
        pages(&store).await?;
    }
    for writers in [1, 10, 100].into_iter().filter(|_| wanted.writes) {
        let rate = write(&store, writers).await?;
        say(&format!(
            "  {writers} writers: {rate} single writes a second"
        ))?;
    }
    match wanted.consumers {
        Some(consumers) => many_consumers(&store, consumers).await,
        None => Ok(()),
    }
}

async fn load(store: &Store) -> Done {
    let tables = || [("services".to_owned(), (0..ROWS).map(service).collect())].into();
    for what in ["load", "load the same"] {
        let operations = vec![Operation::ReplaceAll {
            tables: pack(tables()),
        }];
        let start = Instant::now();
        store.apply(batch(PLANE, operations)).await?;
        let millis = start.elapsed().as_millis();
        say(&format!(
            "  {what} {ROWS} entities: {millis} ms, {}",
            memory()
        ))?;
    }
    let start = Instant::now();
    let rows = store.export(PLANE).await?.tables.len();
    let millis = start.elapsed().as_millis();
    say(&format!("  export ({rows} table): {millis} ms"))
}

/// Goes from services and routes with random ids to two services, and back.
async fn remove(store: &Store) -> Done {
    let mut services: Vec<Body> = (0..ROWS / 2).map(service).collect();
    for service in &mut services {
        service.insert("id".to_owned(), json!(clock::new_uuid()));
    }
    let routes = (0..).zip(&services).map(|(n, service)| route(n, service));
    let kept = services[..2].to_vec();
    let large = [
        ("services".to_owned(), services.clone()),
        ("routes".to_owned(), routes.collect()),
    ];
    let small = [("services".to_owned(), kept)];
    for (what, tables) in [
        ("load services and routes", Vec::from(large.clone())),
        ("replace them by two", Vec::from(small.clone())),
        ("load them again", Vec::from(large)),
        ("replace them by two again", Vec::from(small)),
    ] {
        let tables = pack(tables.into_iter().collect());
        let operations = vec![Operation::ReplaceAll { tables }];
        let start = Instant::now();
        let applied = store.apply(batch(REPLACED, operations)).await?;
        let (millis, changed) = (start.elapsed().as_millis(), applied.changed);
        say(&format!(
            "  {what} ({changed} rows): {millis} ms, {}",
            memory()
        ))?;
    }
    Ok(())
}

async fn pages(store: &Store) -> Done {
    let mut took = Vec::new();
    let mut query = ListQuery {
        size: 1_000,
        ..ListQuery::default()
    };
    for _ in 0..500 {
        let start = Instant::now();
        let page = store.list(PLANE, "services", query.clone()).await?;
        took.push(start.elapsed());
        query.after = page.next;
    }
    say(&format!("  page of 1,000 rows: {}", percentiles(took)))?;
    let mut took = Vec::new();
    for number in 0..2_000 {
        let name = format!("service-{number}");
        let start = Instant::now();
        store.find(PLANE, "services", "name", &name).await?;
        took.push(start.elapsed());
    }
    say(&format!("  one row by name: {}", percentiles(took)))?;
    say(&format!("  {}", memory()))
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
                store
                    .apply(insert(PLANE, "services", service(number)))
                    .await?;
                count += 1;
            }
            Ok::<_, StoreError>(count)
        });
    }
    let mut total = 0;
    for count in tasks.join_all().await {
        total += count?;
    }
    Ok(total / u128::from(SPAN.as_secs()))
}

async fn many_consumers(store: &Store, number: u128) -> Done {
    let start = Instant::now();
    for from in (0..number).step_by(20_000) {
        let kind = "consumers";
        let rows = (from..from + 20_000).map(|number| Operation::Insert {
            kind,
            body: consumer(number),
        });
        store.apply(batch(LARGE, rows.collect())).await?;
    }
    let millis = start.elapsed().as_millis();
    say(&format!(
        "  {number} consumers in batches: {millis} ms, {}",
        memory()
    ))?;
    settle().await;
    let mut took = Vec::new();
    for more in 0..SINGLE_WRITES {
        let row = insert(LARGE, "consumers", consumer(number + more));
        let start = Instant::now();
        store.apply(row).await?;
        took.push(start.elapsed());
    }
    say(&format!("  one write at {number}: {}", percentiles(took)))
}

/// Waits until the database has taken in what was loaded: a file is written to by this process, a
/// server gets the same time.
async fn settle() {
    let written = || {
        let counters = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
        let mut lines = counters.lines();
        lines.find_map(|line| Some(line.strip_prefix("write_bytes: ")?.to_owned()))
    };
    for _ in 0..SETTLING.as_secs() / REST.as_secs() {
        let before = written();
        tokio::time::sleep(REST).await;
        if written() == before {
            return;
        }
    }
}

fn percentiles(mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let at = |percent: usize| {
        took.get(took.len() * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    format!(
        "p50 {} us, p99 {} us, worst {} us",
        at(50).as_micros(),
        at(99).as_micros(),
        took.last().copied().unwrap_or_default().as_micros()
    )
}

/// The memory of this process now and at its peak.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name: &str| {
        let mut lines = status.lines();
        let found = lines.find_map(|line| line.strip_prefix(name));
        found.map_or_else(String::new, |value| value.trim().to_owned())
    };
    format!("memory {} (peak {})", line("VmRSS:"), line("VmHWM:"))
}

fn say(text: &str) -> Done {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
