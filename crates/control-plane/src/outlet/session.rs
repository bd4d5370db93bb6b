//! One node's configuration link (`/v1/outlet`).

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use wire::Version;
use wire::hash::HASH_LENGTH;
use wire::limits::MAX_NODE_FRAME;
use wire::socket::{Socket, SocketEvent};
use wire::v1::{
    BasicInfo, DrawRequest, NodeFrame, PRODUCT, PluginVersion, decode_draw, decode_node_frame,
    encode_drawn,
};

use super::accept::{Handshake, NodeQuery, Peer, Refusal, clip};
use super::admission::{Admitted, enter};
use super::build::Build;
use super::compatibility::{self, Issue};
use super::space::Link;
use super::{Inner, Space};
use crate::model::NodeSeen;

/// Most labels of a node that are kept.
const MAX_LABELS: usize = 32;

type NodeSocket = Socket<TokioIo<Upgraded>>;

/// Opens `/v1/outlet`.
pub(super) async fn open<B: Send + 'static>(
    inner: &Arc<Inner>,
    mut request: Request<B>,
    peer: Peer,
) -> Result<Response<Full<Bytes>>, Refusal> {
    let query = NodeQuery::read(request.uri().query())?;
    let handshake = Handshake::read(&mut request)?;
    let node = query.id(peer.control_plane);
    let (admitted, link) = enter(inner, &peer, Some(node)).await?;
    let answer = handshake.answer(handshake.offered.first().map(String::as_str));
    let session = Session::new(inner, &admitted, query, &peer);
    tokio::spawn(async move {
        if let Some(socket) = handshake.socket(MAX_NODE_FRAME).await {
            session.run(socket, link).await;
        }
    });
    Ok(answer)
}

/// What is known about the node and what was last said to it.
struct Session {
    inner: Arc<Inner>,
    builds: watch::Receiver<Option<Arc<Build>>>,
    seen: NodeSeen,
    /// `None` when the node's version cannot be served.
    version: Option<Version>,
    plugins: Vec<PluginVersion>,
    /// Whether the node is one of this program.
    is_ours: bool,
    /// The hash in the node's last ping.
    node_hash: Option<String>,
    /// Number of the configuration that was last considered, sent or not.
    considered: u64,
    /// The version's issue, those of the last configuration, the node's last report.
    version_issue: Option<Issue>,
    push_issues: Vec<Issue>,
    report: Option<Issue>,
}

/// Why a session ends.
enum End {
    /// The peer went away, or broke the protocol.
    Gone,
    /// This side ends it.
    Close(&'static str),
}

impl Session {
    fn new(inner: &Arc<Inner>, admitted: &Admitted, query: NodeQuery, peer: &Peer) -> Self {
        let control_plane = admitted.plane.id;
        let (version, version_issue) = match compatibility::version(&query.version) {
            Ok(version) => (Some(version), None),
            Err(issue) => (None, Some(*issue)),
        };
        Self {
            inner: Arc::clone(inner),
            builds: Space::of(inner, control_plane).follow(),
            seen: NodeSeen {
                control_plane,
                node_id: query.id(control_plane),
                version: query.version,
                hostname: query.hostname,
                ip: peer.address.ip().to_canonical().to_string(),
                config_hash: None,
                labels: BTreeMap::new(),
                certificate_id: Some(admitted.certificate),
                compatibility: None,
                is_connected: true,
            },
            version,
            plugins: Vec::new(),
            is_ours: false,
            node_hash: None,
            considered: 0,
            version_issue,
            push_issues: Vec::new(),
            report: None,
        }
    }

    async fn run(mut self, mut socket: NodeSocket, link: Link) {
        let end = self.converse(&mut socket, &link).await;
        if let End::Close(reason) = end {
            tracing::info!(node = %self.seen.node_id, reason, "a node's link is closed");
            socket.close().await;
        }
        if link.is_current() {
            self.seen.is_connected = false;
            self.record().await;
        }
    }

    async fn converse(&mut self, socket: &mut NodeSocket, link: &Link) -> End {
        let first = timeout(self.inner.options.first_frame, self.first_frame(socket));
        let info = tokio::select! {
            () = link.ended() => return End::Close("it has to end"),
            first = first => match first {
                Ok(Ok(info)) => info,
                Ok(Err(end)) => return end,
                Err(_) => return End::Close("no `basic_info` came"),
            },
        };
        self.seen.labels = labels(info.labels);
        self.plugins = info.plugins;
        self.is_ours = info.process_conf.contains_key(PRODUCT);
        self.record().await;
        if self.version.is_none() {
            return End::Close("the node's version is not supported");
        }
        self.serve(socket, link).await
    }

