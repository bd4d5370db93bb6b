use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;

use arc_swap::ArcSwap;
use conf::{Listen, LogTarget, Settings};
use pki::Authority;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::ServerName;
use test_support::TempDir;

use crate::proxy::tests::support::{PATIENCE, certificates, until};
use crate::proxy::{Engine, EngineHandle, EngineOptions};
use crate::snapshot::{SharedSnapshot, Snapshot};
use crate::telemetry::TelemetrySink;
use crate::testing;

/// A node with one listener of layer 4.
struct Node {
    handle: EngineHandle,
    snapshot: SharedSnapshot,
    authority: Authority,
    folder: TempDir,
}

/// Settings with this listener alone, on one core.
fn settings(listen: Listen) -> Settings {
    let mut settings = Settings::builtin();
    settings.proxy_listen = Vec::new();
    settings.stream_listen = vec![listen];
    settings.workers = 1;
    settings.proxy_access_log = LogTarget::Off;
    settings
}

fn plain() -> Listen {
    Listen::plain("127.0.0.1:0".parse().expect("an address"))
}

fn tls() -> Listen {
    Listen {
        ssl: true,
        ..plain()
    }
}

fn udp() -> Listen {
    Listen {
        udp: true,
        ..plain()
    }
}

impl Node {
    fn start(listen: Listen, configuration: &str) -> Self {
        Self::with(settings(listen), configuration)
    }

    fn with(mut settings: Settings, configuration: &str) -> Self {
        let folder = TempDir::new("stream");
        settings.proxy_stream_access_log = LogTarget::File {
            path: folder.path().join("stream.log"),
            format: Some("basic".to_owned()),
        };
        let authority = Authority::create("test").expect("an authority");
        let snapshot: SharedSnapshot =
            Arc::new(ArcSwap::from_pointee(compiled(&authority, configuration)));
        let handle = Engine::start(&EngineOptions {
            dns: crate::dns::Dns::new(&settings.dns),
            settings: Arc::new(settings),
            snapshot: Arc::clone(&snapshot),
            telemetry: TelemetrySink::enabled(),
            product: "kong/3.9.3".to_owned(),
            sockets: crate::handover::Sockets::default(),
        });
        Self {
            handle: handle.expect("an engine"),
            snapshot,
            authority,
            folder,
        }
    }

    fn address(&self) -> SocketAddr {
        self.handle.stream_addresses()[0]
    }

    fn connect(&self) -> TcpStream {
        connect(self.address())
    }

    fn change(&self, configuration: &str) {
        let snapshot = compiled(&self.authority, configuration);
        self.snapshot.store(Arc::new(snapshot));
    }

    /// The access log once it has this many lines.
    fn log(&self, lines: usize) -> Vec<String> {
        let path = self.folder.path().join("stream.log");
        let read = || {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        until(|| read().len() >= lines);
        read()
    }
}

fn compiled(authority: &Authority, configuration: &str) -> Snapshot {
    let mut snapshot = testing::snapshot(configuration);
    snapshot.certificates = Arc::new(certificates(authority));
    snapshot
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// A service that says its name, echoes until the end and says good-bye.
fn echo(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || converse(stream, name));
        }
    });
    address
}

fn converse(mut stream: impl Read + Write, name: &str) {
    let _ = stream.write_all(name.as_bytes());
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        let _ = stream.write_all(&piece[..count]);
    }
    let _ = stream.write_all(b"bye");
}

/// The same over TLS, with a certificate for `service.test`.
fn tls_echo(name: &'static str, authority: &Authority) -> SocketAddr {
    let issued = authority
        .issue_server(&["service.test"])
        .expect("a certificate");
    let key = pki::certified_key(issued.cert_pem.as_bytes(), issued.key_pem.as_bytes());
    let resolver = rustls::sign::SingleCertAndKey::from(
        Arc::into_inner(key.expect("a pair")).expect("one owner"),
    );
    let config = ServerConfig::builder_with_provider(pki::crypto_provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
            std::thread::spawn(move || {
                let mut stream = StreamOwned::new(session, stream);
                converse(&mut stream, name);
                stream.conn.send_close_notify();
                let _ = stream.flush();
            });
        }
    });
    address
}

/// A client that trusts an authority.
fn secure(
    stream: TcpStream,
    authority: &Authority,
    name: &str,
) -> StreamOwned<ClientConnection, TcpStream> {
    let roots = pki::Roots::from_pem(authority.ca_pem().as_bytes()).expect("roots");
    let config = ClientConfig::builder_with_provider(pki::crypto_provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots.to_store())
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let session = ClientConnection::new(Arc::new(config), name).expect("a session");
    StreamOwned::new(session, stream)
}

