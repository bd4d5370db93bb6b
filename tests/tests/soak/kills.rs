//! A platform that is killed while it is written to.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use test_support::{Quickstart, eventually, is_soak};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Consumers written at the same time, each by its own client.
const WRITERS: usize = 4;

#[tokio::test]
async fn killed_platform_has_every_write_that_it_acknowledged() {
    let rounds = if is_soak() { 100 } else { 3 };
    let mut quickstart = Quickstart::empty().await;
    let (acknowledged, answered) = mpsc::channel(1_024);
    let is_over = Arc::new(AtomicBool::new(false));
    let count = Arc::new(AtomicU64::new(0));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (client, url) = (quickstart.client(), quickstart.entities_url("consumers"));
        let (acknowledged, is_over) = (acknowledged.clone(), is_over.clone());
        let count = count.clone();
        writers.spawn(async move {
            let mut number = 0_u64;
            while !is_over.load(Ordering::Relaxed) {
                let name = format!("w{writer}-{number}");
                let answer = client.json("POST", &url, &json!({"username": name})).await;
                if answer.is_ok_and(|answer| answer.status == 201) {
                    acknowledged.send(name).await.unwrap();
                    count.fetch_add(1, Ordering::Relaxed);
                } else {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                number += 1;
            }
        });
    }
    drop(acknowledged);
    let kept = tokio::spawn(collect(answered));

    for round in 0..rounds {
        // Each time at another moment of its work, and always with some under way.
        let wanted = count.load(Ordering::Relaxed) + 5 + 7 * (round % 11);
        eventually("it writes again", async || {
            (count.load(Ordering::Relaxed) >= wanted).then_some(())
        })
        .await;
        quickstart.process().kill().await;
        quickstart.start_again().await;
    }
    is_over.store(true, Ordering::Relaxed);
    writers.join_all().await;

    let kept = kept.await.unwrap();
    let stored = usernames(&quickstart).await;
    let lost: Vec<_> = kept.difference(&stored).collect();
    assert_eq!(lost, Vec::<&String>::new());
    let figure = format!(
        "{rounds} kills, {} writes acknowledged, none lost\n",
        kept.len()
    );
    std::io::stdout().write_all(figure.as_bytes()).unwrap();
}

async fn collect(mut names: mpsc::Receiver<String>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    while let Some(name) = names.recv().await {
        all.insert(name);
    }
    all
}

/// The names of all consumers of the first control plane.
async fn usernames(quickstart: &Quickstart) -> BTreeSet<String> {
    let (client, mut all) = (quickstart.client(), BTreeSet::new());
    let first = quickstart.entities_url("consumers?size=1000");
    let mut url = Some(first.clone());
    while let Some(at) = url {
        let page = client.get(&at).await.expect("a page").json();
        let rows = page["data"].as_array().expect("rows").iter();
        all.extend(rows.map(|row| row["username"].as_str().expect("a name").to_owned()));
        url = page["offset"]
            .as_str()
            .map(|offset| format!("{first}&offset={offset}"));
    }
    all
}
