//! The parts that other tests stand on do what they say.

use gatehouse_test_support::{Backend, Client, Squid, SquidOptions, TestAuthority};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn backend_answers_what_it_was_asked_and_remembers() {
    let backend = Backend::start("one").await;
    let base = format!("http://localhost:{}", backend.port());

    let answer = Client::new().get(&format!("{base}/a?b=c")).await.unwrap();
    let failure = Client::new()
        .get(&format!("{base}/status/503"))
        .await
        .unwrap();

    assert_eq!(answer.json()["target"], "/a?b=c");
    assert_eq!(failure.status, 503);
    assert_eq!(backend.seen().len(), 2);
}

#[tokio::test]
async fn squid_refuses_a_wrong_password_and_tunnels_with_the_right_one() {
    let backend = Backend::start("behind").await;
    let credentials = Some(("user".to_owned(), "secret".to_owned()));
    let squid = Squid::start(&SquidOptions {
        credentials,
        ..SquidOptions::default()
    })
    .await;
    let ask = async |password: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", squid.port()))
            .await
            .unwrap();
        let token = match password {
            "secret" => "dXNlcjpzZWNyZXQ=",
            _ => "dXNlcjp3cm9uZw==",
        };
        let port = backend.port();
        let head = format!(
            "CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic {token}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };

    assert_eq!(ask("secret").await, "HTTP/1.1 200");
    assert_eq!(ask("wrong").await, "HTTP/1.1 407");
}

#[tokio::test]
async fn squid_speaks_tls_to_its_clients_when_asked() {
    let authority = TestAuthority::new("proxy authority");
    let identity = authority.server(&["proxy.localhost"]);
    let squid = Squid::start(&SquidOptions {
        tls: Some(identity),
        ..SquidOptions::default()
    })
    .await;

    let stream = TcpStream::connect(("127.0.0.1", squid.port()))
        .await
        .unwrap();
    let trusting = Client::new().trusting(authority.pem());
    let mut stream = trusting
        .shake_hands(stream, "proxy.localhost")
        .await
        .unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();

    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/");
}
