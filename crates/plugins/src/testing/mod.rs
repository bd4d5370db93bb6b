//! A request on a bench: enough of an exchange to run one handler.

mod receivers;

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{
    BodyChunk, BuildContext, BuildError, ClientInfo, ConsumerInfo, CredentialEntry, Definition,
    Exchange, Handler, Head, HeadIndex, HeaderEdits, HeaderSpan, Identity, Locals, Lookups,
    NodeInfo, PluginInput, Reply, RequestEdits, ResponseEdits, ResponseSource, ResponseView,
    RouteInfo, Scheme, ServiceInfo, Shared, Span, Step, Verdict,
};
use schema::{Mode, Violations};
use serde_json::{Map, Value};
use uuid::Uuid;

pub(crate) use receivers::{Datagrams, Server, take_request};

pub(crate) const NODE: u128 = 0xA;
pub(crate) const ROUTE: u128 = 0xB;
pub(crate) const SERVICE: u128 = 0xC;
pub(crate) const ALICE: u128 = 0xD;
pub(crate) const ALICE_KEY: u128 = 0xE;
pub(crate) const ANON: u128 = 0xF;

/// Validates a plugin with this configuration as a control plane or a node does; gives it complete.
fn validate(definition: &Definition, config: Value) -> Result<Map<String, Value>, Violations> {
    let catalogue = entities::Catalogue::new(crate::catalogue());
    let mut plugin = Map::new();
    plugin.insert("name".to_owned(), definition.name.into());
    plugin.insert("config".to_owned(), config);
    catalogue.validate("plugins", &mut plugin, Mode::Insert)?;
    match plugin.remove("config") {
        Some(Value::Object(config)) => Ok(config),
        other => panic!("a configuration is an object: {other:?}"),
    }
}

/// A configuration with its defaults.
pub(crate) fn complete(definition: &Definition, config: Value) -> Map<String, Value> {
    validate(definition, config).expect("the configuration is valid")
}

/// The violations of a configuration, `path: message`; paths start below `config`.
pub(crate) fn violations(definition: &Definition, config: Value) -> Vec<String> {
    match validate(definition, config) {
        Ok(_) => Vec::new(),
        Err(violations) => violations
            .iter()
            .map(|(path, message)| {
                let path = path.strip_prefix("config.").unwrap_or(&path);
                format!("{path}: {message}")
            })
            .collect(),
    }
}

/// Everything that outlives a request.
pub(crate) struct Bench {
    pub(crate) shared: Shared,
    pub(crate) lookups: Lookups,
    pub(crate) notices: Vec<String>,
    pub(crate) node: NodeInfo,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut builder = Lookups::builder(kinds());
        builder.acl_group(Uuid::from_u128(ALICE), Bytes::from_static(b"g1"));
        builder.acl_group(Uuid::from_u128(ALICE), Bytes::from_static(b"g2"));
        builder.consumer(consumer(ALICE, "alice", Some("al-1")));
        builder.consumer(consumer(ANON, "anon", None));
        let slot = builder.slot("keyauth_credentials").unwrap();
        let entry = CredentialEntry {
            id: Uuid::from_u128(ALICE_KEY),
            id_text: text(ALICE_KEY),
            consumer: Arc::clone(builder.find_consumer(Uuid::from_u128(ALICE)).unwrap()),
            expires_at_ms: None,
            prepared: None,
        };
        let expired = CredentialEntry {
            expires_at_ms: Some(NOW_MS),
            ..entry.clone()
        };
        builder.credential(slot, b"alice-key", entry);
        builder.credential(slot, b"old-key", expired);
        Self {
            shared: Shared::default(),
            lookups: builder.finish(),
            notices: Vec::new(),
            node: NodeInfo::new(Uuid::from_u128(NODE), "bench"),
        }
    }

    pub(crate) fn build(
        &mut self,
        definition: &Definition,
        config: Value,
    ) -> Result<Arc<dyn Handler>, BuildError> {
        let config = complete(definition, config);
        let lookups = Lookups::builder(kinds());
        let mut context = BuildContext {
            shared: &self.shared,
            lookups: &lookups,
            node: &self.node,
            notices: Vec::new(),
        };
        let input = PluginInput {
            id: Uuid::from_u128(1),
            name: definition.name,
            config: &config,
            route: Some(Uuid::from_u128(ROUTE)),
            service: None,
            consumer: None,
            consumer_group: None,
        };
        let build = definition.build.expect("the plugin has a handler");
        let handler = build(&input, &mut context);
        self.notices = context.notices;
        handler
    }

    /// Gives Alice a credential of the plugin's first kind; everything else is forgotten.
    pub(crate) fn credential(&mut self, definition: &Definition, credential: &Value) {
        let kind = &definition.credentials[0];
        let body = credential.as_object().unwrap();
        let mut builder = Lookups::builder(kinds());
        builder.consumer(consumer(ALICE, "alice", Some("al-1")));
        builder.consumer(consumer(ANON, "anon", None));
        let entry = CredentialEntry {
            id: Uuid::from_u128(ALICE_KEY),
            id_text: text(ALICE_KEY),
            consumer: Arc::clone(builder.find_consumer(Uuid::from_u128(ALICE)).unwrap()),
            expires_at_ms: None,
            prepared: kind.prepare.and_then(|prepare| prepare(body)),
        };
        let slot = builder.slot(kind.entity).unwrap();
        let shown = body[kind.field].as_str().unwrap();
        builder.credential(slot, shown.as_bytes(), entry);
        self.lookups = builder.finish();
    }

    pub(crate) fn handler(&mut self, definition: &Definition, config: Value) -> Arc<dyn Handler> {
        self.build(definition, config).expect("the plugin is built")
    }
}

