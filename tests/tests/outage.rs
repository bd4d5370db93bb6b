//! The platform goes away, comes back, is killed in the middle of writes; disks are full.

use std::sync::Arc;
use std::time::Duration;

use gatehouse_tests::{create, publish, start_with_one, until_status};
use parking_lot::Mutex;
use serde_json::json;
use test_support::{Client, Gatehouse, Node, Quickstart, eventually};

#[tokio::test]
async fn node_restarted_while_the_platform_is_away_serves_from_disk_and_joins_again() {
    let (mut quickstart, _backend) = start_with_one().await;
    let mut node = Node::joining(&quickstart, &[]);
    node.ready().await;
    until_status(&Client::new(), &node.url("/one/x"), 200).await;
    quickstart.process().kill().await;

    node.process().kill().await;
    node.ready().await;

    assert_eq!(
        Client::new().get(&node.url("/one/x")).await.unwrap().status,
        200
    );
    quickstart.start_again().await;
    publish(
        &quickstart,
        "two",
        1,
        json!({"name": "two", "paths": ["/two"]}),
    )
    .await;
    until_status(&Client::new(), &node.url("/two"), 502).await;
}

#[tokio::test]
async fn what_a_node_keeps_on_disk_is_sealed() {
    let (quickstart, _backend) = start_with_one().await;
    let consumer = create(&quickstart, "consumers", &json!({"username": "alice"})).await;
    let path = format!("consumers/{consumer}/key-auth");
    create(&quickstart, &path, &json!({"key": "a-very-secret-key"})).await;
    let mut node = Node::joining(&quickstart, &[]);
    node.ready().await;
    create(&quickstart, "plugins", &json!({"name": "key-auth"})).await;
    until_status(&Client::new(), &node.url("/one/x"), 401).await;
    let headers = [("apikey", "a-very-secret-key")];
    let empty = bytes::Bytes::new();
    let answer = Client::new()
        .send("GET", &node.url("/one/x"), &headers, empty)
        .await
        .unwrap();
    assert_eq!(answer.status, 200);

    for entry in walk(&node.prefix())
        .into_iter()
        .chain(walk(quickstart.folder().path()))
    {
        let bytes = std::fs::read(&entry).unwrap_or_default();
        let found = bytes
            .windows(17)
            .any(|window| window == b"a-very-secret-key");
        assert!(!found, "the key stands in clear in {}", entry.display());
    }
}

#[tokio::test]
async fn damaged_cache_is_refused_and_fetched_again() {
    let (quickstart, _backend) = start_with_one().await;
    let mut node = Node::joining(&quickstart, &[]);
    node.ready().await;
    until_status(&Client::new(), &node.url("/one/x"), 200).await;
    node.process().terminate(Duration::from_secs(10)).await;
    let kept = walk(&node.prefix())
        .into_iter()
        .filter(|path| std::fs::metadata(path).is_ok_and(|data| data.len() > 200));
    for path in kept {
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        std::fs::write(&path, bytes).unwrap();
    }

    node.ready().await;

    until_status(&Client::new(), &node.url("/one/x"), 200).await;
}

#[tokio::test]
async fn full_disk_at_persist_is_said_and_traffic_goes_on() {
    let (quickstart, _backend) = start_with_one().await;
    let mut node = Node::joining(&quickstart, &[]);
    // The node's folder is a file system of 256 KiB: big enough to start, too small to keep.
    std::fs::create_dir_all(node.prefix()).unwrap();
    let folder = node.prefix().display().to_string();
    let _mount = Mount::new(&folder).await;
    node.ready().await;
    let filler = vec![b'x'; 1024 * 1024];
    drop(std::fs::write(node.prefix().join("filler"), filler));

    publish(
        &quickstart,
        "two",
        1,
        json!({"name": "two", "paths": ["/two"]}),
    )
    .await;

    until_status(&Client::new(), &node.url("/two"), 502).await;
    eventually(
        "the node says that it could not keep the configuration",
        async || {
            let output = node.output().to_lowercase();
            (output.contains("space") || output.contains("could not be kept")).then_some(())
        },
    )
    .await;
    assert_eq!(
        Client::new().get(&node.url("/one/x")).await.unwrap().status,
        200
    );
}

#[tokio::test]
async fn acknowledged_writes_survive_sigkill() {
    let mut quickstart = Quickstart::empty().await;
    let rounds = if test_support::is_long() { 50 } else { 5 };
    let mut acknowledged: Vec<String> = Vec::new();

    for round in 0..rounds {
        let client = quickstart.client();
        let url = quickstart.entities_url("services");
        let names = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&names);
        let writer = tokio::spawn(async move {
            for number in 0.. {
                let name = format!("s-{round}-{number}");
                let body = json!({"name": name, "host": "a.test"});
                match client.json("POST", &url, &body).await {
                    Ok(answer) if answer.status == 201 => written.lock().push(name),
                    _ => break,
                }
            }
        });
        eventually("some writes are acknowledged", async || {
            (names.lock().len() > 3).then_some(())
        })
        .await;
        quickstart.process().kill().await;
        writer.await.unwrap();
        acknowledged.append(&mut names.lock());
        quickstart.start_again().await;
    }

    assert!(!acknowledged.is_empty());
    let client = quickstart.client();
    for name in &acknowledged {
        let answer = client
            .get(&quickstart.entities_url(&format!("services/{name}")))
            .await
            .unwrap();
        assert_eq!(answer.status, 200, "{name} was acknowledged and is lost");
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}

/// A small file system in memory, unmounted when dropped.
struct Mount(String);

impl Mount {
    async fn new(folder: &str) -> Self {
        let mut command = tokio::process::Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=256k,mode=0777", "tmpfs", folder]);
        let process = Gatehouse::spawn(command);
        let mut process = process;
        while process.is_running() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self(folder.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        drop(
            std::process::Command::new("umount")
                .args(["-l", &self.0])
                .output(),
        );
    }
}
