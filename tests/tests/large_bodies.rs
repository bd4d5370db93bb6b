//! Bodies that are far too large: whoever sends them whole is told so, and the process does not
//! grow with them.

use bytes::Bytes;
use gatehouse_tests::create;
use serde_json::{Value, json};
use test_support::{Client, Node, Quickstart, free_port};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes of a body: 100 MB.
const BYTES: usize = 100_000_000;
/// Bytes sent at a time.
const PIECE: usize = 100_000;
/// KiB by which a process may grow for all of them: much less than one body.
const MAX_GROWTH: u64 = 48 * 1024;

/// KiB that a process has used at most so far.
fn peak(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = text.lines().find(|line| line.starts_with("VmHWM:"));
    let digits = line.and_then(|line| line.split_whitespace().nth(1));
    digits.and_then(|digits| digits.parse().ok()).expect("KiB")
}

/// Sends all of a body before it listens, as simple clients do; gives the answer.
async fn told<S>(mut stream: S, head: &str, is_chunked: bool) -> String
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (framing, before, after) = if is_chunked {
        let size = format!("{PIECE:x}\r\n");
        ("Transfer-Encoding: chunked".to_owned(), size, "\r\n")
    } else {
        (format!("Content-Length: {BYTES}"), String::new(), "")
    };
    let head = format!(
        "{head}\r\nContent-Type: application/json\r\nConnection: close\r\n{framing}\r\n\r\n"
    );
    let mut piece = before.into_bytes();
    piece.resize(piece.len() + PIECE, b' ');
    piece.extend_from_slice(after.as_bytes());
    stream.write_all(head.as_bytes()).await.expect("the head");
    for _ in 0..BYTES / PIECE {
        stream.write_all(&piece).await.expect("the body is taken");
    }
    if is_chunked {
        stream.write_all(b"0\r\n\r\n").await.expect("the end");
    }
    let mut answer = Vec::new();
    // The other side may leave out the notice of TLS that ends it.
    stream.read_to_end(&mut answer).await.ok();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn platform_tells_senders_of_100_mb_and_does_not_grow() {
    let mut quickstart = Quickstart::empty().await;
    let service = json!({"name": "s", "host": "s.test"});
    create(&quickstart, "services", &service).await;
    let process = quickstart.process().pid();
    let before = peak(process);

    let (client, plane) = (quickstart.client(), quickstart.plane_url());
    let authority = plane.trim_start_matches("https://");
    let (authority, path) = authority.split_once('/').expect("a path");
    let (host, port) = authority.split_once(':').expect("a port");
    let bearer = format!("Authorization: Bearer {}", quickstart.fact("token"));
    let reason = "The body has more than";
    for dialect in ["core-entities", "admin"] {
        for (method, rest) in [("POST", ""), ("PUT", "/s")] {
            let path = format!("/{path}/{dialect}/services{rest}");
            let head = format!("{method} {path} HTTP/1.1\r\nHost: {authority}\r\n{bearer}");
            for is_chunked in [false, true] {
                let address = format!("127.0.0.1:{port}");
                let stream = TcpStream::connect(address).await.expect("a connection");
                let stream = client.shake_hands(stream, host).await.expect("TLS");
                let answer = told(stream, &head, is_chunked).await;
                assert!(answer.starts_with("HTTP/1.1 413 "), "{path}: {answer}");
                assert!(answer.contains(reason), "{path}: {answer}");
            }
            let (client, url) = (client.clone().http2(), format!("https://{authority}{path}"));
            let json = [("content-type", "application/json")];
            let body = Bytes::from(vec![b' '; BYTES]);
            let answer = client.send(method, &url, &json, body).await;
            let answer = answer.expect("an answer over HTTP/2");
            assert_eq!(answer.status, 413, "{url}");
            assert!(answer.text().contains(reason), "{}", answer.text());
        }
    }

    let grown = peak(process) - before;
    assert!(grown < MAX_GROWTH, "the platform grew by {grown} KiB");
    let after = client.get(&quickstart.entities_url("services/s")).await;
    assert_eq!(after.expect("an answer").status, 200);
}

#[tokio::test]
async fn node_tells_senders_of_100_mb_and_does_not_grow() {
    let port = free_port();
    let mut node = Node::new(&[("admin_listen", &format!("127.0.0.1:{port}"))]);
    node.ready().await;
    let process = node.process().pid();
    let before = peak(process);

    for is_chunked in [false, true] {
        let address = format!("127.0.0.1:{port}");
        let stream = TcpStream::connect(&address).await.expect("a connection");
        let head = format!("POST /services HTTP/1.1\r\nHost: {address}");
        let answer = told(stream, &head, is_chunked).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains("413 Request Entity Too Large"), "{answer}");
        for (path, status) in [("/status/ready", 413), ("/metrics", 405), ("/nope", 404)] {
            let url = node.status_url(path);
            let address = url.strip_prefix("http://").expect("a URL without TLS");
            let (address, _) = address.split_once('/').expect("a path");
            let stream = TcpStream::connect(address).await.expect("a connection");
            let head = format!("POST {path} HTTP/1.1\r\nHost: {address}");
            let answer = told(stream, &head, is_chunked).await;
            let line = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&line), "{path}: {answer}");
        }
    }

    let grown = peak(process) - before;
    assert!(grown < MAX_GROWTH, "the node grew by {grown} KiB");
    let url = format!("http://127.0.0.1:{port}/services");
    let after = Client::new().get(&url).await.expect("an answer");
    assert_eq!(after.json()["data"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn hostile_requests_without_a_good_token_learn_nothing() {
    let quickstart = Quickstart::empty().await;
    let client = Client::new().trusting(&quickstart.ca());
    let bodies: [Vec<u8>; 5] = [
        b"[".repeat(100_000),
        b"{\"host\":\"\xff\"}".to_vec(),
        br#"{"host":"h","name":"a\u0000b"}"#.to_vec(),
        br#"{"host":"h","port":1e999}"#.to_vec(),
        vec![b' '; BYTES],
    ];
    let nobody = "Bearer kpat_0000000000000000000000000000000000000000000000000";
    for dialect in ["core-entities", "admin"] {
        for authorization in [None, Some("Bearer x"), Some(nobody), Some("Basic YTpi")] {
            let mut headers = vec![("content-type", "application/json")];
            headers.extend(authorization.map(|value| ("authorization", value)));
            for body in &bodies {
                let url = format!("{}/{dialect}/services", quickstart.plane_url());
                let body = Bytes::from(body.clone());
                let answer = client.send("POST", &url, &headers, body).await;
                assert_eq!(answer.expect("an answer").status, 401, "{dialect}");
            }
            for path in [
                "services/..%2f..%2fx",
                "services/%00",
                "tags/'%20or%201=1",
                "nope",
            ] {
                let url = format!("{}/{dialect}/{path}", quickstart.plane_url());
                let answer = client.send("GET", &url, &headers, Bytes::new()).await;
                assert_eq!(answer.expect("an answer").status, 401, "{url}");
            }
        }
    }
    let after = quickstart
        .client()
        .get(&quickstart.entities_url("services"))
        .await;
    assert_eq!(after.expect("an answer").json()["data"], json!([]));
}
