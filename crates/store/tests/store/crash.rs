//! Losing the process or the disk in the middle of writing.
//!
//! The victim is this test binary again, started for the one ignored test at the end, with the
//! place of its store in its environment. It prints each write that was acknowledged.
//!
//! A usual run kills fifty writers of a file and a few of a server; with `GATEHOUSE_SOAK=1` it is a
//! thousand and a hundred.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use gatehouse_store::{Location, PostgresConfig, PostgresServer, Store, StoreError};
use test_support::TempDir;

use crate::common::*;

const PLACE: &str = "GATEHOUSE_STORE_VICTIM";
const LIMIT: &str = "GATEHOUSE_STORE_VICTIM_LIMIT";

/// How often a writer is killed: usually, and in a soak.
const FILE_ROUNDS: (usize, usize) = (50, 1_000);
const SERVER_ROUNDS: (usize, usize) = (5, 100);

/// After so many rounds another store takes its place: each round looks at all rows.
const ROUNDS_OF_ONE_STORE: usize = 50;

fn rounds((usual, soak): (usize, usize)) -> usize {
    if test_support::is_soak() { soak } else { usual }
}

/// What the victim is told about its place: the file, or the port and the schema.
fn place_in_words(location: &Location) -> String {
    match location {
        Location::Sqlite(path) => path.display().to_string(),
        Location::Postgres(config) => format!("{}/{}", config.server.port, config.schema),
    }
}

fn place_of_words(words: &str) -> Location {
    if words.starts_with('/') {
        return PathBuf::from(words).into();
    }
    let (port, schema) = words.split_once('/').unwrap();
    let server = PostgresServer {
        port: port.parse().unwrap(),
        user: "gatehouse".to_owned(),
        database: "postgres".to_owned(),
        ..PostgresServer::default()
    };
    let schema = schema.to_owned();
    let config = PostgresConfig {
        server,
        schema,
        ..PostgresConfig::default()
    };
    config.into()
}

fn start_victim(location: &Location, limit: Option<u64>) -> Child {
    // A file that grows over its limit brings a signal that ends the process unless it is ignored,
    // and a shell can ignore it for what it starts.
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::victim",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(PLACE, place_in_words(location))
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    if let Some(limit) = limit {
        command.env(LIMIT, limit.to_string());
    }
    command.spawn().unwrap()
}

/// What the victim said; its lines may share one with the test runner's.
fn acknowledged(line: &str) -> Option<u128> {
    line.split_once("ack ")?.1.trim().parse().ok()
}

async fn killed_process_loses_no_acknowledged_write(place: Place) {
    let (mut left, fresh): (usize, fn() -> Place) = match &place {
        Place::Sqlite(_) => (rounds(FILE_ROUNDS), Place::sqlite),
        Place::Postgres(_) => (rounds(SERVER_ROUNDS), Place::postgres),
    };
    let (mut place, all, mut kept) = (place, left, 0);
    while left > 0 {
        let part = left.min(ROUNDS_OF_ONE_STORE);
        kept += kill_again_and_again(&place, part).await;
        left -= part;
        place = fresh();
    }
    let figure = format!("{all} kills, {kept} writes acknowledged, none lost\n");
    std::io::stdout().write_all(figure.as_bytes()).unwrap();
}