fn exactly(stream: &mut impl Read, count: usize) -> String {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).expect("bytes");
    String::from_utf8(bytes).expect("text")
}

fn rest(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8(bytes).expect("text")
}

/// A configuration with one route for connections from this machine.
fn one_route(protocols: &str, url: &str) -> String {
    format!(
        "services:\n- name: s\n  url: {url}\n  routes:\n  - name: r\n    protocols: [{protocols}]\n    \
         sources: [{{ip: 127.0.0.0/8}}]\n"
    )
}

#[test]
fn bytes_pass_both_ways_and_one_side_may_end_before_the_other() {
    let service = echo("one");
    let node = Node::start(plain(), &one_route("tcp", &format!("tcp://{service}")));
    let mut stream = node.connect();
    assert_eq!(exactly(&mut stream, 3), "one");
    let piece = vec![b'x'; 300_000];
    let mut writer = stream.try_clone().expect("a second handle");
    let sending = std::thread::spawn(move || {
        writer.write_all(&piece).expect("bytes are taken");
        writer.shutdown(Shutdown::Write).expect("an end");
    });
    let received = rest(&mut stream);
    sending.join().expect("it was sent");
    assert_eq!(received.len(), 300_003);
    assert!(received.ends_with("bye"));
    let line = node.log(1).remove(0);
    assert!(line.starts_with("127.0.0.1 ["), "{line}");
    assert!(line.contains("] TCP 200 300006 300000 0."), "{line}");
    let counters = node.handle.counters();
    assert_eq!(
        (counters.stream_connections, counters.stream_sessions),
        (1, 1)
    );
    assert_eq!(counters.stream_received_bytes, 300_000);
}

#[test]
fn a_connection_that_no_route_takes_is_closed() {
    let node = Node::start(plain(), &one_route("udp", "udp://127.0.0.1:9"));
    assert_eq!(rest(&mut node.connect()), "");
    assert!(node.log(1)[0].contains("] TCP 500 0 0 "));
    assert_eq!(node.handle.counters().stream_refused, 1);
}

#[test]
fn a_service_that_cannot_be_reached_closes_the_connection() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a port");
    let node = Node::start(plain(), &one_route("tcp", &format!("tcp://{closed}")));
    assert_eq!(rest(&mut node.connect()), "");
    assert!(node.log(1)[0].contains("] TCP 502 0 0 "));
    let counters = node.handle.counters();
    // Once, and as often as the service has retries.
    assert_eq!(
        (counters.attempt_failures, counters.stream_unreachable),
        (6, 1)
    );
}

#[test]
fn the_next_target_is_tried_when_one_cannot_be_connected_to() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a port");
    let service = echo("up!");
    let node = Node::start(
        plain(),
        &format!(
            "upstreams:\n- name: u\n  targets: [{{target: '{closed}'}}, {{target: '{service}'}}]\n\
             {}",
            one_route("tcp", "tcp://u:1")
        ),
    );
    for _ in 0..4 {
        assert_eq!(exactly(&mut node.connect(), 3), "up!");
    }
    assert!(node.handle.counters().attempt_failures >= 1);
}

#[test]
fn targets_are_chosen_by_the_address_of_the_client_where_that_is_hashed() {
    let services = [echo("one"), echo("two"), echo("six")];
    let targets: Vec<String> = services
        .iter()
        .map(|s| format!("{{target: '{s}'}}"))
        .collect();
    let node = Node::start(
        plain(),
        &format!(
            "upstreams:\n- name: u\n  algorithm: consistent-hashing\n  hash_on: ip\n  \
             targets: [{}]\n{}",
            targets.join(", "),
            one_route("tcp", "tcp://u:1")
        ),
    );
    let first = exactly(&mut node.connect(), 3);
    for _ in 0..8 {
        assert_eq!(exactly(&mut node.connect(), 3), first);
    }
}

#[test]
fn connections_outlive_a_change_and_new_ones_follow_it() {
    let (first, second) = (echo("one"), echo("two"));
    let node = Node::start(plain(), &one_route("tcp", &format!("tcp://{first}")));
    let mut old = node.connect();
    assert_eq!(exactly(&mut old, 3), "one");
    node.change(&one_route("tcp", &format!("tcp://{second}")));
    assert_eq!(exactly(&mut node.connect(), 3), "two");
    old.write_all(b"still here").expect("bytes are taken");
    assert_eq!(exactly(&mut old, 10), "still here");
}

