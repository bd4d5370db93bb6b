//! Everything at once: targets die and come back, the configuration changes ten times a second, the
//! name server answers and fails by turns, clients go away in the middle. No answer may be wrong,
//! and memory stays flat.
//!
//! Two minutes; `make soak`: thirty.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use test_support::{
    Client, Manner, NameServer, Node, Rdata, eventually_within, free_port, is_soak,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// How long the short form goes on.
const SHORT: Duration = Duration::from_mins(2);
/// How long the long form goes on.
const LONG: Duration = Duration::from_mins(30);
/// Between two changes.
const CHANGE_INTERVAL: Duration = Duration::from_millis(100);
/// What memory may grow by once everything is warm, in KiB.
const GROWTH_MAX: u64 = 48 * 1024;
/// How the name server behaves by turns: names stay known while it does not answer.
const MANNERS: [Manner; 6] = [
    Manner::Answers,
    Manner::Fails,
    Manner::Answers,
    Manner::Silent,
    Manner::Babbles,
    Manner::Confuses,
];
/// Between two requests of a client: the point is what happens, not how often.
const PACE: Duration = Duration::from_millis(2);
/// Clients that ask all the time.
const CLIENTS: usize = 6;

/// A service that dies with all its connections when it is dropped. It answers with the path.
struct Target(JoinHandle<()>);