/// A runtime like that of a core.
pub(crate) fn core() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

/// How a request to a backend ended well.
pub(crate) fn outcome() -> plugin_api::Outcome {
    plugin_api::Outcome {
        status: 200,
        source: ResponseSource::Service,
        backend_status: Some(200),
        backend_address: Some("10.0.0.1:80".parse().unwrap()),
        tries: 1,
        total_us: 9000,
        gateway_us: 2000,
        backend_us: 4000,
        request_bytes: 100,
        response_bytes: 200,
        response_head: Bytes::from_static(
            b"HTTP/1.1 200 OK\r\nDate: x\r\nServer: echo\r\nConnection: keep-alive",
        ),
        backend_target: Bytes::from_static(b"/up?a=1"),
        started_us: NOW_MS * 1000,
        handed_on_us: NOW_MS * 1000 + 2000,
        answered_us: NOW_MS * 1000 + 6000,
        ended_us: NOW_MS * 1000 + 9000,
    }
}

/// The kinds of credentials of all plugins.
pub(crate) fn kinds() -> Vec<(&'static str, &'static str)> {
    let kinds = crate::DEFINITIONS.iter().flat_map(|one| one.credentials);
    kinds.map(|kind| (kind.entity, kind.field)).collect()
}

/// The moment at which requests arrive unless they say otherwise: 2026-01-31 23:59:30.500 UTC.
pub(crate) const NOW_MS: u64 = 1_769_903_970_500;

/// One request and everything the engine keeps for it.
pub(crate) struct Request {
    bytes: Vec<u8>,
    index: HeadIndex,
    path: Vec<u8>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) edits: RequestEdits,
    pub(crate) response: ResponseEdits,
    pub(crate) client: ClientInfo,
    pub(crate) identity: Identity,
    pub(crate) locals: Locals,
    pub(crate) now_ms: u64,
    route: RouteInfo,
    pub(crate) service: Option<ServiceInfo>,
}

