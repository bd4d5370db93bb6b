//! A hand-made control plane on a TLS port, and an intake that writes down what it gets.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use conf::{LoadOptions, Settings};
use gatehouse_gateway::outlet::{Apply, Client, ClientOptions, Identity, Link, LinkState};
use parking_lot::Mutex;
use pki::verifiers::AnyClient;
use rustls::sign::SingleCertAndKey;
use serde_json::{Value, json};
use test_support::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use uuid::Uuid;
use wire::socket::{End, Socket, SocketEvent};
use wire::v1::ErrorReport;

pub(crate) const LIMIT: Duration = Duration::from_secs(20);
pub(crate) const NODE: Uuid = Uuid::from_u128(0xb000_0000_0000_4000_8000_0000_0000_0001);

/// A TLS listener that hands over connections one by one.
pub(crate) struct Plane {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    pub(crate) address: SocketAddr,
}

/// One link of a node, after the handshake of WebSocket.
pub(crate) struct Accepted {
    pub(crate) socket: Socket<TlsStream<TcpStream>>,
    /// The request as it came.
    pub(crate) head: String,
    /// The name asked for in TLS.
    pub(crate) server_name: Option<String>,
    /// How many certificates the node presented.
    pub(crate) certificates: usize,
}

impl Plane {
    pub(crate) async fn start(certificate: &str, key: &str) -> Self {
        let key = pki::certified_key(certificate.as_bytes(), key.as_bytes()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(pki::crypto_provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(Arc::new(AnyClient::optional()))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self {
            listener,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            address,
        }
    }

    /// Waits for a node's request and answers with `answer`, whatever it says.
    pub(crate) async fn answer(&self, answer: &str) -> String {
        let (mut stream, head) = self.request().await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.ok();
        head
    }

    /// Waits for a node's link and opens it.
    pub(crate) async fn accept(&self) -> Accepted {
        let (mut stream, head) = self.request().await;
        let key = head
            .split("Sec-WebSocket-Key: ")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            wire::websocket_accept(key)
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        let tls = stream.get_ref().1;
        let server_name = tls.server_name().map(str::to_owned);
        let certificates = tls.peer_certificates().map_or(0, <[_]>::len);
        Accepted {
            socket: Socket::new(stream, End::Plane, Vec::new(), 64 << 20).await,
            head,
            server_name,
            certificates,
        }
    }

    async fn request(&self) -> (TlsStream<TcpStream>, String) {
        let wait = async {
            let (stream, _) = self.listener.accept().await.unwrap();
            let mut stream = self.acceptor.accept(stream).await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0, "{head:?}");
            }
            (stream, String::from_utf8(head).unwrap())
        };
        tokio::time::timeout(LIMIT, wait)
            .await
            .expect("a node comes")
    }

    /// Waits for a connection whose handshake fails.
    pub(crate) async fn failure(&self) -> String {
        let wait = async {
            let (stream, _) = self.listener.accept().await.unwrap();
            match self.acceptor.accept(stream).await {
                Ok(mut stream) => match stream.read_u8().await {
                    Ok(_) => "a byte came".to_owned(),
                    Err(error) => error.to_string(),
                },
                Err(error) => error.to_string(),
            }
        };
        tokio::time::timeout(LIMIT, wait)
            .await
            .expect("a node comes")
    }
}

impl Accepted {
    pub(crate) async fn event(&mut self) -> SocketEvent {
        let event = tokio::time::timeout(LIMIT, self.socket.event()).await;
        event.expect("an event comes").unwrap()
    }

    /// Waits for the next ping and gives its payload.
    pub(crate) async fn ping(&mut self) -> String {
        loop {
            if let SocketEvent::Ping(payload) = self.event().await {
                return String::from_utf8(payload.to_vec()).unwrap();
            }
        }
    }

    /// Waits for the next binary frame and reads it as plain JSON.
    pub(crate) async fn json(&mut self) -> Value {
        loop {
            if let SocketEvent::Binary(payload) = self.event().await {
                return serde_json::from_slice(&payload).unwrap();
            }
        }
    }

    pub(crate) async fn send(&mut self, payload: impl Into<Bytes>) {
        self.socket.queue(payload).unwrap();
        while self.socket.is_writing() {
            self.event().await;
        }
    }

