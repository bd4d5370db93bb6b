use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use conf::Listen;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::http2::{ask, connect};
use test_support::TestAuthority;

use super::mtls;
use super::support::*;

/// Limit: how long an answer may take that has nothing to wait for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A service that speaks HTTP/2 alone.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Service {
    /// Starts it; with `tls` it wants `h2` to be agreed on.
    pub(super) async fn start(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                count.fetch_add(1, Ordering::SeqCst);
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream).await,
                        Some(tls) => {
                            let stream = tls.accept(stream).await.expect("a handshake");
                            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
                            serve(stream).await;
                        }
                    }
                });
            }
        });
        Self {
            address,
            connections,
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut streams = h2::server::handshake(stream).await.expect("a handshake");
    while let Some(Ok((request, respond))) = streams.accept().await {
        if request.uri().path() == "/close" {
            streams.abrupt_shutdown(Reason::INTERNAL_ERROR);
            continue;
        }
        if request.uri().path() == "/leave" {
            streams.graceful_shutdown();
        }
        tokio::spawn(answer(request, respond));
    }
}

async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
    let (parts, mut body) = request.into_parts();
    let mut response = Response::new(());
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    for name in ["te", "x-forwarded-host", "content-length"] {
        if let Some(value) = parts.headers.get(name) {
            headers.insert(
                format!("seen-{name}")
                    .parse::<http::HeaderName>()
                    .expect("a name"),
                value.clone(),
            );
        }
    }
    let authority = parts.uri.authority().expect("an authority").as_str();
    headers.insert("seen-authority", authority.parse().expect("a value"));
    assert!(!parts.headers.contains_key("connection"));
    match parts.uri.path() {
        "/reset" => respond.send_reset(Reason::CANCEL),
        "/failure" | "/test.Things/Fail" => {
            headers.insert("grpc-status", HeaderValue::from_static("5"));
            respond.send_response(response, true).expect("an answer");
        }
        "/large" => {
            let mut stream = respond.send_response(response, false).expect("an answer");
            send(&mut stream, Bytes::from(vec![b'x'; 3_000_000])).await;
            finish(&mut stream);
        }
        _ => {
            // Every piece comes back before the next one is needed, or all of them at the end.
            let is_whole = parts.uri.path() == "/whole";
            let mut stream = respond.send_response(response, false).expect("an answer");
            let mut whole = Vec::new();
            while let Some(data) = body.data().await {
                let data = data.expect("data");
                body.flow_control()
                    .release_capacity(data.len())
                    .expect("a window");
                if is_whole {
                    whole.extend_from_slice(&data);
                } else {
                    send(&mut stream, data).await;
                }
            }
            send(&mut stream, Bytes::from(whole)).await;
            finish(&mut stream);
        }
    }
}

async fn send(stream: &mut SendStream<Bytes>, mut data: Bytes) {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let room = poll_fn(|cx| stream.poll_capacity(cx)).await;
        let room = room.expect("open").expect("room").min(data.len());
        stream
            .send_data(data.split_to(room), false)
            .expect("data is taken");
    }
}

fn finish(stream: &mut SendStream<Bytes>) {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    trailers.insert("grpc-message", HeaderValue::from_static("fine"));
    stream.send_trailers(trailers).expect("trailers are taken");
}

/// A gateway before a service of gRPC.
fn gateway(protocol: &str, address: SocketAddr) -> Gateway {
    let mut settings = settings();
    settings.proxy_listen = vec![Listen {
        http2: true,
        ..Listen::plain("127.0.0.1:0".parse().expect("an address"))
    }];
    let yaml = format!(
        "services:\n- name: s\n  url: {protocol}://{address}\n  routes:\n  \
         - {{name: r, paths: [/], protocols: [grpc, grpcs], strip_path: false}}\n"
    );
    gateway_of(&settings, crate::testing::snapshot(&yaml))
}

