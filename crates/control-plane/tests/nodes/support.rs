//! A control plane on a TLS port and hand-made nodes that connect to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clock::new_uuid;
use control_plane::outlet::{KeepBatches, Outlet, OutletOptions, Peer};
use control_plane::{AuthType, ControlPlane, Geo, NewControlPlane, Pinned, Planes};
use entities::{Catalogue, Map, NoPlugins, PluginCatalogue};
use gatehouse_control_plane as control_plane;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use pki::PeerCertificate;
use pki::verifiers::{AnchoredServer, AnyClient};
use rustls::sign::SingleCertAndKey;
use serde_json::{Value, json};
use store::{Actor, Batch, Operation, Store, StoreOptions};
use test_support::{Identity, TempDir, TestAuthority, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use uuid::Uuid;
use wire::socket::{End, Socket, SocketEvent};
use wire::v1::{PlaneFrame, Reconfigure, decode_reconfigure};

pub(crate) const NAME: &str = "cp.test";

/// The node of tests that need only one.
pub(crate) const NODE: Uuid = Uuid::from_u128(0xb000_0000_0000_4000_8000_0000_0000_0001);

/// Everything a test needs of a control plane.
pub(crate) struct Harness {
    pub(crate) planes: Planes,
    pub(crate) store: Store,
    pub(crate) outlet: Outlet,
    pub(crate) plane: ControlPlane,
    pub(crate) organisation: Uuid,
    pub(crate) authority: TestAuthority,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

/// What differs between tests.
pub(crate) struct Setup {
    pub(crate) options: OutletOptions,
    pub(crate) auth_type: AuthType,
    pub(crate) plugins: Arc<dyn PluginCatalogue>,
    pub(crate) keeper: Option<Arc<dyn KeepBatches>>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            options: OutletOptions {
                settle: Duration::from_millis(10),
                first_ping: Duration::from_secs(20),
                ..OutletOptions::default()
            },
            auth_type: AuthType::default(),
            plugins: Arc::new(NoPlugins),
            keeper: None,
        }
    }
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts with something else than usual.
    pub(crate) async fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup::default();
        change(&mut setup);
        let folder = TempDir::new("outlet");
        let sealer = pki::Sealer::create(&folder.path().join("key")).unwrap();
        let catalogue = Arc::new(Catalogue::new(setup.plugins));
        let store = Store::open(StoreOptions {
            location: folder.path().join("geo.db").into(),
            sealer: Arc::new(sealer),
            catalogue: catalogue.clone(),
        })
        .unwrap();
        let geo = Geo {
            name: "eu".to_owned(),
            base_domain: "konghq.localhost".to_owned(),
            port: 443,
        };
        let planes = Planes::open(geo, store.clone()).await.unwrap();
        let organisation = new_uuid();
        let new = NewControlPlane {
            name: "first".to_owned(),
            auth_type: setup.auth_type,
            ..NewControlPlane::default()
        };
        let plane = planes.create(organisation, new).await.unwrap();
        let outlet = Outlet::new(
            planes.clone(),
            store.clone(),
            catalogue,
            setup.keeper,
            setup.options,
        );
        let authority = TestAuthority::new("test authority");
        let address = serve(outlet.clone(), plane.id, &authority.server(&[NAME])).await;
        Self {
            planes,
            store,
            outlet,
            plane,
            organisation,
            authority,
            address,
            _folder: folder,
        }
    }

    /// Serves another control plane on a port of its own.
    pub(crate) async fn serve(&self, plane: Uuid) -> SocketAddr {
        serve(self.outlet.clone(), plane, &self.authority.server(&[NAME])).await
    }

    /// Registers a fresh client certificate.
    pub(crate) async fn registered(&self) -> (Identity, Pinned) {
        let identity = self.authority.client("node");
        let pinned = self
            .planes
            .pin(self.plane.id, &identity.certificate, "")
            .await
            .unwrap();
        (identity, pinned)
    }

    /// Stores one entity.
    pub(crate) async fn put(&self, plane: Uuid, kind: &'static str, body: Value) {
        let Value::Object(body) = body else {
            panic!("an object")
        };
        let operation = Operation::Upsert { kind, body };
        self.store
            .apply(Batch::of_one(plane, Actor::system(), operation))
            .await
            .unwrap();
    }

    /// Stores a service.
    pub(crate) async fn put_service(&self, plane: Uuid, name: &str) {
        let id = Uuid::new_v5(&plane, name.as_bytes());
        self.put(plane, "services", Value::Object(service(id, name)))
            .await;
    }

    pub(crate) async fn connect(&self, identity: &Identity) -> RawNode {
        RawNode::connect(self.address, &self.authority, Some(identity)).await
    }

    /// Opens a link.
    pub(crate) async fn link(&self, identity: &Identity, target: &str) -> Node {
        self.connect(identity).await.upgrade(target).await
    }

    /// Connects a node and takes it to the point where it waits for its configuration.
    pub(crate) async fn node(&self, identity: &Identity, id: Uuid, version: &str) -> Node {
        let query = format!("node_id={id}&node_hostname=edge&node_version={version}");
        let mut node = self.link(identity, &format!("/v1/outlet?{query}")).await;
        node.send_basic_info(&[]).await;
        node
    }

    /// Waits until the link of a node ends, and holds that its certificate opens none any more.
    pub(crate) async fn turned_away(&self, node: Node, identity: &Identity, target: &str) {
        node.end().await;
        self.refused(identity, target).await;
    }

    /// Holds that a certificate opens no link.
    pub(crate) async fn refused(&self, identity: &Identity, target: &str) {
        let mut node = self.connect(identity).await;
        let answer = node.ask(&request(target, "")).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    }

    /// The first configuration that a new node with these settings is sent.
    pub(crate) async fn first_table(&self, identity: &Identity, settings: Value) -> Value {
        let id = Uuid::new_v4();
        let query = format!("node_id={id}&node_hostname=edge&node_version=3.10.0");
        let target = format!("/v1/outlet?{query}");
        let mut node = self.link(identity, &target).await;
        let info = json!({"type": "basic_info", "plugins": [], "labels": {},
            "process_conf": settings, "filters": {}});
        node.send(info.to_string()).await;
        node.ping(wire::EMPTY_HASH).await;
        node.configuration().await.config_table
    }

    /// Waits until the listed node satisfies a condition.
    pub(crate) async fn listed(
        &self,
        id: Uuid,
        what: &str,
        is_so: impl Fn(&control_plane::Node) -> bool,
    ) -> control_plane::Node {
        eventually(what, async || {
            self.planes
                .node(self.plane.id, id)
                .ok()
                .filter(|node| is_so(node))
        })
        .await
    }
}

