//! A service that answers as told, an engine before it, a client that speaks bytes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use conf::{Listen, Settings};
use entities::{Map, Route, Service};
use parking_lot::Mutex;
use pki::{Authority, CertifiedPair};
use plugin_api::{Chain, RouteInfo, ServiceInfo};
use router::{Flavor, RouteInput, Router};
use serde_json::{Value, json};

use crate::proxy::{Engine, EngineHandle, EngineOptions};
use crate::snapshot::{
    Certificates, Destination, RouteEntry, ServiceEntry, SharedSnapshot, Snapshot,
};
use crate::telemetry::TelemetrySink;

/// Long enough for a loaded machine; tests that pass never wait for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What a service does with a request.
pub(crate) enum Act {
    /// Sends these bytes and keeps the connection.
    Send(Vec<u8>),
    /// Sends these bytes and closes.
    SendAndClose(Vec<u8>),
    /// Sends these bytes, then echoes whatever comes.
    Echo(Vec<u8>),
    /// Closes without a word.
    Drop,
    /// Never answers.
    Hang,
}

/// A service on a port of its own.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    connections: Arc<Mutex<usize>>,
}

impl Origin {
    /// Starts a service; `act` gets the number of the request, from 0, and its bytes.
    pub(crate) fn start(act: impl Fn(usize, &[u8]) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let origin = Self {
            address: listener.local_addr().expect("an address"),
            requests: Arc::default(),
            connections: Arc::default(),
        };
        let (requests, connections) = (
            Arc::clone(&origin.requests),
            Arc::clone(&origin.connections),
        );
        let act = Arc::new(act);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                *connections.lock() += 1;
                let (requests, act) = (Arc::clone(&requests), Arc::clone(&act));
                std::thread::spawn(move || serve(stream, &requests, act.as_ref()));
            }
        });
        origin
    }

    /// A service that answers every request with 200 and this body.
    pub(crate) fn ok(body: &'static str) -> Self {
        Self::start(move |_, _| Act::Send(ok(body)))
    }

    /// The requests received so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock();
        requests
            .iter()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock()
    }
}

/// An answer with a body.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nServer: origin\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn serve(
    mut stream: TcpStream,
    requests: &Mutex<Vec<Vec<u8>>>,
    act: &(dyn Fn(usize, &[u8]) -> Act + Send + Sync),
) {
    let mut pending = Vec::new();
    while let Some(request) = read_message(&mut stream, &mut pending) {
        let number = {
            let mut requests = requests.lock();
            requests.push(request.clone());
            requests.len() - 1
        };
        match act(number, &request) {
            Act::Send(bytes) => {
                if stream.write_all(&bytes).is_err() {
                    return;
                }
            }
            Act::SendAndClose(bytes) => {
                let _ = stream.write_all(&bytes);
                return;
            }
            Act::Echo(bytes) => {
                let _ = stream.write_all(&bytes);
                let mut piece = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut piece) {
                    let _ = stream.write_all(&piece[..count]);
                }
                return;
            }
            Act::Drop => return,
            Act::Hang => {
                let mut piece = [0; 4096];
                while let Ok(1..) = stream.read(&mut piece) {}
                return;
            }
        }
    }
}

/// Reads one message with its body; `None` at the end of the connection.
pub(crate) fn read_message(stream: &mut TcpStream, pending: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Some(length) = message_length(pending, false) {
            return Some(pending.drain(..length).collect());
        }
        let mut piece = [0; 16 * 1024];
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(count) => pending.extend_from_slice(&piece[..count]),
        }
    }
}