impl Target {
    async fn start(address: SocketAddr) -> Self {
        let listener = eventually_within(Duration::from_secs(20), "the port is free", async || {
            TcpListener::bind(address).await.ok()
        })
        .await;
        Self(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(answer(stream));
                while connections.try_join_next().is_some() {}
            }
        }))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn answer(mut stream: TcpStream) -> Option<()> {
    let mut pending = Vec::new();
    loop {
        let head = head(&mut stream, &mut pending).await?;
        let path = head.split(' ').nth(1)?.to_owned();
        let length = path.len();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{path}");
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

async fn head(stream: &mut TcpStream, pending: &mut Vec<u8>) -> Option<String> {
    loop {
        let end = pending.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head: Vec<u8> = pending.drain(..end + 4).collect();
            return Some(String::from_utf8_lossy(&head).into_owned());
        }
        if stream.read_buf(pending).await.ok()? == 0 {
            return None;
        }
    }
}

/// What went on.
#[derive(Default)]
struct Score {
    is_over: AtomicBool,
    answered: AtomicU64,
    wrong: Mutex<Vec<String>>,
}

impl Score {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// Asks for one path after another, and holds each answer to its path.
async fn ask_all_the_time(port: u16, number: usize, score: Arc<Score>) {
    let mut round = 0_u64;
    while !score.is_over() {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else {
            score
                .wrong
                .lock()
                .push("a connection was refused".to_owned());
            continue;
        };
        for _ in 0..50 {
            round += 1;
            let kind = ["targets", "name"][usize::from(round.is_multiple_of(2))];
            let path = format!("/{kind}/{number}-{round}");
            if let Err(wrong) = ask(&mut stream, &path).await {
                score.wrong.lock().push(format!("{path}: {wrong}"));
                break;
            }
            score.answered.fetch_add(1, Ordering::Relaxed);
            if score.is_over() {
                return;
            }
            tokio::time::sleep(PACE).await;
        }
    }
}

async fn ask(stream: &mut TcpStream, path: &str) -> Result<(), String> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let text = |error: std::io::Error| error.to_string();
    stream.write_all(request.as_bytes()).await.map_err(text)?;
    let mut pending = Vec::new();
    let head = head(stream, &mut pending).await.ok_or("no answer")?;
    while pending.len() < path.len() {
        if stream.read_buf(&mut pending).await.map_err(text)? == 0 {
            return Err("cut short".to_owned());
        }
    }
    let body = String::from_utf8_lossy(&pending).into_owned();
    if head.starts_with("HTTP/1.1 200 ") && body == path {
        Ok(())
    } else {
        Err(format!("{head}{body}"))
    }
}

/// Clients that go away: in a head, in a body, before their answer.
async fn go_away_all_the_time(port: u16, score: Arc<Score>) {
    let begun = [
        "GET /targets/x HTTP/1.1\r\nHo",
        "POST /targets/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nhalf",
        "POST /targets/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "GET /targets/x HTTP/1.1\r\nHost: a\r\n\r\n",
    ];
    for begun in begun.iter().cycle() {
        if score.is_over() {
            return;
        }
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await {
            let _ = stream.write_all(begun.as_bytes()).await;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn configuration(version: u64, targets: &[SocketAddr], named: u16) -> serde_json::Value {
    let changing: Vec<_> = (0..20)
        .map(|number| {
            json!({"name": format!("v{version}-{number}"),
                   "paths": [format!("/v{version}/{number}")], "service": "targets"})
        })
        .collect();
    let mut routes = vec![
        json!({"name": "targets", "paths": ["/targets"], "strip_path": false,
               "service": "targets"}),
        json!({"name": "name", "paths": ["/name"], "strip_path": false,
               "service": "name"}),
    ];
    routes.extend(changing);
    let targets: Vec<_> = targets
        .iter()
        .map(|target| json!({"target": target.to_string()}))
        .collect();
    json!({
        "_format_version": "3.0",
        "upstreams": [{"name": "group", "targets": targets}],
        "services": [
            {"name": "targets", "url": "http://group", "retries": 10},
            {"name": "name", "host": "flapping.test", "port": named},
        ],
        "routes": routes,
    })
}

/// Memory of a process that is in use, in KiB.
pub(crate) fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .expect("a size")
}

/// Everybody who asks.
fn clients(port: u16, score: &Arc<Score>) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(ask_all_the_time(port, number, Arc::clone(score)));
    }
    clients.spawn(go_away_all_the_time(port, Arc::clone(score)));
    clients
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_wrong_while_everything_around_the_node_breaks() {
    let mut targets = Vec::new();
    for _ in 0..3 {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        targets.push((address, Some(Target::start(address).await)));
    }
    let named = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let _named = Target::start(named).await;
    let names = NameServer::start();
    names.set("flapping.test", 1, [Rdata::A([127, 0, 0, 1])]);

    let addresses: Vec<SocketAddr> = targets.iter().map(|(address, _)| *address).collect();
    let first = configuration(0, &addresses, named.port());
    let admin = free_port();
    let mut node = Node::declarative(
        &first.to_string(),
        &[
            ("admin_listen", &format!("127.0.0.1:{admin}")),
            ("dns_resolver", &names.address.to_string()),
        ],
    );
    node.ready().await;
    let pid = node.process().pid();
    let score = Arc::new(Score::default());
    let clients = clients(node.proxy_port(), &score);
    let client = Client::new();
    let url = format!("http://127.0.0.1:{admin}/config");
    let begun = Instant::now();
    let length = if is_soak() { LONG } else { SHORT };
    let (mut version, mut warm) = (0, 0);
    while begun.elapsed() < length {
        version += 1;
        let body = configuration(version, &addresses, named.port());
        let answer = client
            .json("POST", &url, &body)
            .await
            .expect("the Admin API");
        assert_eq!(answer.status, 201, "{}", answer.text());
        // One target at a time is away, for five changes.
        let place = usize::try_from(version / 5).expect("a small number") % (2 * targets.len());
        for (number, (address, target)) in targets.iter_mut().enumerate() {
            match (place == 2 * number, target.is_some()) {
                (true, true) => *target = None,
                (false, false) => *target = Some(Target::start(*address).await),
                _ => {}
            }
        }
        names.behave(
            MANNERS[usize::try_from(version / 10).expect("a small number") % MANNERS.len()],
        );
        if warm == 0 && begun.elapsed() > length / 4 {
            warm = resident(pid);
        }
        tokio::time::sleep(CHANGE_INTERVAL).await;
    }
    score.is_over.store(true, Ordering::Relaxed);
    clients.join_all().await;

    let (answered, wrong) = (score.answered.load(Ordering::Relaxed), score.wrong.lock());
    assert!(
        wrong.is_empty(),
        "{} of {answered}: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(5)]
    );
    assert!(answered > 10 * version, "only {answered} answers");
    let end = resident(pid);
    assert!(
        end < warm + GROWTH_MAX,
        "{warm} KiB grew to {end} KiB in {version} changes"
    );
    println!("{answered} answers, {version} changes, {warm} KiB, then {end} KiB");
}
