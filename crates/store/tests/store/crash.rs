//! Losing the process or the disk in the middle of writing.
//!
//! The victim is this test binary again, started for the one ignored test at the end, with a
//! folder in its environment. It prints each write that was acknowledged.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use gatehouse_store::{Store, StoreError};
use test_support::TempDir;

use crate::common::*;

const FOLDER: &str = "GATEHOUSE_STORE_VICTIM";
const LIMIT: &str = "GATEHOUSE_STORE_VICTIM_LIMIT";
const ROUNDS: usize = 30;

fn start_victim(path: &Path, limit: Option<u64>) -> Child {
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
        .env(FOLDER, path)
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

#[tokio::test]
async fn killed_process_loses_no_acknowledged_write() {
    let folder = TempDir::new("store");
    let path = folder.join("a.db");
    let mut kept = BTreeSet::new();

    for round in 0..ROUNDS {
        let mut victim = start_victim(&path, None);
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

        let store = open(&path).unwrap();
        check_whole(&store, &kept).await;
    }
    assert!(kept.len() > ROUNDS);
}

/// Nothing acknowledged is missing, and nothing is half there.
async fn check_whole(store: &Store, kept: &BTreeSet<u128>) {
    let export = store.export(PLANE).await.unwrap();
    let ids = |kind: &str| -> BTreeSet<String> {
        let rows = export.tables.get(kind).into_iter().flatten();
        rows.map(|row| row["id"].as_str().unwrap().to_owned())
            .collect()
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
        let name = row["name"].as_str().unwrap();
        let found = store.find(PLANE, "services", "name", name).await.unwrap();
        assert_eq!(found.as_ref(), Some(row));
    }
}

#[tokio::test]
async fn full_disk_refuses_writes_and_leaves_nothing_half_done() {
    let folder = TempDir::new("store");
    let path = folder.join("a.db");

    // A limit on the size of files acts like a full disk at a place that every machine has.
    let mut victim = start_victim(&path, Some(400 * 1024));
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
    let Some(path) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let limit = std::env::var_os(LIMIT).and_then(|limit| limit.to_str()?.parse().ok());
    let store = open(&path).unwrap();
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