fn message_length(bytes: &[u8], is_bodiless: bool) -> Option<usize> {
    let head = find(bytes, b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    if is_bodiless || text.starts_with("http/1.1 1") || text.starts_with("http/1.1 204") {
        return Some(head);
    }
    if text.contains("transfer-encoding: chunked") {
        let end = find(&bytes[head..], b"0\r\n")?;
        // The last chunk stands at the front of a line.
        let mut at = head + end;
        while at > head && bytes[at - 1] != b'\n' {
            at = at + 1 + find(&bytes[at + 1..], b"0\r\n")?;
        }
        return Some(at + find(&bytes[at..], b"\r\n\r\n")? + 4);
    }
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |value| value.trim().parse().unwrap_or(0));
    (bytes.len() >= head + length).then_some(head + length)
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

/// A client connection that speaks bytes.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pending: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self {
            stream,
            pending: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .write_all(bytes.as_ref())
            .expect("bytes are taken");
    }

    /// The next answer, head and body.
    pub(crate) fn answer(&mut self) -> String {
        let message = read_message(&mut self.stream, &mut self.pending);
        String::from_utf8_lossy(&message.expect("an answer")).into_owned()
    }

    /// The next head, whatever it says of a body.
    pub(crate) fn head(&mut self) -> String {
        loop {
            if let Some(length) = message_length(&self.pending, true) {
                let head: Vec<u8> = self.pending.drain(..length).collect();
                return String::from_utf8_lossy(&head).into_owned();
            }
            let mut piece = [0; 4096];
            let count = self.stream.read(&mut piece).expect("bytes");
            assert_ne!(count, 0, "the connection ended");
            self.pending.extend_from_slice(&piece[..count]);
        }
    }

    /// Everything up to the end of the connection.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.pending);
        // An end by reset is an end too.
        let _ = self.stream.read_to_end(&mut rest);
        rest
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn ask(&mut self, request: impl AsRef<[u8]>) -> String {
        self.send(request);
        self.answer()
    }
}

/// The node in the middle.
pub(crate) struct Gateway {
    pub(crate) handle: EngineHandle,
    pub(crate) telemetry: TelemetrySink,
    /// The configuration in force.
    pub(crate) snapshot: SharedSnapshot,
    /// Issued the certificates of its TLS listeners.
    pub(crate) authority: Authority,
}

impl Gateway {
    pub(crate) fn address(&self) -> SocketAddr {
        self.handle.addresses()[0]
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address())
    }

    /// Sends one request on a connection of its own.
    pub(crate) fn ask(&self, request: impl AsRef<[u8]>) -> String {
        self.client().ask(request)
    }
}

/// A gateway with one route `/` to the service.
pub(crate) fn gateway(origin: SocketAddr) -> Gateway {
    gateway_with(
        &settings(),
        &[json!({"paths": ["/"], "strip_path": false})],
        &service(origin),
    )
}

/// The document of a service at an address.
pub(crate) fn service(address: SocketAddr) -> Value {
    json!({
        "id": "11111111-1111-4111-8111-111111111111", "name": "s", "protocol": "http",
        "host": address.ip().to_string(), "port": address.port(), "retries": 5,
        "connect_timeout": 5000, "write_timeout": 5000, "read_timeout": 5000, "enabled": true,
    })
}

/// Settings of a node with one plain listener and one core.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::builtin();
    let address = "127.0.0.1:0".parse().expect("an address");
    settings.proxy_listen = vec![Listen::plain(address)];
    settings.workers = 1;
    settings.proxy_access_log = conf::LogTarget::Off;
    settings.allow_debug_header = true;
    settings
}

/// A gateway with these routes, all to one service.
pub(crate) fn gateway_with(settings: &Settings, routes: &[Value], service: &Value) -> Gateway {
    gateway_through(settings, routes, service, Chain::default())
}

/// The same, with plugins on each route.
pub(crate) fn gateway_through(
    settings: &Settings,
    routes: &[Value],
    service: &Value,
    chain: Chain,
) -> Gateway {
    let (service, chain) = (service_entry(service), Arc::new(chain));
    let routes: Vec<RouteEntry> = routes
        .iter()
        .enumerate()
        .map(|(number, route)| RouteEntry {
            chain: Arc::clone(&chain),
            ..route_entry(number, route, Arc::clone(&service))
        })
        .collect();
    gateway_of(settings, snapshot(routes))
}

/// A gateway with a compiled configuration.
pub(crate) fn gateway_of(settings: &Settings, mut snapshot: Snapshot) -> Gateway {
    let telemetry = TelemetrySink::enabled();
    let authority = Authority::create("test").expect("an authority");
    if settings.proxy_listen.iter().any(|listen| listen.ssl) {
        snapshot.certificates = Arc::new(certificates(&authority));
    }
    let snapshot = Arc::new(ArcSwap::from_pointee(snapshot));
    let options = EngineOptions {
        settings: Arc::new(settings.clone()),
        snapshot: Arc::clone(&snapshot),
        dns: crate::dns::Dns::new(&settings.dns),
        telemetry: telemetry.clone(),
        product: "kong/3.9.3".to_owned(),
        sockets: crate::handover::Sockets::default(),
    };
    let handle = Engine::start(&options).expect("an engine");
    Gateway {
        handle,
        telemetry,
        snapshot,
        authority,
    }
}

