use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use conf::{Listen, Settings};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use serde_json::json;

use super::support::*;

/// A gateway whose one listener speaks TLS.
pub(super) fn tls_gateway(origin: std::net::SocketAddr) -> Gateway {
    let routes = [json!({"paths": ["/"]})];
    gateway_with(&tls_settings(), &routes, &service(origin))
}

/// Settings of a node whose one listener speaks TLS.
pub(super) fn tls_settings() -> Settings {
    let mut settings = settings();
    let address = "127.0.0.1:0".parse().expect("an address");
    settings.proxy_listen = vec![Listen {
        ssl: true,
        http2: true,
        ..Listen::plain(address)
    }];
    settings.client_max_body_size = None;
    settings
}

/// Whether the gateway shows a certificate for this name, and answers.
pub(super) fn answers(gateway: &Gateway, name: &str) -> bool {
    let mut stream = connect(gateway, name);
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut answer = Vec::new();
    stream.write_all(request).is_ok()
        && stream.read_to_end(&mut answer).is_ok()
        && answer.starts_with(b"HTTP/1.1 ")
}

pub(super) fn client_config(gateway: &Gateway, protocols: &[&[u8]]) -> Arc<ClientConfig> {
    let roots = pki::Roots::from_pem(gateway.authority.ca_pem().as_bytes()).expect("roots");
    let mut config = ClientConfig::builder_with_provider(pki::crypto_provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots.to_store())
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

fn connect(gateway: &Gateway, name: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let config = client_config(gateway, &[b"http/1.1"]);
    connect_with(gateway, config, name)
}

fn connect_with(
    gateway: &Gateway,
    config: Arc<ClientConfig>,
    name: &str,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let session = ClientConnection::new(config, name).expect("a session");
    let stream = TcpStream::connect(gateway.address()).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    StreamOwned::new(session, stream)
}

#[test]
fn the_certificate_follows_the_name_and_the_service_learns_of_https() {
    let origin = Origin::ok("ok");
    let gateway = tls_gateway(origin.address);
    for name in ["named.test", "default.test"] {
        let mut stream = connect(&gateway, name);
        let request = format!("GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .expect("an answer and a clean end");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("ok"), "{answer}");
    }
    let request = origin.requests().remove(0);
    assert!(
        request.contains("\r\nX-Forwarded-Proto: https\r\n"),
        "{request}"
    );
}

#[test]
fn large_bodies_pass_through_tls_in_both_directions() {
    let origin = Origin::start(|_, request| {
        let at = request
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .expect("a head")
            + 4;
        Act::Send(ok(&String::from_utf8_lossy(&request[at..])))
    });
    let gateway = tls_gateway(origin.address);
    let body = "0123456789".repeat(200_000);
    let mut stream = connect(&gateway, "named.test");
    let head = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("a head");
    stream.write_all(body.as_bytes()).expect("a body");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.ends_with(&body), "the body was changed");
}

#[test]
fn sessions_are_resumed() {
    let origin = Origin::ok("ok");
    let gateway = tls_gateway(origin.address);
    let config = client_config(&gateway, &[b"http/1.1"]);
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let mut stream = connect_with(&gateway, Arc::clone(&config), "named.test");
        let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        stream.write_all(request).expect("a request");
        stream.read_to_end(&mut Vec::new()).expect("an answer");
        kinds.push(stream.conn.handshake_kind());
    }
    assert_eq!(kinds[1], Some(rustls::HandshakeKind::Resumed));
}

#[test]
fn bytes_that_are_no_handshake_are_counted_and_closed() {
    let origin = Origin::ok("ok");
    let gateway = tls_gateway(origin.address);
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(!client.rest().starts_with(b"HTTP"));
    until(|| gateway.handle.counters().handshake_failures == 1);
}