fn call(path: &str) -> Request<()> {
    Request::post(format!("http://a.test{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .expect("a request")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_demands_a_certificate_gets_it_over_http2_too() {
    let (clients, services) = (
        TestAuthority::new("clients"),
        TestAuthority::new("services"),
    );
    let own = services.server(&["127.0.0.1"]);
    let acceptor = TlsAcceptor::from(Arc::new(mtls::server_config(&own, &clients, b"h2")));
    let service = Service::start(Some(acceptor)).await;
    let (right, expired) = (clients.client("gateway"), clients.expired_client("gateway"));
    for (identity, is_served) in [(Some(&right), true), (Some(&expired), false), (None, false)] {
        let snapshot = mtls::grpcs(service.address, identity, services.pem());
        let gateway = gateway_of(&mtls::http2_settings(), snapshot);
        let client = connect(&gateway).await;
        let (response, body, trailers) =
            ask(&client, call("/x"), Some(Bytes::from("message"))).await;
        assert_eq!(response.status(), if is_served { 200 } else { 502 });
        assert_eq!(body == "message", is_served);
        assert_eq!(status(trailers).is_some(), is_served);
    }
}

fn status(trailers: Option<HeaderMap>) -> Option<String> {
    let trailers = trailers?;
    Some(trailers.get("grpc-status")?.to_str().ok()?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_reach_a_service_over_one_connection_and_trailers_come_back() {
    let service = Service::start(None).await;
    let gateway = gateway("grpc", service.address);
    let client = connect(&gateway).await;
    for number in 0..5 {
        let message = Bytes::from(format!("message {number}"));
        let answer = ask(&client, call("/unary"), Some(message.clone())).await;
        let (response, body, trailers) = answer;
        assert_eq!((response.status().as_u16(), body), (200, message));
        let seen = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().expect("text"))
        };
        assert_eq!(seen("content-type"), Some("application/grpc"));
        assert_eq!(seen("seen-te"), Some("trailers"));
        assert_eq!(seen("seen-x-forwarded-host"), Some("a.test"));
        assert_eq!(
            seen("seen-authority"),
            Some(service.address.to_string().as_str())
        );
        assert!(seen("x-kong-request-id").is_some());
        assert_eq!(status(trailers).as_deref(), Some("0"));
    }
    assert_eq!(service.connections.load(Ordering::SeqCst), 1);
    assert_eq!(gateway.handle.counters().upstream_connections, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_at_a_time_share_connections() {
    let service = Service::start(None).await;
    let gateway = gateway("grpc", service.address);
    let client = connect(&gateway).await;
    ask(&client, call("/first"), Some(Bytes::from_static(b"m"))).await;
    let calls = (0..60).map(|number| {
        let client = client.clone();
        tokio::spawn(async move {
            let message = Bytes::from(format!("{number}").repeat(5000));
            let (_, body, trailers) = ask(&client, call("/whole"), Some(message.clone())).await;
            (body == message, status(trailers))
        })
    });
    for task in calls.collect::<Vec<_>>() {
        assert_eq!(task.await.expect("an answer"), (true, Some("0".to_owned())));
    }
    assert_eq!(service.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_directions_stream_at_the_same_time() {
    let service = Service::start(None).await;
    let gateway = gateway("grpc", service.address);
    let client = connect(&gateway).await;
    let mut client = client.ready().await.expect("room");
    let (response, mut stream) = client
        .send_request(call("/chat"), false)
        .expect("a request");
    stream
        .send_data(Bytes::from_static(b"one"), false)
        .expect("data is taken");
    // The answer begins while the request goes on.
    let mut body = response.await.expect("an answer").into_body();
    for (expected, next) in [("one", "two"), ("two", "three"), ("three", "")] {
        let mut received = Vec::new();
        while received.len() < expected.len() {
            let data = body.data().await.expect("data").expect("good data");
            let _ = body.flow_control().release_capacity(data.len());
            received.extend_from_slice(&data);
        }
        assert_eq!(received, expected.as_bytes());
        stream
            .send_data(Bytes::from(next), next.is_empty())
            .expect("data is taken");
    }
    assert!(body.data().await.is_none());
    assert_eq!(
        status(body.trailers().await.expect("trailers")).as_deref(),
        Some("0")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_fails_at_once_and_a_large_answer_come_back() {
    let service = Service::start(None).await;
    let gateway = gateway("grpc", service.address);
    let client = connect(&gateway).await;
    let (response, body, trailers) =
        ask(&client, call("/failure"), Some(Bytes::from_static(b"m"))).await;
    assert_eq!(
        response.headers().get("grpc-status").expect("a status"),
        "5"
    );
    assert!(!response.headers().contains_key("content-length"));
    assert!(body.is_empty() && trailers.is_none());
    let large = Bytes::from(vec![b'y'; 2_000_000]);
    let (_, body, _) = ask(&client, call("/whole"), Some(large.clone())).await;
    assert!(body == large, "the message was changed");
    let (_, body, trailers) = ask(&client, call("/large"), Some(Bytes::from_static(b"m"))).await;
    assert_eq!(
        (body.len(), status(trailers).as_deref()),
        (3_000_000, Some("0"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_over_tls_is_offered_http_2() {
    let authority = pki::Authority::create("test").expect("an authority");
    let issued = authority
        .issue_server(&["localhost"])
        .expect("a certificate");
    let key = pki::certified_key(issued.cert_pem.as_bytes(), issued.key_pem.as_bytes());
    let mut config = rustls::ServerConfig::builder_with_provider(pki::crypto_provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(
            key.expect("a pair"),
        )));
    config.alpn_protocols = vec![b"h2".to_vec()];
    let service = Service::start(Some(TlsAcceptor::from(Arc::new(config)))).await;
    let gateway = gateway("grpcs", service.address);
    let client = connect(&gateway).await;
    let message = Bytes::from_static(b"secret");
    let (_, body, trailers) = ask(&client, call("/unary"), Some(message.clone())).await;
    assert_eq!((body, status(trailers).as_deref()), (message, Some("0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ended_costs_the_next_call_nothing() {
    let service = Service::start(None).await;
    let gateway = gateway("grpc", service.address);
    let client = connect(&gateway).await;
    ask(&client, call("/unary"), Some(Bytes::from_static(b"m"))).await;
    let (response, ..) = ask(&client, call("/close"), Some(Bytes::from_static(b"m"))).await;
    assert_eq!(response.status(), 502);
    let (response, _, trailers) =
        ask(&client, call("/unary"), Some(Bytes::from_static(b"m"))).await;
    assert_eq!(
        (response.status().as_u16(), status(trailers).as_deref()),
        (200, Some("0"))
    );
    assert_eq!(service.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_the_service_resets_is_an_error_of_that_call_alone() {
    let service = Service::start(None).await;
    let gateway = gateway("grpc", service.address);
    let client = connect(&gateway).await;
    let (response, ..) = ask(&client, call("/reset"), Some(Bytes::from_static(b"m"))).await;
    assert_eq!(response.status(), 502);
    let (response, ..) = ask(&client, call("/unary"), Some(Bytes::from_static(b"m"))).await;
    assert_eq!(response.status(), 200);
    assert_eq!(service.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_the_service_resets_again_and_again_is_tried_as_often_as_told() {
    let service = Service::start(None).await;
    let gateway = gateway("grpc", service.address);
    let client = connect(&gateway).await;
    ask(&client, call("/unary"), Some(Bytes::from_static(b"m"))).await;
    let mut request = call("/reset");
    *request.method_mut() = http::Method::GET;
    let asked = tokio::time::timeout(PATIENCE, ask(&client, request, None));
    let (response, ..) = asked.await.expect("an end of the attempts");
    assert_eq!(response.status(), 502);
    // Five retries are the default.
    assert_eq!(gateway.handle.counters().attempt_failures, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_service_is_about_to_end_gets_no_new_calls() {
    let service = Service::start(None).await;
    let gateway = gateway("grpc", service.address);
    let client = connect(&gateway).await;
    let mut chat = client.clone().ready().await.expect("room");
    let (response, mut stream) = chat.send_request(call("/chat"), false).expect("a request");
    let head = response.await.expect("an answer");
    let message = Bytes::from_static(b"m");
    ask(&client, call("/leave"), Some(message.clone())).await;
    let asked = ask(&client, call("/unary"), Some(message.clone()));
    let asked = tokio::time::timeout(PATIENCE, asked).await;
    let (response, body, trailers) = asked.expect("an answer in time");
    assert_eq!((response.status().as_u16(), body), (200, message.clone()));
    assert_eq!(status(trailers).as_deref(), Some("0"));
    assert_eq!(service.connections.load(Ordering::SeqCst), 2);
    // What was under way goes on.
    stream
        .send_data(message.clone(), true)
        .expect("data is taken");
    let mut body = head.into_body();
    assert_eq!(
        body.data().await.expect("data").expect("good data"),
        message
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_does_not_speak_http_2_is_answered_for() {
    let origin = Origin::ok("no");
    let gateway = gateway("grpc", origin.address);
    let client = connect(&gateway).await;
    let (response, ..) = ask(&client, call("/unary"), Some(Bytes::from_static(b"m"))).await;
    assert!(
        response.status() == 502 || response.status() == 504,
        "{response:?}"
    );
    let _ = TcpStream::connect(gateway.address())
        .await
        .expect("it still listens");
}
