//! A restart and an upgrade: a second node with the same `prefix` takes over from the first, and no
//! client notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use test_support::{Backend, Client, Node, eventually_within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What clients saw.
#[derive(Default)]
struct Seen {
    answered: AtomicUsize,
    failed: parking_lot::Mutex<Vec<String>>,
    is_over: AtomicBool,
}

impl Seen {
    fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }
}

/// Sends one request after another; a new connection each time, or one for as long as it is kept.
async fn ask_on(port: u16, keeps: bool, seen: Arc<Seen>) {
    while !seen.is_over.load(Ordering::Relaxed) {
        if let Err(error) = ask_until_closed(port, keeps, &seen).await {
            seen.failed.lock().push(error.to_string());
        }
    }
}

async fn ask_until_closed(port: u16, keeps: bool, seen: &Seen) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let connection = if keeps { "keep-alive" } else { "close" };
    let request = format!("GET /bytes/3 HTTP/1.1\r\nHost: a\r\nConnection: {connection}\r\n\r\n");
    while !seen.is_over.load(Ordering::Relaxed) {
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        while !answer.ends_with(b"\r\n\r\nxxx") {
            let count = stream.read(&mut piece).await?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            answer.extend_from_slice(&piece[..count]);
        }
        if !answer.starts_with(b"HTTP/1.1 200 ") {
            return Err(std::io::Error::other(
                String::from_utf8_lossy(&answer).into_owned(),
            ));
        }
        seen.answered.fetch_add(1, Ordering::Relaxed);
        if String::from_utf8_lossy(&answer)
            .to_ascii_lowercase()
            .contains("\r\nconnection: close")
        {
            return Ok(());
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_is_refused_or_reset_while_a_successor_takes_over() {
    let backend = Backend::start("one").await;
    let text = format!(
        "_format_version: \"3.0\"\nservices:\n- name: one\n  url: http://127.0.0.1:{}\n  routes:\n  \
         - name: r\n    paths: [/bytes]\n    strip_path: false\n",
        backend.port()
    );
    let mut node = Node::declarative(&text, &[("nginx_worker_processes", "2")]);
    node.ready().await;
    let seen = Arc::new(Seen::default());
    let clients: Vec<_> = (0..6)
        .map(|number| {
            tokio::spawn(ask_on(
                node.proxy_port(),
                number % 2 == 0,
                Arc::clone(&seen),
            ))
        })
        .collect();

    // Three generations, the last with fewer threads than its predecessor had.
    for threads in ["2", "3", "1"] {
        let before = seen.answered();
        eventually_within(Duration::from_secs(30), "there is traffic", async || {
            (seen.answered() > before + 200).then_some(())
        })
        .await;
        node.set("nginx_worker_processes", threads);
        let mut predecessor = node.succeed();
        eventually_within(
            Duration::from_secs(60),
            "the predecessor ends",
            async || (!predecessor.is_running()).then_some(()),
        )
        .await;
        assert!(
            predecessor.output().contains("a successor has taken over"),
            "{}",
            predecessor.output()
        );
        node.becomes_ready().await;
    }
    let before = seen.answered();
    eventually_within(Duration::from_secs(30), "the last one serves", async || {
        (seen.answered() > before + 200).then_some(())
    })
    .await;
    seen.is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("a client ends");
    }
    let failed = std::mem::take(&mut *seen.failed.lock());
    assert!(failed.is_empty(), "{} failed: {failed:?}", failed.len());
    let ready = Client::new().get(&node.status_url("/status/ready")).await;
    assert_eq!(ready.expect("the status API").status, 200);
}
