//! Kills and changes under load. Short in `make test`; `make soak` runs it long.

mod chaos;
mod crowd;
mod kills;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use gatehouse_tests::{create, start_with_one, until_status};
use serde_json::json;
use test_support::{Client, Node};

#[tokio::test]
async fn traffic_has_no_wrong_answer_while_the_platform_dies_and_configuration_changes() {
    let rounds = if test_support::is_long() { 60 } else { 3 };
    let (mut quickstart, backend) = start_with_one().await;
    let mut node = Node::joining(&quickstart, &[]);
    node.ready().await;
    let url = node.url("/one/x");
    until_status(&Client::new(), &url, 200).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let (good, wrong) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let load = tokio::spawn({
        let (is_over, good, wrong) = (is_over.clone(), good.clone(), wrong.clone());
        async move {
            while !is_over.load(Ordering::Relaxed) {
                let answer = Client::new().get(&url).await;
                let is_good = answer.is_ok_and(|answer| answer.status == 200);
                let counter = if is_good { &good } else { &wrong };
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    });

    for round in 0..rounds {
        let name = format!("extra-{round}");
        let service = json!({"name": name, "host": "127.0.0.1", "port": backend.port()});
        let service = create(&quickstart, "services", &service).await;
        let route =
            json!({"name": name, "paths": [format!("/{name}")], "service": {"id": service}});
        create(&quickstart, "routes", &route).await;
        until_status(&Client::new(), &node.url(&format!("/{name}/x")), 200).await;
        quickstart.process().kill().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        quickstart.start_again().await;
    }
    is_over.store(true, Ordering::Relaxed);
    load.await.unwrap();

    assert!(good.load(Ordering::Relaxed) > 10);
    assert_eq!(wrong.load(Ordering::Relaxed), 0);
}