#[test]
fn a_connection_on_which_nothing_moves_is_closed() {
    let service = echo("one");
    let configuration = one_route("tcp", &format!("tcp://{service}")).replace(
        "  url:",
        "  read_timeout: 200\n  write_timeout: 100\n  url:",
    );
    let node = Node::start(plain(), &configuration);
    let mut stream = node.connect();
    assert_eq!(rest(&mut stream), "one");
    assert!(node.log(1)[0].contains("] TCP 200 3 0 0."));
}

#[test]
fn tls_is_ended_for_routes_of_tls() {
    let service = echo("one");
    let configuration = format!(
        "services:\n- name: s\n  url: tcp://{service}\n  routes:\n  - protocols: [tls]\n    \
         snis: [named.test]\n"
    );
    let node = Node::start(tls(), &configuration);
    let mut stream = secure(node.connect(), &node.authority, "named.test");
    stream.write_all(b"hello").expect("bytes are taken");
    assert_eq!(exactly(&mut stream, 8), "onehello");
    stream.conn.send_close_notify();
    stream.flush().expect("an end");
    assert_eq!(rest(&mut stream), "bye");
    // Another name has no route, and other bytes are no handshake.
    let mut other = secure(node.connect(), &node.authority, "other.test");
    assert!(other.write_all(b"hello").is_err());
    let mut clear = node.connect();
    clear
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .expect("bytes are taken");
    assert_eq!(rest(&mut clear), "");
    let statuses: Vec<bool> = node
        .log(3)
        .iter()
        .map(|line| line.contains("] TCP 200 "))
        .collect();
    assert_eq!(statuses.iter().filter(|is_good| **is_good).count(), 1);
}

#[test]
fn a_handshake_that_fails_gets_its_alert() {
    let service = echo("one");
    let node = Node::start(tls(), &one_route("tls", &format!("tcp://{service}")));
    // This client trusts somebody else.
    let stranger = Authority::create("stranger").expect("an authority");
    let mut stream = secure(node.connect(), &stranger, "named.test");
    assert!(stream.write_all(b"hello").is_err());
    drop(stream);
    until(|| node.handle.counters().handshake_failures == 1);
}

#[test]
fn tls_passes_through_untouched_by_server_name() {
    let authority = Authority::create("service").expect("an authority");
    let (through, ended) = (tls_echo("through", &authority), echo("ended"));
    let configuration = format!(
        "services:\n\
         - {{name: a, protocol: tcp, host: 127.0.0.1, port: {}, routes: \
         [{{protocols: [tls_passthrough], snis: [service.test]}}]}}\n\
         - {{name: b, protocol: tcp, host: 127.0.0.1, port: {}, routes: \
         [{{protocols: [tls], snis: [named.test]}}]}}\n",
        through.port(),
        ended.port()
    );
    let node = Node::start(tls(), &configuration);
    // The certificate is the service's own: it is its authority that is trusted.
    let mut stream = secure(node.connect(), &authority, "service.test");
    stream.write_all(b"hi").expect("bytes are taken");
    assert_eq!(exactly(&mut stream, 9), "throughhi");
    let mut stream = secure(node.connect(), &node.authority, "named.test");
    stream.write_all(b"hi").expect("bytes are taken");
    assert_eq!(exactly(&mut stream, 7), "endedhi");
}

#[test]
fn a_service_of_tls_is_spoken_to_in_tls() {
    let authority = Authority::create("service").expect("an authority");
    let service = tls_echo("secret", &authority);
    let node = Node::start(plain(), &one_route("tcp", &format!("tls://{service}")));
    let mut stream = node.connect();
    stream.write_all(b"hi").expect("bytes are taken");
    assert_eq!(exactly(&mut stream, 8), "secrethi");
}

#[test]
fn a_plugin_that_refuses_closes_the_connection() {
    let service = echo("one");
    let configuration = one_route("tcp", &format!("tcp://{service}"))
        + "    plugins: [{name: ip-restriction, config: {deny: [127.0.0.1]}, protocols: [tcp]}]\n";
    let node = Node::start(plain(), &configuration);
    assert_eq!(rest(&mut node.connect()), "");
    assert!(node.log(1)[0].contains("] TCP 403 0 0 "));
}

