use std::future::poll_fn;

use bytes::{Bytes, BytesMut};
use conf::Listen;
use h2::client::SendRequest;
use http::{HeaderMap, Request, Response};
use serde_json::json;
use tokio::net::TcpStream;

use super::support::*;
use super::tls::{client_config, tls_gateway};

/// A gateway whose one listener takes HTTP/2 in clear.
fn gateway(origin: std::net::SocketAddr) -> Gateway {
    let mut settings = settings();
    let address = "127.0.0.1:0".parse().expect("an address");
    settings.proxy_listen = vec![Listen {
        http2: true,
        ..Listen::plain(address)
    }];
    settings.client_max_body_size = Some(5_000_000);
    gateway_with(&settings, &[json!({"paths": ["/"]})], &service(origin))
}

pub(super) async fn connect(gateway: &Gateway) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(gateway.address())
        .await
        .expect("a connection");
    let (sender, connection) = h2::client::handshake(stream).await.expect("a handshake");
    tokio::spawn(connection);
    sender
}

pub(super) type Answer = (Response<()>, Bytes, Option<HeaderMap>);

pub(super) async fn ask(
    sender: &SendRequest<Bytes>,
    request: Request<()>,
    body: Option<Bytes>,
) -> Answer {
    let mut sender = sender.clone().ready().await.expect("room");
    let (response, mut stream) = sender
        .send_request(request, body.is_none())
        .expect("a request");
    if let Some(mut body) = body {
        while !body.is_empty() {
            stream.reserve_capacity(body.len());
            // RFC 9113 section 8.1: an answer may be complete before the request is, and asks for
            // no more of it then.
            let Some(count) = poll_fn(|cx| stream.poll_capacity(cx)).await else {
                break;
            };
            let part = body.split_to(count.expect("room").min(body.len()));
            if stream.send_data(part, body.is_empty()).is_err() {
                break;
            }
        }
    }
    let (parts, mut incoming) = response.await.expect("an answer").into_parts();
    let mut received = BytesMut::new();
    while let Some(chunk) = incoming.data().await {
        let chunk = chunk.expect("data");
        incoming
            .flow_control()
            .release_capacity(chunk.len())
            .expect("a window");
        received.extend_from_slice(&chunk);
    }
    let trailers = incoming.trailers().await.expect("trailers or none");
    (Response::from_parts(parts, ()), received.freeze(), trailers)
}

fn get(path: &str) -> Request<()> {
    Request::get(format!("http://a.test{path}"))
        .body(())
        .expect("a request")
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_one_connection_are_proxied_side_by_side() {
    let origin = Origin::start(|_, request| {
        let line = String::from_utf8_lossy(request)
            .lines()
            .next()
            .unwrap_or("")
            .to_owned();
        Act::Send(ok(&line))
    });
    let gateway = gateway(origin.address);
    let sender = connect(&gateway).await;
    let asked = (0..20).map(|number| {
        let sender = sender.clone();
        tokio::spawn(async move { (number, ask(&sender, get(&format!("/{number}")), None).await) })
    });
    for task in asked.collect::<Vec<_>>() {
        let (number, (response, body, _)) = task.await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert!(response.headers().contains_key("x-kong-request-id"));
        assert!(!response.headers().contains_key("connection"));
        assert_eq!(body, format!("GET /{number} HTTP/1.1").as_bytes());
    }
    let request = origin.requests().remove(0);
    assert!(
        request.contains("\r\nX-Forwarded-Host: a.test\r\n"),
        "{request}"
    );
    assert!(request.contains("\r\nVia: 2 kong/3.9.3\r\n"), "{request}");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_pass_over_http_2_in_both_directions() {
    let origin = Origin::start(|_, request| {
        let at = request
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .expect("a head")
            + 4;
        Act::Send(ok(&String::from_utf8_lossy(&request[at..])))
    });
    let gateway = gateway(origin.address);
    let sender = connect(&gateway).await;
    let body = Bytes::from("0123456789".repeat(200_000));
    let request = Request::post("http://a.test/")
        .header("content-length", body.len())
        .body(())
        .expect("a request");
    let (response, received, _) = ask(&sender, request, Some(body.clone())).await;
    assert_eq!(response.status(), 200);
    assert!(received == body, "the body was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_a_length_is_sent_in_chunks_and_trailers_come_back() {
    let origin = Origin::start(|_, _| {
        let answer =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: v\r\n\r\n";
        Act::Send(answer.as_bytes().to_vec())
    });
    let gateway = gateway(origin.address);
    let sender = connect(&gateway).await;
    let request = Request::post("http://a.test/").body(()).expect("a request");
    let (_, body, trailers) = ask(&sender, request, Some(Bytes::from_static(b"hello"))).await;
    assert_eq!(body, "ok");
    assert_eq!(trailers.expect("trailers")["x-t"], "v");
    let request = origin.requests().remove(0);
    assert!(
        request.contains("\r\nTransfer-Encoding: chunked\r\n"),
        "{request}"
    );
    assert!(request.contains("hello"), "{request}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_reach_http_2_clients_with_their_bodies() {
    let origin = Origin::ok("ok");
    let gateway = gateway(origin.address);
    let sender = connect(&gateway).await;
    let request = Request::post("http://a.test/")
        .header("content-length", 6_000_000)
        .body(())
        .expect("a request");
    let mut ready = sender.clone().ready().await.expect("room");
    let (response, _stream) = ready.send_request(request, false).expect("a request");
    let response = response.await.expect("an answer");
    assert_eq!(response.status(), 413);
    let mut body = response.into_body();
    let text = body.data().await.expect("a body").expect("data");
    assert!(text.starts_with(b"Payload too large\n"), "{text:?}");
    let (response, body, _) = ask(&sender, get("/%zz"), None).await;
    assert_eq!(response.status(), 400);
    assert!(!body.is_empty());
    let head = Request::head("http://a.test/").body(()).expect("a request");
    let (response, body, _) = ask(&sender, head, None).await;
    assert_eq!((response.status().as_u16(), body.len()), (200, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn http_1_1_is_still_taken_where_http_2_is() {
    let origin = Origin::ok("ok");
    let gateway = gateway(origin.address);
    let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answer.ends_with("ok"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_is_agreed_on_in_the_handshake() {
    let origin = Origin::ok("ok");
    let gateway = tls_gateway(origin.address);
    let connector = tokio_rustls::TlsConnector::from(client_config(&gateway, &[b"h2"]));
    let stream = TcpStream::connect(gateway.address())
        .await
        .expect("a connection");
    let name = rustls_pki_types::ServerName::try_from("named.test").expect("a name");
    let stream = connector.connect(name, stream).await.expect("a handshake");
    let (sender, connection) = h2::client::handshake(stream).await.expect("a handshake");
    tokio::spawn(connection);
    for _ in 0..3 {
        let (response, body, _) = ask(&sender, get("/"), None).await;
        assert_eq!((response.status().as_u16(), &body[..]), (200, &b"ok"[..]));
    }
}