impl Request {
    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target, &[])
    }

    pub(crate) fn new(method: &str, target: &str, headers: &[(&str, &str)]) -> Self {
        let mut bytes = Vec::new();
        let mut put = |text: &str| {
            let start = u32::try_from(bytes.len()).unwrap();
            bytes.extend_from_slice(text.as_bytes());
            Span::new(start, u32::try_from(bytes.len()).unwrap())
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut index = HeadIndex {
            method: put(method),
            path: put(path),
            query: put(query),
            has_query: target.contains('?'),
            ..HeadIndex::default()
        };
        for (name, value) in headers {
            let (name, value) = (put(name), put(value));
            index.headers.push(HeaderSpan { name, value });
        }
        Self {
            bytes,
            index,
            path: path.as_bytes().to_vec(),
            body: None,
            edits: RequestEdits::default(),
            response: ResponseEdits::default(),
            client: client("127.0.0.1"),
            identity: Identity::default(),
            locals: Locals::default(),
            now_ms: NOW_MS,
            route: RouteInfo {
                id: Uuid::from_u128(ROUTE),
                id_text: text(ROUTE),
                name: None,
                document: Bytes::from_static(br#"{"id":"route"}"#),
            },
            service: Some(ServiceInfo {
                id: Uuid::from_u128(SERVICE),
                id_text: text(SERVICE),
                name: None,
                host: Bytes::from_static(b"backend.test"),
                document: Bytes::from_static(br#"{"id":"service"}"#),
            }),
        }
    }

    pub(crate) fn with_ip(mut self, ip: &str) -> Self {
        self.client = client(ip);
        self
    }

    pub(crate) fn at(mut self, now_ms: u64) -> Self {
        self.now_ms = now_ms;
        self
    }

    pub(crate) fn known_as(mut self, bench: &Bench, consumer: u128) -> Self {
        let consumer = bench.lookups.consumer(Uuid::from_u128(consumer)).unwrap();
        self.identity.consumer = Some(Arc::clone(consumer));
        self
    }

    /// As if key-auth had found this key.
    pub(crate) fn proved_by(mut self, bench: &Bench, key: &str) -> Self {
        let slot = bench.lookups.slot("keyauth_credentials").unwrap();
        let entry = bench
            .lookups
            .credential(slot, key.as_bytes(), NOW_MS)
            .unwrap();
        self.identity.credential = Some(plugin_api::CredentialInfo {
            id: entry.id,
            id_text: entry.id_text.clone(),
            identifier: entry.id_text.clone(),
            prepared: None,
        });
        self
    }

    /// Runs access and gives the answer, if the handler answered. One that waits is run to its
    /// end on a runtime of its own, as on a core.
    pub(crate) fn access(&mut self, bench: &Bench, handler: &dyn Handler) -> Option<Reply> {
        self.with_exchange(bench, |exchange| match handler.access(exchange) {
            Step::Done(Verdict::Continue) => None,
            Step::Done(Verdict::Respond(reply)) => Some(*reply),
            Step::Wait(future) => match core().block_on(future) {
                Verdict::Continue => None,
                Verdict::Respond(reply) => Some(*reply),
            },
        })
    }

    /// Runs access on the runtime that is there, and gives the answer, if the handler answered.
    pub(crate) async fn access_on_core(
        &mut self,
        bench: &Bench,
        handler: &dyn Handler,
    ) -> Option<Reply> {
        let mut exchange = self.exchange(bench);
        let verdict = match handler.access(&mut exchange) {
            Step::Done(verdict) => verdict,
            Step::Wait(future) => future.await,
        };
        match verdict {
            Verdict::Continue => None,
            Verdict::Respond(reply) => Some(*reply),
        }
    }

    /// Runs the header filter over a backend answer with these headers; gives them afterwards.
    pub(crate) fn header_filter(
        &mut self,
        bench: &Bench,
        handler: &dyn Handler,
        headers: &[(&str, &str)],
    ) -> Vec<String> {
        self.filter_head(bench, handler, 200, headers).headers
    }

    /// Runs the header filter over a backend answer; gives what became of it.
    pub(crate) fn filter_head(
        &mut self,
        bench: &Bench,
        handler: &dyn Handler,
        status: u16,
        headers: &[(&str, &str)],
    ) -> Filtered {
        let (bytes, index) = head(headers);
        let mut edits = self.response.headers.clone();
        let mut filtered = Filtered::default();
        self.with_exchange(bench, |exchange| {
            let mut view = ResponseView {
                status,
                head: Some(Head::new(&bytes, &index)),
                headers: &mut edits,
                source: ResponseSource::Service,
                changes_body: false,
                drops_body: false,
                own: &[],
            };
            handler.header_filter(exchange, &mut view);
            filtered.status = view.status;
            filtered.changes_body = view.changes_body;
            filtered.drops_body = view.drops_body;
        });
        let lines = lines(
            &edits,
            headers.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())),
        );
        Filtered {
            headers: lines,
            ..filtered
        }
    }

    /// Runs the body filter over the pieces of an answer; gives what is sent of each.
    pub(crate) fn body_filter(
        &mut self,
        bench: &Bench,
        handler: &dyn Handler,
        pieces: &[&str],
    ) -> Vec<String> {
        let mut sent = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            let mut chunk = BodyChunk {
                data: Bytes::copy_from_slice(piece.as_bytes()),
                is_last: at + 1 == pieces.len(),
                trailers: Bytes::new(),
            };
            self.with_exchange(bench, |exchange| handler.body_filter(exchange, &mut chunk));
            sent.push(String::from_utf8(chunk.data.to_vec()).unwrap());
        }
        sent
    }

    /// Runs the log phase.
    pub(crate) fn log(
        &mut self,
        bench: &Bench,
        handler: &dyn Handler,
        outcome: &plugin_api::Outcome,
    ) {
        self.with_exchange(bench, |exchange| handler.log(exchange, outcome));
    }

    /// The request headers as the backend would get them.
    pub(crate) fn sent_headers(&self) -> Vec<String> {
        let head = Head::new(&self.bytes, &self.index);
        lines(&self.edits.headers, head.headers())
    }

    /// Whether the service gets a header, written `Name: value`.
    pub(crate) fn sends(&self, line: &str) -> bool {
        self.sent_headers().iter().any(|sent| sent == line)
    }

    /// The headers added to the answer.
    pub(crate) fn answer_headers(&self) -> Vec<String> {
        lines(&self.response.headers, std::iter::empty())
    }

    pub(crate) fn with_exchange<T>(
        &mut self,
        bench: &Bench,
        run: impl FnOnce(&mut Exchange<'_>) -> T,
    ) -> T {
        run(&mut self.exchange(bench))
    }

    fn exchange<'r>(&'r mut self, bench: &'r Bench) -> Exchange<'r> {
        Exchange {
            head: Head::new(&self.bytes, &self.index),
            path: &self.path,
            body: self.body.as_deref(),
            request: &mut self.edits,
            response: &mut self.response,
            client: &self.client,
            route: Some(&self.route),
            service: self.service.as_ref(),
            request_id: "0123456789abcdef0123456789abcdef",
            identity: &mut self.identity,
            lookups: &bench.lookups,
            now_ms: self.now_ms,
            locals: &mut self.locals,
        }
    }
}