pub(crate) fn service(id: Uuid, name: &str) -> Map {
    let body = json!({
        "id": id.to_string(), "name": name, "host": "h.test", "port": 80, "protocol": "http",
        "enabled": true, "retries": 5, "connect_timeout": 60000, "write_timeout": 60000,
        "read_timeout": 60000, "created_at": 1_700_000_000, "updated_at": 1_700_000_000,
    });
    body.as_object().unwrap().clone()
}

async fn serve(outlet: Outlet, control_plane: Uuid, server: &Identity) -> SocketAddr {
    let key = pki::certified_key(server.certificate.as_bytes(), server.key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(pki::crypto_provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(Arc::new(AnyClient::optional()))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, address)) = listener.accept().await {
            let (outlet, acceptor) = (outlet.clone(), acceptor.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
                let mut chain: Vec<_> = certificates
                    .iter()
                    .map(|der| der.clone().into_owned())
                    .collect();
                let leaf = (!chain.is_empty()).then(|| chain.remove(0));
                let peer = Peer {
                    control_plane,
                    certificate: leaf.map(|der| PeerCertificate::from_der(&der).unwrap()),
                    chain,
                    address,
                };
                let service = service_fn(move |request| {
                    let (outlet, peer) = (outlet.clone(), peer.clone());
                    async move { Ok::<_, std::convert::Infallible>(outlet.serve(request, peer).await) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                drop(connection.with_upgrades().await);
            });
        }
    });
    address
}

/// A TLS connection before the WebSocket handshake.
pub(crate) struct RawNode {
    pub(crate) stream: TlsStream<TcpStream>,
}

