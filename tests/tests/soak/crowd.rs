//! Ten thousand connections that do nothing.

use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use test_support::{Backend, Client, Node, eventually_within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Connections that were opened and then left alone.
const IDLE: usize = 9_000;
/// Connections that were left alone behind a request.
const KEPT: usize = 1_000;
/// What one of them may cost, in bytes. The target of a release is 2 KiB; this is a debug build.
const COST_MAX: u64 = 6 * 1024;

/// A counter of `GET /status`.
async fn counter(node: &Node, name: &str) -> u64 {
    let answer = Client::new().get(&node.status_url("/status")).await;
    let answer = answer.expect("the status API").json();
    answer["server"][name].as_u64().expect("a counter")
}

async fn ask(stream: &mut TcpStream) -> bool {
    let request = b"GET /bytes/3 HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(request).await.expect("bytes are taken");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nxxx") {
        if stream.read_buf(&mut answer).await.expect("an answer") == 0 {
            return false;
        }
    }
    answer.starts_with(b"HTTP/1.1 200 ")
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_idle_connections_cost_little_and_hinder_nobody() {
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    setrlimit(Resource::Nofile, files).expect("the limit may be used up");
    let backend = Backend::start("one").await;
    let text = format!(
        "_format_version: \"3.0\"\nservices:\n- name: one\n  url: http://127.0.0.1:{}\n  routes:\n  \
         - name: r\n    paths: [/bytes]\n    strip_path: false\n",
        backend.port()
    );
    let mut node = Node::declarative(&text, &[]);
    node.ready().await;
    let address = ("127.0.0.1", node.proxy_port());
    let mut first = TcpStream::connect(address).await.expect("a connection");
    assert!(ask(&mut first).await);
    let pid = node.process().pid();
    let before = crate::chaos::resident(pid);

    let mut crowd = Vec::new();
    for number in 0..IDLE + KEPT {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        if number < KEPT {
            assert!(ask(&mut stream).await, "{number}");
        }
        crowd.push(stream);
    }
    let limit = Duration::from_secs(60);
    eventually_within(limit, "all are open", async || {
        let open = counter(&node, "connections_active").await;
        (open > crowd.len() as u64).then_some(())
    })
    .await;
    let cost = (crate::chaos::resident(pid).saturating_sub(before)) * 1024 / crowd.len() as u64;
    assert!(cost <= COST_MAX, "{cost} bytes for each");
    println!("{cost} bytes for each of {} connections", crowd.len());
    // Old ones and new ones are served as ever, and any of the crowd too.
    for stream in crowd.iter_mut().rev().step_by(500) {
        assert!(ask(stream).await);
        assert!(ask(&mut first).await);
        let mut fresh = TcpStream::connect(address).await.expect("a connection");
        assert!(ask(&mut fresh).await);
    }
    drop(crowd);
    eventually_within(limit, "all are gone", async || {
        (counter(&node, "connections_active").await <= 1).then_some(())
    })
    .await;
    assert!(ask(&mut first).await);
}