    /// Waits for `basic_info`; control frames may come before it.
    async fn first_frame(&mut self, socket: &mut NodeSocket) -> Result<BasicInfo, End> {
        loop {
            match socket.event().await {
                Ok(SocketEvent::Binary(payload)) => {
                    return match decode_node_frame(&payload) {
                        Ok(NodeFrame::BasicInfo(info)) => Ok(*info),
                        Ok(_) => Err(End::Close("the first frame is not `basic_info`")),
                        Err(error) => {
                            tracing::debug!(%error, "a node's first frame cannot be read");
                            Err(End::Close("the first frame cannot be read"))
                        }
                    };
                }
                Ok(SocketEvent::Ping(payload)) => self.note_hash(&payload),
                Ok(SocketEvent::Closed) | Err(_) => return Err(End::Gone),
                Ok(_) => {}
            }
        }
    }

    async fn serve(&mut self, socket: &mut NodeSocket, link: &Link) -> End {
        let options = self.inner.options.clone();
        let mut silent_at = Instant::now() + options.silence;
        // A node's first ping follows at once and may say that it is up to date already.
        let mut push_at = Some(Instant::now() + options.first_ping);
        let mut turn = Turn::default();
        let mut stuck_at = None;
        let space = Space::of(&self.inner, self.seen.control_plane);
        let mut refresh = Some(space.refresh(&self.inner));
        if self.is_ours {
            // Says that shares of counters can be drawn here.
            self.grant(socket, &space, &DrawRequest::default());
        }
        loop {
            if self.node_hash.is_some() {
                push_at = None;
            }
            let is_free = turn.is_idle() && !socket.is_writing();
            if push_at.is_none() && refresh.is_none() && is_free && self.is_due() {
                turn.ask(&self.inner.pushes);
            }
            let slow_at = turn.slow_at;
            tokio::select! {
                () = link.ended() => return End::Close("it has to end"),
                () = tokio::time::sleep_until(silent_at) => return End::Close("it fell silent"),
                () = sleep_until(push_at) => push_at = None,
                () = finished(&mut refresh) => refresh = None,
                () = turn.granted() => {
                    if self.push(socket).await {
                        turn.slow_at = Some(Instant::now() + options.slow_push);
                        stuck_at = Some(Instant::now() + options.stuck_push);
                    } else {
                        turn.give_back();
                    }
                }
                // The rest is written without a permit.
                () = sleep_until(slow_at) => turn.give_back(),
                () = sleep_until(stuck_at) => return End::Close("it does not take its configuration"),
                changed = self.builds.changed() => if changed.is_err() {
                    return End::Close("its control plane is gone");
                },
                event = socket.event() => match event {
                    Ok(SocketEvent::Written) => {
                        turn.give_back();
                        stuck_at = None;
                    }
                    Ok(SocketEvent::Closed) => return End::Gone,
                    Ok(event) => {
                        silent_at = Instant::now() + options.silence;
                        match asked(&event) {
                            Some(request) => self.grant(socket, &space, &request),
                            None => self.hear(event).await,
                        }
                    }
                    Err(error) => {
                        tracing::debug!(node = %self.seen.node_id, %error, "a link failed");
                        return End::Gone;
                    }
                },
            }
        }
    }

    /// Answers a node that draws shares.
    fn grant(&self, socket: &mut NodeSocket, space: &Space, request: &DrawRequest) {
        let now = clock::unix_millis() / 1000;
        let answer = space.shares.draw(request, space.connected(), now);
        let sent = encode_drawn(answer).map(|answer| socket.queue(answer).is_ok());
        if !matches!(sent, Ok(true)) {
            tracing::debug!(node = %self.seen.node_id, "a node gets no shares: its link is full");
        }
    }

    async fn hear(&mut self, event: SocketEvent) {
        match event {
            SocketEvent::Ping(payload) => {
                self.note_hash(&payload);
                self.record().await;
            }
            SocketEvent::Binary(payload) => match decode_node_frame(&payload) {
                Ok(NodeFrame::Error(report)) => {
                    tracing::info!(node = %self.seen.node_id, name = report.name,
                        hash = report.config_hash, "a node refused a configuration");
                    self.report = Some(compatibility::refused(&report));
                    self.record().await;
                }
                Ok(NodeFrame::BasicInfo(info)) => {
                    self.seen.labels = labels(info.labels);
                    self.plugins = info.plugins;
                    self.record().await;
                }
                Ok(NodeFrame::Other { kind }) => tracing::debug!(kind, "an unknown frame"),
                Err(error) => tracing::debug!(%error, "a frame that cannot be read"),
            },
            _ => {}
        }
    }