impl RawNode {
    pub(crate) async fn connect(
        address: SocketAddr,
        authority: &TestAuthority,
        identity: Option<&Identity>,
    ) -> Self {
        let roots = pki::Roots::from_pem(authority.pem().as_bytes()).unwrap();
        let builder = rustls::ClientConfig::builder_with_provider(pki::crypto_provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnchoredServer::new(roots)));
        let config = match identity {
            Some(identity) => {
                let key = (identity.certificate.as_bytes(), identity.key.as_bytes());
                let key = pki::certified_key(key.0, key.1).unwrap();
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
            }
            None => builder.with_no_client_auth(),
        };
        // Small, so that a node that does not read is soon noticed.
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(64 * 1024).unwrap();
        let stream = socket.connect(address).await.unwrap();
        let name = rustls::pki_types::ServerName::try_from(NAME).unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap();
        Self { stream }
    }

    /// Sends a request head and gives the answer's head (and its body, if one follows at once).
    pub(crate) async fn ask(&mut self, head: &str) -> String {
        self.stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let is_whole = |answer: &[u8]| {
            let text = String::from_utf8_lossy(answer).into_owned();
            let (head, body) = text.split_once("\r\n\r\n")?;
            let length = head.to_lowercase();
            let length = length
                .split_once("content-length: ")
                .map_or("0", |(_, l)| l);
            let length: usize = length.lines().next()?.trim().parse().ok()?;
            (body.len() >= length).then_some(())
        };
        while is_whole(&answer).is_none() {
            assert_ne!(
                self.stream.read_buf(&mut answer).await.unwrap(),
                0,
                "{answer:?}"
            );
        }
        String::from_utf8(answer).unwrap()
    }

    pub(crate) async fn upgrade(mut self, target: &str) -> Node {
        let answer = self.ask(&request(target, "")).await;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
        self.into_node().await
    }

    /// Takes over after an answer of 101 that the test has looked at.
    pub(crate) async fn into_node(self) -> Node {
        let socket = Socket::new(self.stream, End::Node, Vec::new(), 64 << 20).await;
        Node { socket }
    }
}

/// Where a node asks for its configuration.
pub(crate) fn target(node: Uuid) -> String {
    format!("/v1/outlet?node_id={node}&node_version=3.9.1")
}

/// A request for a WebSocket as real nodes write it.
pub(crate) fn request(target: &str, extra: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nUpgrade: websocket\r\nHost: {NAME}:443\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extra}Sec-WebSocket-Version: 13\r\n\
         Connection: Upgrade\r\n\r\n"
    )
}

/// A hand-made node on its link.
pub(crate) struct Node {
    pub(crate) socket: Socket<TlsStream<TcpStream>>,
}

impl Node {
    pub(crate) async fn send(&mut self, payload: impl Into<Bytes>) {
        self.socket.queue(payload).unwrap();
        self.until(|event| matches!(event, SocketEvent::Written))
            .await;
    }

    pub(crate) async fn send_basic_info(&mut self, plugins: &[(&str, &str)]) {
        let plugins: Vec<Value> = plugins
            .iter()
            .map(|(name, version)| json!({"name": name, "version": version}))
            .collect();
        let info = json!({"type": "basic_info", "plugins": plugins, "labels": {"team": "x"},
            "process_conf": {}, "filters": {}});
        self.send(info.to_string()).await;
    }

    /// Pings and waits for the pong.
    pub(crate) async fn ping(&mut self, payload: &'static str) {
        self.socket.queue_ping(payload).unwrap();
        self.until(|event| matches!(event, SocketEvent::Pong)).await;
    }

    /// Waits for an event of some kind, skipping others.
    pub(crate) async fn until(&mut self, is_it: impl Fn(&SocketEvent) -> bool) -> SocketEvent {
        let wait = async {
            loop {
                let event = self.socket.event().await.unwrap();
                if is_it(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .expect("the event comes")
    }

    /// Waits for the next configuration.
    pub(crate) async fn configuration(&mut self) -> Reconfigure {
        let event = self
            .until(|event| matches!(event, SocketEvent::Binary(_)))
            .await;
        let SocketEvent::Binary(payload) = event else {
            unreachable!()
        };
        match decode_reconfigure(&payload, 1 << 30).unwrap() {
            PlaneFrame::Reconfigure(pushed) => *pushed,
            other @ PlaneFrame::Other { .. } => panic!("{other:?}"),
        }
    }

    /// Waits until the other end closes or drops the link.
    pub(crate) async fn end(mut self) {
        let wait = async {
            while !matches!(self.socket.event().await, Ok(SocketEvent::Closed) | Err(_)) {}
        };
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .expect("the link ends");
    }
}

/// Names of the services in a pushed configuration, sorted.
pub(crate) fn services(pushed: &Reconfigure) -> Vec<String> {
    let rows = pushed.config_table["services"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let mut names: Vec<String> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// A short frame as a node sends it, masked with zeros.
pub(crate) fn masked(opcode: u8, payload: &str) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    let mut frame = vec![0x80 | opcode, 0x80 | length, 0, 0, 0, 0];
    frame.extend_from_slice(payload.as_bytes());
    frame
}
