//! What a plain proxied request costs in system calls: a figure that does not depend on the
//! machine. How long it takes and how many instructions it needs is measured by `make bench`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use test_support::{Node, TempDir, eventually_within};

/// Most system calls of the whole process for a plain request, averaged.
const MOST: f64 = 4.2;
/// Connections of the client, each with one request at a time.
const CONNECTIONS: usize = 64;
/// Requests on each connection in the short and in the long run.
const ROUNDS: [usize; 2] = [5, 55];
/// A machine that is busy adds wake-ups, so the best run counts.
const ATTEMPTS: usize = 3;

#[tokio::test]
async fn a_plain_request_takes_two_reads_two_writes_and_hardly_more() {
    if !can_trace() {
        // Some sandboxes let no process look at another.
        return;
    }
    let mut best = f64::MAX;
    for _ in 0..ATTEMPTS {
        let [short, long] = [calls(ROUNDS[0]).await, calls(ROUNDS[1]).await];
        let requests = CONNECTIONS * (ROUNDS[1] - ROUNDS[0]);
        let per_request = f64::from(long.saturating_sub(short)) / requests as f64;
        best = best.min(per_request);
        if best <= MOST {
            break;
        }
    }
    // What a start costs differs a little from run to run; this much it does not.
    assert!(best >= 3.8, "{best} system calls cannot carry a request");
    assert!(best <= MOST, "a plain request takes {best} system calls");
}

fn can_trace() -> bool {
    let traced = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    traced.is_ok_and(|status| status.success())
}

/// System calls of a node from its start to its end, with so many requests on each connection.
async fn calls(rounds: usize) -> u32 {
    let folder = TempDir::new("strace");
    let file = folder.join("calls.txt");
    let origin = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = origin.local_addr().expect("an address").port();
    std::thread::spawn(move || serve(&origin));
    let text = format!(
        "_format_version: \"3.0\"\nservices:\n- name: one\n  url: http://127.0.0.1:{port}\n  \
         routes:\n  - {{name: all, paths: [/]}}\n"
    );
    let mut node = Node::declarative(&text, &[]);
    node.launched_by(&["strace", "-f", "-c", "-o", &file.display().to_string()]);
    node.ready().await;
    let port = node.proxy_port();
    let asked = tokio::task::spawn_blocking(move || ask(port, rounds));
    asked.await.expect("answers");
    // strace writes its table when the process below it ends in good order.
    end(node.process().pid());
    eventually_within(
        Duration::from_secs(20),
        "strace wrote its table",
        async || total(&file),
    )
    .await
}

/// Answers every request with the same few bytes, one thread for each connection.
fn serve(listener: &TcpListener) {
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || answer(stream));
    }
}

fn answer(mut stream: TcpStream) {
    let mut received = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        received.extend_from_slice(&piece[..count]);
        if received.ends_with(b"\r\n\r\n") {
            received.clear();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    }
}

/// Sends a request on each connection, then takes the answers, `rounds` times.
fn ask(port: u16, rounds: usize) {
    let mut streams: Vec<TcpStream> = (0..CONNECTIONS)
        .map(|_| {
            let stream = TcpStream::connect(("127.0.0.1", port)).expect("the node");
            stream.set_nodelay(true).expect("an option");
            stream
                .set_read_timeout(Some(Duration::from_secs(20)))
                .expect("a timeout");
            stream
        })
        .collect();
    for _ in 0..rounds {
        for stream in &mut streams {
            let request = b"GET /some/path HTTP/1.1\r\nHost: a.test\r\n\r\n";
            stream.write_all(request).expect("a request is taken");
        }
        for stream in &mut streams {
            read_answer(stream);
        }
    }
}

fn read_answer(stream: &mut TcpStream) {
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while !answer.ends_with(b"\r\n\r\nok") {
        let count = stream.read(&mut piece).expect("an answer");
        assert!(count > 0, "the connection was closed");
        answer.extend_from_slice(&piece[..count]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
}

/// Asks the process that strace started to end.
fn end(tracer: u32) {
    let path = format!("/proc/{tracer}/task/{tracer}/children");
    let children = std::fs::read_to_string(path).expect("the children of strace");
    let node = children.split_whitespace().next().expect("a node");
    let sent = Command::new("kill").args(["-s", "TERM", node]).status();
    assert!(sent.is_ok_and(|status| status.success()));
}

/// The number of calls in the last line of the table.
fn total(table: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(table).ok()?;
    let line = text
        .lines()
        .find(|line| line.trim_end().ends_with(" total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}
