use std::time::Duration;

use bytes::Bytes;
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::http::CallError;
use super::{Answer, Call, Trust, Url, Verify, call};

async fn ask(port: u16, timeout: Duration, max_answer: usize) -> Result<Answer, CallError> {
    let url = Url::parse(&format!("http://127.0.0.1:{port}/x?y=1")).unwrap();
    call(Call {
        url: &url,
        method: Method::POST,
        headers: vec![("X-A".to_owned(), "1".to_owned())],
        body: Bytes::from_static(b"hello"),
        verify: Verify::Yes,
        trust: &Trust::default(),
        timeout,
        keepalive: Duration::from_secs(60),
        proxy: None,
        max_answer,
    })
    .await
}

/// A server that answers each request of each connection with these bytes.
async fn server(answer: &'static [u8], requests_each: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                for _ in 0..requests_each {
                    let mut seen = Vec::new();
                    while !seen.ends_with(b"hello") {
                        match stream.read_u8().await {
                            Ok(byte) => seen.push(byte),
                            Err(_) => return,
                        }
                    }
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    port
}

#[test]
fn urls_are_read_with_their_defaults() {
    let url = Url::parse("https://user@[::1]:8443?a=b#c").unwrap();
    assert_eq!(
        (url.host.as_str(), url.port, url.is_tls),
        ("::1", 8443, true)
    );
    assert_eq!(url.target, "/?a=b");
    assert_eq!(url.authority(), "[::1]:8443");
    assert_eq!(Url::parse("http://h").unwrap().authority(), "h");
    for bad in [
        "ftp://h",
        "h",
        "http://",
        "http://h:x",
        "http://h/a b",
        "http://a\r\nb",
    ] {
        assert_eq!(Url::parse(bad), None, "{bad}");
    }
}

#[tokio::test]
async fn kept_connection_that_has_ended_is_opened_anew() {
    let port = server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1).await;

    for _ in 0..3 {
        let answer = ask(port, Duration::from_secs(5), 10).await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, &b"ok"[..]));
    }
}

#[tokio::test]
async fn answers_beyond_the_limit_are_refused() {
    let port = server(
        b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890",
        9,
    )
    .await;
    let answer = ask(port, Duration::from_secs(5), 10).await;
    assert!(matches!(answer, Err(CallError::TooLarge)), "{answer:?}");
}

#[tokio::test]
async fn a_slow_a_dead_and_a_lying_server_end_the_call() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let answer = ask(port, Duration::from_millis(50), 10).await;
    assert!(matches!(answer, Err(CallError::Timeout)), "{answer:?}");
    drop(silent);
    let answer = ask(port, Duration::from_secs(5), 10).await;
    assert!(matches!(answer, Err(CallError::Connect(_))), "{answer:?}");
    let port = server(b"not http at all\r\n\r\n", 1).await;
    let answer = ask(port, Duration::from_secs(5), 10).await;
    assert!(matches!(answer, Err(CallError::Broken)), "{answer:?}");
}