/// Gives the number of acknowledged writes.
async fn kill_again_and_again(place: &Place, rounds: usize) -> usize {
    let location = place.location();
    let mut kept = BTreeSet::new();
    for round in 0..rounds {
        let mut victim = start_victim(&location, None);
        let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        // Each round dies after another number of writes, always with some under way.
        let before_death = 1 + round * 7 % 60;
        let mut seen = 0;
        while seen < before_death {
            let line = lines.next().expect("the victim still writes").unwrap();
            if let Some(number) = acknowledged(&line) {
                kept.insert(number);
                seen += 1;
            }
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        // What it said before it died counts as well.
        kept.extend(
            lines
                .map_while(Result::ok)
                .filter_map(|line| acknowledged(&line)),
        );

        let store = place.open().unwrap();
        check_whole(&store, &kept).await;
    }
    assert!(kept.len() > rounds);
    kept.len()
}

on_both_stores! {
    killed_process_loses_no_acknowledged_write,
}

/// Nothing acknowledged is missing, and nothing is half there.
async fn check_whole(store: &Store, kept: &BTreeSet<u128>) {
    let export = store.export(PLANE).await.unwrap();
    let ids = |kind: &str| -> BTreeSet<String> {
        let rows = export.tables.get(kind).into_iter().flatten();
        rows.map(|row| row.text_of("id").unwrap()).collect()
    };
    let (services, routes) = (ids("services"), ids("routes"));
    assert_eq!(services, routes);
    assert_eq!(u64::try_from(services.len()).unwrap(), export.version);
    for number in kept {
        assert!(
            services.contains(&id(*number).to_string()),
            "write {number} is lost"
        );
    }
    for row in export.tables.get("services").into_iter().flatten() {
        let name = row.text_of("name").unwrap();
        let found = store.find(PLANE, "services", "name", &name).await.unwrap();
        assert_eq!(found, Some(row.open()));
    }
}

#[tokio::test]
async fn full_disk_refuses_writes_and_leaves_nothing_half_done() {
    let folder = TempDir::new("store");
    let path = folder.join("a.db");

    // A limit on the size of files acts like a full disk at a place that every machine has.
    let mut victim = start_victim(&path.clone().into(), Some(400 * 1024));
    let mut kept = BTreeSet::new();
    let mut refusals = Vec::new();
    for line in BufReader::new(victim.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(number) = acknowledged(&line) {
            kept.insert(number);
        } else if let Some((_, refusal)) = line.split_once("refused ") {
            refusals.push(refusal.to_owned());
        }
    }
    victim.wait().unwrap();

    assert!(!kept.is_empty(), "it wrote before the disk was full");
    assert!(
        !refusals.is_empty(),
        "it was refused when the disk was full"
    );
    assert!(
        refusals
            .iter()
            .all(|text| text.contains("is full") || text.contains("cannot write"))
    );
    let store = open(&path).unwrap();
    check_whole(&store, &kept).await;
    // With room again, writing goes on.
    let rows = vec![
        insert("services", service(1 << 100, "x")),
        insert("routes", route(1 << 100, "x", 1 << 100)),
    ];
    apply(&store, rows).await.unwrap();
}

/// Writes services with their routes, eight at a time, until it is killed or refused.
#[tokio::test]
#[ignore = "the other tests here start it"]
async fn victim() {
    let Some(place) = std::env::var_os(PLACE).and_then(|place| place.into_string().ok()) else {
        return;
    };
    let limit = std::env::var_os(LIMIT).and_then(|limit| limit.to_str()?.parse().ok());
    let store = open_at(place_of_words(&place), 1, Arc::new(SmallModel)).unwrap();
    if let Some(limit) = limit {
        limit_files(limit);
    }
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        writers.spawn(write_until_refused(store.clone()));
    }
    writers.join_all().await;
}

async fn write_until_refused(store: Store) {
    let mut refused = 0;
    while refused < 3 {
        let number = clock::new_uuid().as_u128();
        let name = format!("s{number}");
        let rows = vec![
            insert("services", service(number, &name)),
            insert("routes", route(number, &name, number)),
        ];
        let result: Result<_, StoreError> = apply(&store, rows).await;
        let line = match result {
            Ok(_) => format!("ack {number}\n"),
            Err(error) => {
                refused += 1;
                format!("refused {error}\n")
            }
        };
        // One system call, so that a line is whole or absent.
        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    }
}

fn limit_files(bytes: u64) {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    setrlimit(Resource::Fsize, limit).unwrap();
}