    /// Pushes a configuration of one service named `name`.
    pub(crate) async fn push(&mut self, name: &str, hash: &str) {
        let table = json!({"_format_version": "3.0", "services": [{"name": name}]});
        let message = json!({"type": "reconfigure", "config_table": table, "config_hash": hash});
        self.send(wire::gzip_json(&message).unwrap()).await;
    }

    /// Waits until the node closes or drops the link.
    pub(crate) async fn end(mut self) {
        let wait = async {
            while !matches!(self.socket.event().await, Ok(SocketEvent::Closed) | Err(_)) {}
        };
        tokio::time::timeout(LIMIT, wait)
            .await
            .expect("the link ends");
    }
}

/// An intake that writes down what it gets and refuses what it was told to.
pub(crate) struct Notebook {
    active: Mutex<String>,
    seen: Mutex<VecDeque<(Value, String)>>,
    /// While it is locked nothing is applied.
    pub(crate) gate: tokio::sync::Mutex<()>,
}

impl Notebook {
    pub(crate) fn new(active: &str) -> Arc<Self> {
        Arc::new(Self {
            active: Mutex::new(active.to_owned()),
            seen: Mutex::new(VecDeque::new()),
            gate: tokio::sync::Mutex::new(()),
        })
    }

    /// Names of the services applied so far, oldest first.
    pub(crate) fn names(&self) -> Vec<String> {
        let seen = self.seen.lock();
        let name = |table: &Value| table["services"][0]["name"].as_str().unwrap().to_owned();
        seen.iter().map(|(table, _)| name(table)).collect()
    }
}

impl Apply for Notebook {
    fn apply(
        &self,
        table: Value,
        hash: String,
    ) -> Pin<Box<dyn Future<Output = Result<String, Box<ErrorReport>>> + Send + '_>> {
        Box::pin(async move {
            let _open = self.gate.lock().await;
            if table["services"][0]["name"] == "bad" {
                return Err(Box::new(ErrorReport {
                    name: ErrorReport::PARSE_FAILURE.to_owned(),
                    source: "test".to_owned(),
                    message: "it is bad".to_owned(),
                    config_hash: hash,
                    code: Some(14),
                    fields: None,
                    flattened_errors: Vec::new(),
                }));
            }
            self.seen.lock().push_back((table, hash.clone()));
            self.active.lock().clone_from(&hash);
            Ok(hash)
        })
    }

    fn active_hash(&self) -> String {
        self.active.lock().clone()
    }
}

/// Settings of a data plane with these properties.
pub(crate) fn settings(properties: &[(&str, &str)]) -> Settings {
    let environment = [
        ("role", "data_plane"),
        ("database", "off"),
        ("prefix", "/nonexistent"),
    ];
    let environment = environment.iter().chain(properties);
    let environment = environment
        .map(|(name, value)| (format!("KONG_{}", name.to_uppercase()), (*value).to_owned()));
    let options = LoadOptions {
        environment: environment.collect(),
        ..LoadOptions::default()
    };
    match Settings::load(&options) {
        Ok((settings, _)) => settings,
        Err(errors) => panic!("{errors:?}"),
    }
}

pub(crate) fn identity() -> Identity {
    Identity {
        node_id: NODE,
        hostname: "edge-1".to_owned(),
        version: "3.9.3".to_owned(),
    }
}

/// A node's link that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) state: watch::Receiver<LinkState>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Starts a link with short pauses between attempts.
    pub(crate) fn start(settings: &Settings, notebook: &Arc<Notebook>) -> Self {
        let options = ClientOptions {
            reconnect: (Duration::from_millis(20), Duration::from_millis(50)),
            ..ClientOptions::of(settings, identity(), &[("cors".to_owned(), None)])
        };
        Self::with(settings, notebook, options)
    }

    pub(crate) fn with(
        settings: &Settings,
        notebook: &Arc<Notebook>,
        options: ClientOptions,
    ) -> Self {
        let link = Link::to_control_plane(settings).unwrap();
        let client = Client::new(link, options, notebook.clone());
        let state = client.state();
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move { client.run(stopped).await });
        Self { state, stop, task }
    }

    /// Waits until the last error contains `text`.
    pub(crate) async fn fails_with(&self, text: &str) -> String {
        eventually(text, async || {
            let error = self
                .state
                .borrow()
                .last_error
                .as_ref()
                .map(ToString::to_string);
            error.filter(|error| error.contains(text))
        })
        .await
    }
}