/// What a header filter made of an answer.
#[derive(Debug, Default)]
pub(crate) struct Filtered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<String>,
    pub(crate) changes_body: bool,
    pub(crate) drops_body: bool,
}

/// A response head of these header lines.
fn head(headers: &[(&str, &str)]) -> (Vec<u8>, HeadIndex) {
    let mut bytes = Vec::new();
    let mut index = HeadIndex::default();
    for (name, value) in headers {
        let mut put = |text: &str| {
            let start = u32::try_from(bytes.len()).unwrap();
            bytes.extend_from_slice(text.as_bytes());
            Span::new(start, u32::try_from(bytes.len()).unwrap())
        };
        let (name, value) = (put(name), put(value));
        index.headers.push(HeaderSpan { name, value });
    }
    (bytes, index)
}

fn lines<'h>(edits: &HeaderEdits, head: impl Iterator<Item = (&'h [u8], &'h [u8])>) -> Vec<String> {
    let mut lines = Vec::new();
    edits.apply(head, |name, value| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        lines.push(format!("{}: {}", text(name), text(value)));
    });
    lines
}

fn consumer(id: u128, username: &str, custom_id: Option<&str>) -> ConsumerInfo {
    ConsumerInfo {
        id: Uuid::from_u128(id),
        id_text: text(id),
        username: Some(Bytes::copy_from_slice(username.as_bytes())),
        custom_id: custom_id.map(|id| Bytes::copy_from_slice(id.as_bytes())),
        groups: Vec::new(),
        document: Bytes::new(),
    }
}

fn client(ip: &str) -> ClientInfo {
    let ip = ip.parse().unwrap();
    ClientInfo {
        peer: (ip, 40_000).into(),
        ip,
        ip_text: Bytes::from(ip.to_string()),
        port: 40_000,
        local: "127.0.0.1:8000".parse().unwrap(),
        scheme: Scheme::Http,
        server_name: None,
        is_peer_trusted: false,
        connection: 7,
        request: 3,
    }
}

pub(crate) fn text(id: u128) -> Bytes {
    Bytes::from(Uuid::from_u128(id).to_string())
}