/// A default certificate, and one for `named.test`.
pub(crate) fn certificates(authority: &Authority) -> Certificates {
    let pair = |name: &str| {
        let issued = authority.issue_server(&[name]).expect("a certificate");
        let key = pki::certified_key(issued.cert_pem.as_bytes(), issued.key_pem.as_bytes());
        Arc::new(CertifiedPair::new(key.expect("a pair"), None))
    };
    let mut certificates = Certificates::new(Some(pair("default.test")));
    certificates.insert("named.test", pair("named.test"));
    certificates
}

fn snapshot(routes: Vec<RouteEntry>) -> Snapshot {
    let inputs: Vec<RouteInput<'_>> = routes
        .iter()
        .map(|entry| RouteInput {
            route: &entry.route,
        })
        .collect();
    let router = Router::compile(&inputs, Flavor::TraditionalCompatible).expect("good routes");
    Snapshot {
        plugin_names: Vec::new(),
        router,
        routes: routes.into(),
        balancers: Arc::default(),
        globals: Arc::new(Chain::default()),
        lookups: Arc::default(),
        raised: None,
        certificates: Arc::default(),
        hash: String::new(),
        is_empty: false,
        notices: Vec::new(),
    }
}

fn service_entry(document: &Value) -> Arc<ServiceEntry> {
    let document = object(document);
    let service = Service::try_from(&document).expect("a good service");
    let destination = match service.host.parse() {
        Ok(ip) => Destination::Address(SocketAddr::new(ip, service.port)),
        Err(_) => Destination::Name,
    };
    Arc::new(ServiceEntry {
        info: ServiceInfo {
            id: service.id,
            id_text: Bytes::from(service.id.to_string()),
            name: service.name.clone().map(Bytes::from),
            host: Bytes::from(service.host.clone()),
            document: plugin_api::document(&document),
        },
        destination,
        upstream: None,
        host_header: Bytes::from(format!("{}:{}", service.host, service.port)),
        service,
        tls: None,
    })
}

fn route_entry(number: usize, document: &Value, service: Arc<ServiceEntry>) -> RouteEntry {
    let mut full = json!({
        "id": format!("22222222-2222-4222-8222-{number:012}"), "name": format!("r{number}"),
        "protocols": ["http", "https"], "https_redirect_status_code": 426, "regex_priority": 0,
        "strip_path": true, "path_handling": "v0", "preserve_host": false,
        "request_buffering": true, "response_buffering": true, "created_at": 1,
    });
    for (name, value) in object(document) {
        full[name] = value;
    }
    let full = object(&full);
    let route = Route::try_from(&full).expect("a good route");
    RouteEntry {
        info: RouteInfo {
            id: route.id,
            id_text: Bytes::from(route.id.to_string()),
            name: route.name.clone().map(Bytes::from),
            document: plugin_api::document(&full),
        },
        service: Some(service),
        chain: Arc::new(Chain::default()),
        route,
    }
}

fn object(value: &Value) -> Map {
    value.as_object().expect("an object").clone()
}

/// Waits until something is so.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    let mut left = 2000;
    while !is_so() {
        assert_ne!(left, 0, "it did not come to be");
        left -= 1;
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Takes the records of a sink, unpacked as the platform would.
pub(crate) fn records(sink: &TelemetrySink) -> (Vec<wire::telemetry::Record>, u64) {
    let (taken, dropped) = sink.take();
    let mut records = Vec::new();
    for packed in taken {
        let head = wire::telemetry::packed::FrameHead {
            node_id: uuid::Uuid::nil(),
            stream: 1,
            sequence: 1,
            dropped: 0,
            count: packed.count as u64,
        };
        let batch = wire::telemetry::Batch::decode(&head.frame(packed.memory));
        records.extend(batch.expect("records that were packed").records);
    }
    (records, dropped)
}
