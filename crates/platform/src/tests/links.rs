//! Nodes reach their control plane under every name that means it.

use test_support::{Identity, TestAuthority};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

async fn registered(fixture: &Fixture) -> Identity {
    let identity = TestAuthority::new("node").client("node");
    fixture
        .geo
        .planes
        .pin(fixture.default.id, &identity.certificate, "")
        .await
        .unwrap();
    identity
}

/// The status of an upgrade asked for under a server name, a host and a path.
async fn upgrade(client: &Client, port: u16, (server_name, host): (&str, &str), path: &str) -> u16 {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut stream = client.shake_hands(stream, server_name).await.unwrap();
    let query =
        "node_id=4d0a9a0b-90dd-4f0e-9a9a-1a2b3c4d5e6f&node_hostname=edge&node_version=3.9.1";
    let head = format!(
        "GET {path}/v1/outlet?{query} HTTP/1.1\r\nUpgrade: websocket\r\nHost: {host}:{port}\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\
         Connection: Upgrade\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    std::str::from_utf8(&start[9..]).unwrap().parse().unwrap()
}

#[tokio::test]
async fn registered_certificates_open_links_under_every_name() {
    let fixture = Fixture::start().await;
    let client = fixture.stranger().identified(&registered(&fixture).await);
    let prefix = &fixture.default.prefix;
    let name = |channel: &str| format!("{prefix}.us.{channel}.konghq.localhost");
    let (cp0, cp, tp0, tp) = (name("cp0"), name("cp"), name("tp0"), name("tp"));
    let (svc, cp_path, tp_path) = (
        "us.svc.konghq.localhost",
        format!("/cp/{prefix}"),
        format!("/tp/{prefix}"),
    );
    for (server_name, host, path) in [
        (cp0.as_str(), cp0.as_str(), ""),
        (&cp, &cp, ""),
        (&tp0, &tp0, ""),
        (&tp, &tp, ""),
        (&cp0, "127.0.0.1", ""),
        (svc, svc, &cp_path),
        (svc, svc, &tp_path),
        (svc, "10.0.0.1", &cp_path),
        ("127.0.0.1", "127.0.0.1", &cp_path),
        ("localhost", "localhost", &cp_path),
    ] {
        let status = upgrade(&client, fixture.port, (server_name, host), path).await;
        assert_eq!(status, 101, "{server_name} {host}{path}");
    }
}

#[tokio::test]
async fn links_end_where_they_are_not_meant() {
    let fixture = Fixture::start().await;
    let client = fixture.stranger().identified(&registered(&fixture).await);
    let prefix = &fixture.default.prefix;
    let other_geo = format!("{prefix}.eu.cp0.konghq.localhost");
    let api = "us.api.konghq.localhost";
    let svc = "us.svc.konghq.localhost";
    for (server_name, host, path, expected) in [
        (other_geo.as_str(), other_geo.as_str(), String::new(), 401),
        (svc, svc, "/cp/0123456789".to_owned(), 401),
        (svc, svc, String::new(), 404),
        (api, api, format!("/cp/{prefix}"), 404),
    ] {
        let status = upgrade(&client, fixture.port, (server_name, host), &path).await;
        assert_eq!(status, expected, "{server_name} {host}{path}");
    }
}

#[tokio::test]
async fn the_end_does_not_wait_for_links() {
    let fixture = Fixture::start().await;
    let client = fixture.stranger().identified(&registered(&fixture).await);
    let name = format!("{}.us.cp0.konghq.localhost", fixture.default.prefix);
    assert_eq!(
        upgrade(&client, fixture.port, (&name, &name), "").await,
        101
    );

    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), fixture.end()).await;

    assert!(ended.unwrap().is_ok());
}