#[test]
fn the_address_of_a_proxy_header_counts_for_trusted_peers() {
    let service = echo("one");
    let configuration =
        one_route("tcp", &format!("tcp://{service}")).replace("127.0.0.0/8", "10.1.2.3");
    let mut settings = settings(Listen {
        proxy_protocol: true,
        ..plain()
    });
    settings.trusted_ips = vec![conf::Cidr::parse("127.0.0.1").expect("an address")];
    let node = Node::with(settings, &configuration);
    let mut stream = node.connect();
    stream
        .write_all(b"PROXY TCP4 10.1.2.3 10.0.0.1 1000 80\r\nhello")
        .expect("bytes are taken");
    assert_eq!(exactly(&mut stream, 8), "onehello");
    let mut other = node.connect();
    other
        .write_all(b"PROXY TCP4 10.9.9.9 10.0.0.1 1000 80\r\n")
        .expect("bytes are taken");
    assert_eq!(rest(&mut other), "");
    assert!(node.log(1)[0].starts_with("10.9.9.9 "));
}

/// A service that answers datagrams with its name in front.
fn udp_echo(name: &'static str) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("an address");
    std::thread::spawn(move || {
        let mut piece = vec![0; 65_535];
        while let Ok((count, peer)) = socket.recv_from(&mut piece) {
            let answer = [name.as_bytes(), &piece[..count]].concat();
            let _ = socket.send_to(&answer, peer);
        }
    });
    address
}

fn udp_client(node: &Node) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.connect(node.address()).expect("a target");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    socket
}

fn ask(socket: &UdpSocket, text: &str) -> String {
    socket.send(text.as_bytes()).expect("a datagram is taken");
    let mut piece = vec![0; 65_535];
    let count = socket.recv(&mut piece).expect("an answer");
    String::from_utf8_lossy(&piece[..count]).into_owned()
}

#[test]
fn datagrams_and_their_answers_find_their_way() {
    let service = udp_echo("u");
    let node = Node::start(udp(), &one_route("udp", &format!("udp://{service}")));
    let (first, second) = (udp_client(&node), udp_client(&node));
    for round in 0..20 {
        assert_eq!(ask(&first, &format!("a{round}")), format!("ua{round}"));
        assert_eq!(ask(&second, &format!("b{round}")), format!("ub{round}"));
    }
    let large = "x".repeat(30_000);
    assert_eq!(ask(&first, &large).len(), 30_001);
    let counters = node.handle.counters();
    assert_eq!(
        (counters.stream_sessions, counters.datagrams_dropped),
        (2, 0)
    );
}

#[test]
fn a_silent_session_of_datagrams_ends_and_is_logged() {
    let service = udp_echo("u");
    let configuration = one_route("udp", &format!("udp://{service}"))
        .replace("  url:", "  read_timeout: 100\n  url:");
    let node = Node::start(udp(), &configuration);
    let client = udp_client(&node);
    assert_eq!(ask(&client, "1234"), "u1234");
    let line = node.log(1).remove(0);
    assert!(line.contains("] UDP 200 5 4 0."), "{line}");
    assert_eq!(node.handle.counters().active, 0);
    // The next datagram begins another session.
    assert_eq!(ask(&client, "5"), "u5");
    assert_eq!(node.handle.counters().stream_sessions, 2);
}

#[test]
fn datagrams_follow_a_change_after_their_target_is_gone() {
    let gone = UdpSocket::bind("127.0.0.1:0")
        .and_then(|s| s.local_addr())
        .expect("a port");
    let node = Node::start(udp(), &one_route("udp", &format!("udp://{gone}")));
    let client = udp_client(&node);
    client
        .send(b"nobody hears this")
        .expect("a datagram is taken");
    node.log(1);
    node.change(&one_route("udp", &format!("udp://{}", udp_echo("new"))));
    assert_eq!(ask(&client, "1"), "new1");
}

#[test]
fn datagrams_without_a_route_are_not_answered() {
    let node = Node::start(udp(), &one_route("tcp", "tcp://127.0.0.1:9"));
    udp_client(&node).send(b"?").expect("a datagram is taken");
    assert!(node.log(1)[0].contains("] UDP 500 0 1 "));
}

#[test]
fn a_drain_takes_no_new_connections_and_waits_for_those_that_are_open() {
    let service = echo("one");
    let node = Node::start(plain(), &one_route("tcp", &format!("tcp://{service}")));
    let mut stream = node.connect();
    assert_eq!(exactly(&mut stream, 3), "one");
    let address = node.address();
    let draining = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime
            .expect("a runtime")
            .block_on(node.handle.drain(PATIENCE));
        node.handle.counters()
    });
    until(|| TcpStream::connect(address).is_err());
    stream.write_all(b"more").expect("bytes are taken");
    assert_eq!(exactly(&mut stream, 4), "more");
    drop(stream);
    assert_eq!(draining.join().expect("it drained").active, 0);
}
