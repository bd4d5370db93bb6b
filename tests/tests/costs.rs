//! What a plain proxied request costs in system calls and in user instructions: figures that hardly
//! depend on the machine. How long it takes is measured by `make bench`.
//!
//! Counting the instructions of a build for tests would say nothing, so they are counted where
//! `GATEHOUSE_RELEASE_BINARY` names a release build; `make test` makes one.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use test_support::{Node, Quickstart, TempDir, eventually_within};

/// Most system calls of the whole process for a plain request, averaged.
const MOST: f64 = 4.1;
/// Most user instructions of the whole process for a plain request, averaged.
const MOST_INSTRUCTIONS: f64 = 12_000.0;
/// Connections of the client, each with one request at a time.
const CONNECTIONS: usize = 64;
/// Requests on each connection in the short and in the long run.
const ROUNDS: [usize; 2] = [5, 55];
/// The same where instructions are counted. A start makes keys, which takes ten million instructions
/// more or less from run to run: over so many requests that is a hundred and fifty for each.
const COUNTED_ROUNDS: [usize; 2] = [50, 1050];
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

#[tokio::test]
async fn a_plain_request_stays_within_its_budget_of_instructions() {
    let Some((_, release)) = std::env::vars().find(|(name, _)| name == "GATEHOUSE_RELEASE_BINARY")
    else {
        return;
    };
    let platform = Quickstart::empty().await;
    let origin = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = origin.local_addr().expect("an address").port();
    std::thread::spawn(move || serve(&origin));
    import(&platform, port).await;
    let short = instructions(&platform, &release, COUNTED_ROUNDS[0]).await;
    let long = instructions(&platform, &release, COUNTED_ROUNDS[1]).await;
    let requests = CONNECTIONS * (COUNTED_ROUNDS[1] - COUNTED_ROUNDS[0]);
    let per_request = long.saturating_sub(short) as f64 / requests as f64;
    assert!(
        per_request >= 3_000.0,
        "{per_request} instructions cannot carry a request"
    );
    assert!(
        per_request <= MOST_INSTRUCTIONS,
        "a plain request takes {per_request} user instructions, at most {MOST_INSTRUCTIONS}"
    );
}

/// Gives the platform a service with a hundred routes.
async fn import(platform: &Quickstart, port: u16) {
    let folder = TempDir::new("instructions");
    let file = folder.join("routes.yml");
    let mut text = format!(
        "_format_version: \"3.0\"\nservices:\n- name: one\n  url: http://127.0.0.1:{port}\n  routes:\n"
    );
    for number in 0..100 {
        text.push_str(&format!(
            "  - {{name: route{number}, paths: [/route{number}/]}}\n"
        ));
    }
    std::fs::write(&file, text).expect("a file");
    let output = test_support::run_to_end(&[
        "config",
        "db_import",
        &file.display().to_string(),
        "--control-plane",
        "default",
        "--data-dir",
        platform.flag("--data-dir"),
    ])
    .await;
    assert!(output.status.success(), "{output:?}");
}

/// User instructions of a node from its start to its end, with so many requests on each connection.
async fn instructions(platform: &Quickstart, release: &str, rounds: usize) -> u64 {
    let folder = TempDir::new("callgrind");
    let file = folder.join("callgrind.out");
    let mut node = Node::joining(platform, &[]);
    // The launcher puts the release build in the place of the binary that the tests use.
    let script = format!(
        "shift; exec valgrind --tool=callgrind --callgrind-out-file={} {release} \"$@\"",
        file.display()
    );
    node.launched_by(&["sh", "-c", &script, "sh"]);
    node.ready().await;
    let port = node.proxy_port();
    let asked = tokio::task::spawn_blocking(move || ask(port, rounds));
    asked.await.expect("answers");
    // The total is written when the process ends in good order.
    terminate(&node.process().pid().to_string());
    let patience = Duration::from_secs(60);
    eventually_within(patience, "callgrind wrote its total", async || {
        callgrind_total(&file)
    })
    .await
}

fn callgrind_total(file: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with("totals:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
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
            let answer = b"HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: text/plain\r\n\
                           Content-Length: 2\r\n\r\nok";
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
                .set_read_timeout(Some(Duration::from_secs(60)))
                .expect("a timeout");
            stream
        })
        .collect();
    for _ in 0..rounds {
        for stream in &mut streams {
            let request = b"GET /route42/small HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
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
    terminate(node);
}

fn terminate(process: &str) {
    let sent = Command::new("kill").args(["-s", "TERM", process]).status();
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
