//! Callers that take too much, and the end.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// Long enough that only a hang gets there.
const HANGS: Duration = Duration::from_secs(20);

#[tokio::test]
async fn bodies_beyond_the_limit_get_413_in_the_form_of_their_api() {
    let limits = Limits {
        body: 1000,
        declarative_body: 2000,
        ..Limits::default()
    };
    let fixture = Fixture::start_with(limits).await;
    let long = "x".repeat(1500);
    let body = json!({"name": "a", "description": long});

    let plane = fixture.send("POST", "/v2/control-planes", &body).await;
    let entity = fixture
        .send("POST", &fixture.entity("services"), &body)
        .await;
    let path = fixture.plane("/declarative");
    let file = fixture
        .raw("POST", &path, "text/yaml", &"x".repeat(2500))
        .await;
    let small = fixture.raw("POST", &path, "text/yaml", &long).await;

    assert_problem(&plane, 413, "Payload Too Large");
    assert_eq!(entity.status, 413);
    assert_eq!(
        entity.json(),
        json!({"message": "The body has more than 1000 bytes"})
    );
    assert_eq!(file.status, 413);
    assert_eq!(
        small.status, 400,
        "within the limit, but no declarative file"
    );
}

#[tokio::test]
async fn connections_that_say_nothing_are_closed() {
    let limits = Limits {
        handshake: Duration::from_millis(50),
        header_read: Duration::from_millis(50),
        ..Limits::default()
    };
    let fixture = Fixture::start_with(limits).await;
    let mut silent = TcpStream::connect(("127.0.0.1", fixture.port))
        .await
        .unwrap();
    let slow = TcpStream::connect(("127.0.0.1", fixture.port))
        .await
        .unwrap();
    let mut slow = fixture
        .client()
        .shake_hands(slow, "us.api.konghq.localhost")
        .await
        .unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();

    let mut rest = Vec::new();
    tokio::time::timeout(HANGS, silent.read_to_end(&mut rest))
        .await
        .unwrap()
        .ok();
    let mut rest = Vec::new();
    tokio::time::timeout(HANGS, slow.read_to_end(&mut rest))
        .await
        .unwrap()
        .ok();
}

#[tokio::test]
async fn plain_http_on_the_port_is_closed() {
    let fixture = Fixture::start().await;
    let mut stream = TcpStream::connect(("127.0.0.1", fixture.port))
        .await
        .unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();

    let mut answer = Vec::new();
    tokio::time::timeout(HANGS, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .ok();

    assert!(!answer.starts_with(b"HTTP/"));
}

#[tokio::test]
async fn further_connections_wait_until_there_is_room() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let fixture = Fixture::start_with(limits).await;
    let held = TcpStream::connect(("127.0.0.1", fixture.port))
        .await
        .unwrap();
    let held = fixture
        .client()
        .shake_hands(held, "us.api.konghq.localhost")
        .await
        .unwrap();
    let (client, url) = (
        fixture.client(),
        fixture.url("us.api", "/v2/control-planes"),
    );
    let waiting = tokio::spawn(async move { client.get(&url).await });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());

    drop(held);

    let answer = tokio::time::timeout(HANGS, waiting)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn the_end_does_not_wait_for_idle_connections() {
    let fixture = Fixture::start().await;
    let port = fixture.port;
    let idle = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let idle = fixture
        .client()
        .shake_hands(idle, "us.api.konghq.localhost")
        .await
        .unwrap();

    let ended = tokio::time::timeout(HANGS, fixture.end()).await.unwrap();

    assert!(ended.is_ok());
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    drop(idle);
}

#[tokio::test]
async fn requests_under_way_are_finished_before_the_end() {
    let mut fixture = Fixture::start().await;
    let (port, token) = (fixture.port, fixture.token.clone());
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut stream = fixture
        .client()
        .shake_hands(stream, "us.api.konghq.localhost")
        .await
        .unwrap();
    let body = "{\"name\":\"late\"}";
    let head = format!(
        "POST /v2/control-planes HTTP/1.1\r\nHost: us.api.konghq.localhost\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: the request is under way.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");

    drop(fixture.stop.take());
    while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(body.as_bytes()).await.unwrap();

    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    tokio::time::timeout(HANGS, read).await.unwrap().ok();
    assert!(
        answer.starts_with(b"HTTP/1.1 201"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    assert!(fixture.end().await.is_ok());
}