    /// Takes in the hash a ping carries; anything else in a ping only shows that the node lives.
    fn note_hash(&mut self, payload: &Bytes) {
        let Some(hash) = std::str::from_utf8(payload)
            .ok()
            .filter(|h| h.len() == HASH_LENGTH)
        else {
            return;
        };
        let newest = self
            .builds
            .borrow()
            .as_ref()
            .map(|b| b.hashes.config.clone());
        if newest.as_deref() == Some(hash) {
            // It runs what it refused before, or what came after that.
            self.report = None;
        }
        self.node_hash = Some(hash.to_owned());
        self.seen.config_hash = Some(hash.to_owned());
    }

    /// Whether the newest configuration was neither sent nor found unsendable.
    fn is_due(&mut self) -> bool {
        let newest = self.builds.borrow_and_update();
        newest
            .as_ref()
            .is_some_and(|build| build.sequence > self.considered)
    }

    /// Queues the newest configuration unless the node has it already or cannot take it; true
    /// when something was queued.
    async fn push(&mut self, socket: &mut NodeSocket) -> bool {
        // Looked at only now that it is this node's turn: nothing but the newest counts.
        let newest = self.builds.borrow_and_update().clone();
        let (Some(build), Some(version)) = (newest, self.version) else {
            return false;
        };
        self.considered = build.sequence;
        let plugins = self.inner.catalogue.plugins();
        let ours = |name: &str| plugins.version(name).map(str::to_owned);
        self.push_issues = compatibility::plugins(&build, &self.plugins, ours);
        let mut payload = None;
        if !self.push_issues.iter().any(Issue::blocks) {
            match build.packed(version, self.is_ours).await {
                Ok(packed) => {
                    let losses = compatibility::losses(version, &packed.changes);
                    self.push_issues.extend(losses);
                    payload = Some(packed.bytes.clone());
                }
                Err(error) => tracing::error!(error, "a configuration cannot be packed"),
            }
        }
        let limit = self.inner.options.max_payload;
        if let Some(large) = payload.take_if(|payload| payload.len() > limit) {
            self.push_issues
                .push(compatibility::too_large(large.len(), limit));
        }
        self.record().await;
        let has_it = self.node_hash.as_deref() == Some(build.hashes.config.as_str());
        match payload {
            Some(payload) if !has_it => socket.queue(payload).is_ok(),
            _ => false,
        }
    }

    async fn record(&mut self) {
        let issues = self
            .version_issue
            .iter()
            .chain(&self.push_issues)
            .chain(&self.report);
        self.seen.compatibility = Some(compatibility::render(issues));
        if let Err(error) = self.inner.planes.record_node(self.seen.clone()).await {
            tracing::warn!(%error, "a node's record was not written");
        }
    }
}

/// The shares that a node asks for.
fn asked(event: &SocketEvent) -> Option<DrawRequest> {
    match event {
        SocketEvent::Binary(payload) => decode_draw(payload),
        _ => None,
    }
}

/// Labels as they are stored. Nodes have ten at most; more is not believed.
fn labels(given: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let given = given.into_iter().take(MAX_LABELS);
    given
        .map(|(key, value)| (clip(&key), clip(&value)))
        .collect()
}

/// A node's turn to be sent a configuration: asked for, granted, given back when it is written.
#[derive(Default)]
struct Turn {
    wait: Option<Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>>,
    permit: Option<OwnedSemaphorePermit>,
    /// When the turn is taken away, because the node is slow.
    slow_at: Option<Instant>,
}

impl Turn {
    fn is_idle(&self) -> bool {
        self.wait.is_none() && self.permit.is_none()
    }

    fn ask(&mut self, pushes: &Arc<Semaphore>) {
        let pushes = Arc::clone(pushes);
        self.wait = Some(Box::pin(async move { pushes.acquire_owned().await.ok() }));
    }

    /// Resolves once when the turn has come; never while none is asked for. Its place in the
    /// queue survives dropping the future.
    async fn granted(&mut self) {
        match &mut self.wait {
            Some(wait) => {
                self.permit = wait.await;
                self.wait = None;
            }
            None => std::future::pending().await,
        }
    }

    fn give_back(&mut self) {
        self.permit = None;
        self.slow_at = None;
    }
}

async fn finished(task: &mut Option<JoinHandle<()>>) {
    match task {
        // A task that failed is finished too.
        Some(task) => drop(task.await),
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
