//! The data path as a client and a service see it: a node without a control plane that serves a
//! declarative file.

use std::time::Duration;

use test_support::{Backend, Client, Node, Quickstart, TestAuthority, free_port};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn node(port: u16, rest: &str) -> Node {
    let text = format!(
        "_format_version: \"3.0\"\nservices:\n- name: one\n  url: http://127.0.0.1:{port}/base\n  \
         routes:\n  - name: strip\n    paths: [/strip]\n  - name: keep\n    paths: [/keep]\n    \
         strip_path: false\n    preserve_host: true\n  - name: secure\n    paths: [/secure]\n    \
         protocols: [https]\n{rest}"
    );
    let mut node = Node::declarative(&text, &[]);
    node.ready().await;
    node
}

async fn raw(node: &Node, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", node.proxy_port()))
        .await
        .expect("the node");
    stream
        .write_all(request)
        .await
        .expect("the request is sent");
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    drop(
        tokio::time::timeout(Duration::from_secs(10), read)
            .await
            .expect("the node closes"),
    );
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn service_receives_the_forwarded_request() {
    let backend = Backend::start("one").await;
    let node = node(backend.port(), "").await;

    let answer = Client::new().get(&node.url("/strip/a?b=c")).await.unwrap();

    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = backend.seen().pop().unwrap();
    assert_eq!(seen.target, "/base/a?b=c");
    let host = format!("127.0.0.1:{}", backend.port());
    let own_port = node.proxy_port().to_string();
    for (name, value) in [
        ("host", host.as_str()),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-port", own_port.as_str()),
        ("x-forwarded-path", "/strip/a"),
        ("x-forwarded-prefix", "/strip"),
        ("x-real-ip", "127.0.0.1"),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
    assert!(seen.header("via").unwrap().starts_with("1.1 gatehouse/"));
    let id = seen.header("x-kong-request-id").unwrap();
    assert_eq!(answer.header("x-kong-request-id"), Some(id));
    assert!(
        answer
            .header("x-kong-proxy-latency")
            .unwrap()
            .parse::<u32>()
            .is_ok()
    );
    assert!(
        answer
            .header("x-kong-upstream-latency")
            .unwrap()
            .parse::<u32>()
            .is_ok()
    );
}

#[tokio::test]
async fn path_and_host_are_kept_when_asked() {
    let backend = Backend::start("one").await;
    let node = node(backend.port(), "").await;

    let answer = Client::new().get(&node.url("/keep/a")).await.unwrap();

    assert_eq!(answer.json()["target"], "/base/keep/a");
    let host = answer.json()["headers"]["host"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(host.starts_with("localhost"), "{host}");
}

#[tokio::test]
async fn bodies_stream_in_both_directions() {
    let backend = Backend::start("one").await;
    let node = node(backend.port(), "").await;
    let client = Client::new();
    let body = bytes::Bytes::from(vec![b'a'; 3_000_000]);

    let up = client
        .send("POST", &node.url("/strip/x"), &[], body)
        .await
        .unwrap();
    let down = client.get(&node.url("/strip/bytes/3000000")).await.unwrap();

    assert_eq!(up.json()["body_length"], 3_000_000);
    assert_eq!((down.status, down.body.len()), (200, 3_000_000));
}

#[tokio::test]
async fn unknown_path_is_404_and_http_on_an_https_route_is_426() {
    let node = node(1, "").await;
    let client = Client::new();

    let unknown = client.get(&node.url("/nowhere")).await.unwrap();
    let secure = client.get(&node.url("/secure")).await.unwrap();

    let id = unknown.header("x-kong-request-id").unwrap().to_owned();
    let body = format!(
        "{{\n  \"message\":\"no Route matched with those values\",\n  \"request_id\":\"{id}\"\n}}"
    );
    assert_eq!((unknown.status, unknown.text()), (404, body));
    assert_eq!(
        unknown.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    assert!(unknown.header("server").unwrap().starts_with("gatehouse/"));
    assert_eq!(secure.status, 426);
    assert_eq!(secure.header("upgrade"), Some("TLS/1.2, HTTP/1.1"));
    assert_eq!(secure.json()["message"], "Please use HTTPS protocol");
}

#[tokio::test]
async fn error_body_follows_the_accept_header() {
    let node = node(1, "").await;
    let body = async |accept: &str| {
        let headers = [("accept", accept)];
        let url = node.url("/strip/x");
        Client::new()
            .send("GET", &url, &headers, bytes::Bytes::new())
            .await
            .unwrap()
    };

    let (json, html) = (body("application/json").await, body("text/html").await);
    let plain = body("text/plain").await;

    for answer in [&json, &html, &plain] {
        assert_eq!(answer.status, 502, "{}", answer.text());
    }
    assert_eq!(
        json.json()["message"],
        "An invalid response was received from the upstream server"
    );
    assert!(html.text().to_lowercase().starts_with("<!doctype html>"));
    assert!(
        plain
            .text()
            .starts_with("An invalid response was received from the upstream server\n")
    );
}

#[tokio::test]
async fn http2_is_spoken_over_tls_and_the_certificate_follows_the_server_name() {
    let backend = Backend::start("one").await;
    let authority = TestAuthority::new("site");
    let identity = authority.server(&["site.localhost"]);
    let indent = |pem: &str| {
        pem.lines()
            .map(|line| format!("    {line}\n"))
            .collect::<String>()
    };
    let rest = format!(
        "certificates:\n- cert: |\n{}  key: |\n{}  snis:\n  - name: site.localhost\n",
        indent(&identity.certificate),
        indent(&identity.key)
    );
    let node = node(backend.port(), &rest).await;
    let client = Client::new().trusting(authority.pem());

    let first = client
        .get(&node.tls_url("site.localhost", "/secure/a"))
        .await
        .unwrap();
    let second = client
        .clone()
        .http2()
        .get(&node.tls_url("site.localhost", "/secure/b"))
        .await;
    let other = client
        .get(&node.tls_url("other.localhost", "/secure/a"))
        .await;

    assert_eq!(
        (first.status, first.json()["target"].as_str()),
        (200, Some("/base/a"))
    );
    let second = second.unwrap();
    assert_eq!(
        (second.status, second.json()["target"].as_str()),
        (200, Some("/base/b"))
    );
    assert_eq!(second.json()["headers"]["x-forwarded-proto"], "https");
    assert!(
        other.is_err(),
        "the default certificate is trusted by nobody"
    );
}

#[tokio::test]
async fn http2_carries_bodies_of_any_size() {
    let backend = Backend::start("one").await;
    let authority = TestAuthority::new("site");
    let identity = authority.server(&["site.localhost"]);
    let indent = |pem: &str| {
        pem.lines()
            .map(|line| format!("    {line}\n"))
            .collect::<String>()
    };
    let rest = format!(
        "certificates:\n- cert: |\n{}  key: |\n{}  snis:\n  - name: site.localhost\n",
        indent(&identity.certificate),
        indent(&identity.key)
    );
    let node = node(backend.port(), &rest).await;
    let client = Client::new().trusting(authority.pem()).http2();
    let body = bytes::Bytes::from(vec![b'a'; 1_000_000]);

    let up = client
        .send(
            "POST",
            &node.tls_url("site.localhost", "/strip/x"),
            &[],
            body,
        )
        .await;
    let down = client
        .get(&node.tls_url("site.localhost", "/strip/bytes/1000000"))
        .await
        .unwrap();

    assert_eq!(up.unwrap().json()["body_length"], 1_000_000);
    assert_eq!(down.body.len(), 1_000_000);
}

#[tokio::test]
async fn ambiguous_framing_is_refused() {
    let backend = Backend::start("one").await;
    let node = node(backend.port(), "").await;
    let heads: [&[u8]; 9] = [
        b"POST /strip HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /strip HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"POST /strip HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
        b"POST /strip HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"GET /strip HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
        b"GET /strip HTTP/1.1\nHost: a\n\n",
        b"GET /strip HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET /strip HTTP/1.1\r\n\r\n",
        b"GET /strip HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ];

    for head in heads {
        let answer = raw(&node, head).await;
        let text = String::from_utf8_lossy(head);
        // A coding that is not understood is 501, as RFC 9112 section 6.1 has it.
        let status = if text.contains("gzip") { "501" } else { "400" };
        let is_refused = answer.starts_with(&format!("HTTP/1.1 {status} "));
        assert!(is_refused, "{text} was answered {answer}");
    }
    assert!(
        backend.seen().is_empty(),
        "no such request reaches the service"
    );
}

#[tokio::test]
async fn connection_header_cannot_strip_framing() {
    let backend = Backend::start("one").await;
    let node = node(backend.port(), "").await;
    let head = b"POST /strip/x HTTP/1.1\r\nHost: a\r\nConnection: close, Content-Length\r\n\
                 Content-Length: 3\r\n\r\nabc";

    let answer = raw(&node, head).await;

    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(&backend.seen()[0].body[..], b"abc");
}

#[tokio::test]
async fn target_that_refuses_is_passed_over() {
    let backend = Backend::start("one").await;
    let dead = free_port();
    let rest = format!(
        "- name: balanced\n  host: pool.internal\n  retries: 5\n  routes:\n  - paths: [/pool]\n\
         upstreams:\n- name: pool.internal\n  targets:\n  - target: 127.0.0.1:{}\n  - target: \
         127.0.0.1:{dead}\n  - target: 127.0.0.1:1\n    weight: 0\n",
        backend.port()
    );
    let node = node(1, &rest).await;

    for _ in 0..20 {
        let answer = Client::new().get(&node.url("/pool/x")).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(backend.seen().len(), 20);
}

#[tokio::test]
async fn targets_get_traffic_by_weight() {
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let rest = format!(
        "- name: balanced\n  host: pool.internal\n  routes:\n  - paths: [/pool]\nupstreams:\n\
         - name: pool.internal\n  targets:\n  - target: 127.0.0.1:{}\n    weight: 300\n  \
         - target: 127.0.0.1:{}\n    weight: 100\n",
        one.port(),
        two.port()
    );
    let node = node(1, &rest).await;

    for _ in 0..40 {
        assert_eq!(
            Client::new()
                .get(&node.url("/pool/x"))
                .await
                .unwrap()
                .status,
            200
        );
    }

    assert_eq!((one.seen().len(), two.seen().len()), (30, 10));
}

#[tokio::test]
async fn service_that_does_not_answer_in_time_is_504() {
    let rest = format!(
        "- name: slow\n  url: http://127.0.0.1:{}\n  read_timeout: 200\n  retries: 0\n  routes:\n  \
         - paths: [/late]\n",
        silent().await
    );
    let node = node(1, &rest).await;

    let answer = Client::new().get(&node.url("/late")).await.unwrap();

    assert_eq!(answer.status, 504, "{}", answer.text());
    let text = "The upstream server is timing out\nrequest_id: ";
    assert!(answer.text().starts_with(text), "{}", answer.text());
}

#[tokio::test]
async fn kept_connections_carry_many_requests_and_pipelined_ones_in_order() {
    let backend = Backend::start("one").await;
    let node = node(backend.port(), "").await;
    let mut request = Vec::new();
    for number in 0..20 {
        let close = if number == 19 {
            "Connection: close\r\n"
        } else {
            ""
        };
        let text = format!("GET /strip/{number} HTTP/1.1\r\nHost: a\r\n{close}\r\n");
        request.extend_from_slice(text.as_bytes());
    }

    let answer = raw(&node, &request).await;

    assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 20);
    let targets: Vec<String> = backend.seen().into_iter().map(|seen| seen.target).collect();
    let expected: Vec<String> = (0..20).map(|number| format!("/base/{number}")).collect();
    assert_eq!(targets, expected);
}

#[tokio::test]
async fn websocket_upgrade_is_tunnelled() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let service = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                       Connection: Upgrade\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        let mut bytes = [0; 4];
        stream.read_exact(&mut bytes).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        String::from_utf8(head).unwrap()
    });
    let node = node(port, "").await;
    let mut stream = TcpStream::connect(("127.0.0.1", node.proxy_port()))
        .await
        .unwrap();
    let head = b"GET /strip/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
                 Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n";

    stream.write_all(head).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    stream.write_all(b"ping").await.unwrap();
    let mut echo = [0; 4];
    stream.read_exact(&mut echo).await.unwrap();

    assert!(
        answer.starts_with(b"HTTP/1.1 101 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    assert_eq!(&echo, b"ping");
    let seen = service.await.unwrap().to_lowercase();
    assert!(seen.contains("\r\nupgrade: websocket\r\n"), "{seen}");
}

#[tokio::test]
async fn status_api_answers_and_draining_is_not_ready() {
    let node = node(1, "").await;
    let client = Client::new();

    let status = client.get(&node.status_url("/status")).await.unwrap();
    let unknown = client.get(&node.status_url("/nothing")).await.unwrap();
    let drain = serde_json::json!({"status": "draining"});
    let drained = client
        .json("POST", &node.status_url("/status/ready"), &drain)
        .await
        .unwrap();
    let ready = client.get(&node.status_url("/status/ready")).await.unwrap();

    assert_eq!(
        status.json()["configuration_hash"].as_str().map(str::len),
        Some(32)
    );
    assert!(status.json()["server"]["total_requests"].is_u64());
    assert_eq!(
        (unknown.status, unknown.json()["message"].as_str()),
        (404, Some("Not found"))
    );
    assert_eq!(drained.status, 204);
    assert_eq!(
        (ready.status, ready.json()["message"].as_str()),
        (503, Some("draining"))
    );
}

#[tokio::test]
async fn empty_node_is_not_ready_and_says_why() {
    let mut node = Node::new(&[("database", "off")]);
    node.start();

    let answer = test_support::eventually("the status API answers", async || {
        Client::new()
            .get(&node.status_url("/status/ready"))
            .await
            .ok()
    })
    .await;

    assert_eq!(answer.status, 503);
    assert!(
        answer.text().contains("no configuration available"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn posted_configuration_replaces_and_a_wrong_one_leaves_the_running_one() {
    let backend = Backend::start("one").await;
    let admin = free_port();
    let listen = format!("127.0.0.1:{admin}");
    let text = "_format_version: \"3.0\"\n";
    let mut node = Node::declarative(text, &[("admin_listen", &listen)]);
    node.start();
    let url = format!("http://127.0.0.1:{admin}/config");
    let service = serde_json::json!({
        "name": "one", "host": "127.0.0.1", "port": backend.port(),
        "routes": [{"name": "one", "paths": ["/one"]}],
    });
    let good = serde_json::json!({"_format_version": "3.0", "services": [service]});
    let wrong = serde_json::json!({"_format_version": "3.0", "services": [{"name": "x"}]});

    let accepted = test_support::eventually("the Admin API answers", async || {
        Client::new().json("POST", &url, &good).await.ok()
    })
    .await;
    gatehouse_tests::until_status(&Client::new(), &node.url("/one/x"), 200).await;
    let refused = Client::new().json("POST", &url, &wrong).await.unwrap();

    assert_eq!(accepted.status, 201, "{}", accepted.text());
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("required field missing"),
        "{}",
        refused.text()
    );
    assert_eq!(
        Client::new().get(&node.url("/one/x")).await.unwrap().status,
        200
    );
}

#[tokio::test]
async fn change_through_the_api_reaches_the_node() {
    let quickstart = Quickstart::empty().await;
    let backend = Backend::start("one").await;
    let route = serde_json::json!({"name": "one", "paths": ["/one"]});
    let (_, route) = gatehouse_tests::publish(&quickstart, "one", backend.port(), route).await;
    let url = quickstart.proxy_url("/one/x");
    gatehouse_tests::until_status(&Client::new(), &url, 200).await;

    let path = quickstart.entities_url(&format!("routes/{route}"));
    let deleted = quickstart
        .client()
        .send("DELETE", &path, &[], bytes::Bytes::new())
        .await;

    assert_eq!(deleted.unwrap().status, 204);
    gatehouse_tests::until_status(&Client::new(), &url, 404).await;
}

/// A listener that accepts and never answers.
async fn silent() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    port
}
