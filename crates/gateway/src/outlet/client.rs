//! Keeping the link to the control plane and taking in what comes over it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use conf::Settings;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use wire::socket::{Socket, SocketEvent};
use wire::v1::{
    BasicInfo, ErrorReport, NodeFrame, PlaneFrame, decode_drawn, decode_reconfigure, encode_draw,
    encode_node_frame,
};
use wire::{EMPTY_HASH, WireError};

use super::apply::Apply;
use super::dial::BoxConnection;
use super::error::LinkError;
use super::info::basic_info;
use super::link::{Identity, Link};
use super::shares::ShareLink;

const PATH: &str = "/v1/outlet";

/// How the link behaves.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Who the node is.
    pub identity: Identity,
    /// The first frame.
    pub info: BasicInfo,
    /// Whether refused configurations are reported to the control plane (`konnect_mode`); stock
    /// control planes end the link on a report.
    pub reports_errors: bool,
    /// Largest packed configuration taken: `cluster_max_payload`.
    pub max_payload: usize,
    /// Largest configuration after inflating.
    pub max_inflated: usize,
    /// Pause between pings: 30 s.
    pub ping_interval: Duration,
    /// Silence after which the link is given up: 45 s.
    pub silence: Duration,
    /// Shortest and longest pause before dialling again: 5 to 10 s.
    pub reconnect: (Duration, Duration),
}

impl ClientOptions {
    /// The options of a node with these settings and plugins (name and version).
    #[must_use]
    pub fn of(
        settings: &Settings,
        identity: Identity,
        plugins: &[(String, Option<String>)],
    ) -> Self {
        Self {
            reports_errors: settings.konnect_mode,
            max_payload: settings.cluster_max_payload,
            ..Self::new(identity, basic_info(settings, plugins))
        }
    }

    /// The times and limits of the protocol.
    #[must_use]
    pub fn new(identity: Identity, info: BasicInfo) -> Self {
        let (shortest, longest) = wire::limits::RECONNECT_SECONDS;
        Self {
            identity,
            info,
            reports_errors: false,
            max_payload: wire::limits::DEFAULT_MAX_PAYLOAD,
            max_inflated: wire::limits::DEFAULT_MAX_INFLATED,
            ping_interval: wire::limits::PING_INTERVAL,
            silence: wire::limits::SILENCE,
            reconnect: (Duration::from_secs(shortest), Duration::from_secs(longest)),
        }
    }
}

/// How the link stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkState {
    /// Whether a link is open.
    pub is_connected: bool,
    /// Why the last attempt failed or the last link ended; empty while connected.
    pub last_error: Option<LinkError>,
    /// Links opened since the start.
    pub opened: u64,
}

/// A node's end of the configuration link.
pub struct Client {
    link: Link,
    options: ClientOptions,
    apply: Arc<dyn Apply>,
    shares: Arc<ShareLink>,
    state: watch::Sender<LinkState>,
    /// The error last told to the log, so that a lasting one is told once.
    told: Mutex<Option<String>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("link", &self.link)
            .field("state", &*self.state.borrow())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client that is not connected yet.
    #[must_use]
    pub fn new(link: Link, options: ClientOptions, apply: Arc<dyn Apply>) -> Self {
        Self {
            link,
            options,
            apply,
            shares: Arc::default(),
            state: watch::channel(LinkState::default()).0,
            told: Mutex::new(None),
        }
    }

    /// Where plugins draw shares of counters over this link.
    #[must_use]
    pub const fn shares(&self) -> &Arc<ShareLink> {
        &self.shares
    }

    /// How the link stands, as it changes.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.state.subscribe()
    }

    /// Keeps the link until `shutdown` becomes true (or its sender is gone). Failures are
    /// retried for ever; the node keeps serving what it has.
    pub async fn run(&self, mut shutdown: watch::Receiver<bool>) {
        let mut is_over = shutdown.clone();
        loop {
            let error = self.once(&mut is_over).await;
            self.state.send_modify(|state| {
                state.is_connected = false;
                state.last_error.clone_from(&error);
            });
            // Without an error the shutdown has been seen inside.
            let Some(error) = error else { return };
            self.tell(&error);
            tokio::select! {
                _ = shutdown.wait_for(|is_over| *is_over) => return,
                () = tokio::time::sleep(self.pause(&error)) => {}
            }
        }
    }

    /// Opens the link and serves it until it ends; `None` when that was asked for.
    async fn once(&self, is_over: &mut watch::Receiver<bool>) -> Option<LinkError> {
        let opened = tokio::select! {
            _ = is_over.wait_for(|is_over| *is_over) => return None,
            opened = self.open() => opened,
        };
        let mut socket = match opened {
            Ok(socket) => socket,
            Err(error) => return Some(error),
        };
        let error = tokio::select! {
            _ = is_over.wait_for(|is_over| *is_over) => None,
            ended = self.converse(&mut socket) => ended.err(),
        };
        self.shares.close();
        socket.close().await;
        error
    }

    async fn open(&self) -> Result<Socket<BoxConnection>, LinkError> {
        let options = &self.options;
        let opening = self.link.open(PATH, &options.identity, options.max_payload);
        let mut socket = opening.await?;
        self.state.send_modify(|state| {
            state.is_connected = true;
            state.last_error = None;
            state.opened += 1;
        });
        *self.told.lock() = None;
        tracing::info!(
            address = self.link.address(),
            "connected to the control plane"
        );
        let info = NodeFrame::BasicInfo(Box::new(options.info.clone()));
        let info = encode_node_frame(&info).map_err(|e| LinkError::Broken(e.to_string()))?;
        queued(socket.queue(info))?;
        queued(socket.queue_ping(self.apply.active_hash()))?;
        Ok(socket)
    }

    async fn converse(&self, socket: &mut Socket<BoxConnection>) -> Result<(), LinkError> {
        let options = &self.options;
        let mut heard = Instant::now();
        let mut ping_at = Instant::now() + options.ping_interval;
        let mut newest: Option<Bytes> = None;
        let mut work = Work::default();
        loop {
            if work.is_idle()
                && let Some(payload) = newest.take()
            {
                work.start(Arc::clone(&self.apply), payload, options.max_inflated);
            }
            tokio::select! {
                () = sleep_until(heard + options.silence) => {
                    return Err(LinkError::Silent(options.silence));
                }
                () = sleep_until(ping_at) => {
                    queued(socket.queue_ping(self.apply.active_hash()))?;
                    ping_at = Instant::now() + options.ping_interval;
                }
                done = work.done() => if self.finish(socket, done)? {
                    ping_at = Instant::now() + options.ping_interval;
                },
                request = self.shares.next() => {
                    let request = encode_draw(request);
                    queued(socket.queue(request.map_err(|e| LinkError::Broken(e.to_string()))?))?;
                }
                event = socket.event() => match queued(event)? {
                    SocketEvent::Closed => {
                        return Err(LinkError::Broken("the control plane closed it".to_owned()));
                    }
                    SocketEvent::Written => {}
                    SocketEvent::Binary(payload) => {
                        heard = Instant::now();
                        if let Some(answer) = decode_drawn(&payload) {
                            self.shares.hear(&answer);
                            continue;
                        }
                        // One that was not begun yet is out of date.
                        newest = Some(payload);
                    }
                    _ => heard = Instant::now(),
                },
            }
        }
    }

    /// Acts on the end of an application; true when a ping told the control plane.
    fn finish(&self, socket: &mut Socket<BoxConnection>, done: Done) -> Result<bool, LinkError> {
        match done {
            Done::Applied { hash } => {
                tracing::info!(hash, "a configuration is in use");
                queued(socket.queue_ping(hash))?;
                Ok(true)
            }
            Done::Nothing => Ok(false),
            Done::Damaged(error) => Err(LinkError::Damaged(error)),
            Done::Refused(report) => {
                // Who refused it has told the log already.
                tracing::debug!(name = report.name, message = report.message, "refused");
                if self.options.reports_errors {
                    let frame = encode_node_frame(&NodeFrame::Error(report));
                    let frame = frame.map_err(|e| LinkError::Broken(e.to_string()))?;
                    queued(socket.queue(frame))?;
                }
                Ok(false)
            }
        }
    }

    fn pause(&self, error: &LinkError) -> Duration {
        let (shortest, longest) = self.options.reconnect;
        let spread = longest.saturating_sub(shortest);
        let [byte, other] = clock::random_bytes::<2>();
        let share = f64::from(u16::from_be_bytes([byte, other])) / f64::from(u16::MAX);
        let pause = shortest + spread.mul_f64(share);
        match error {
            // Spread over the usual seconds too, so that not all come back at once.
            LinkError::Busy {
                retry_after: Some(wait),
                ..
            } => *wait + spread.mul_f64(share),
            _ => pause,
        }
    }

    fn tell(&self, error: &LinkError) {
        let text = error.to_string();
        let mut told = self.told.lock();
        if told.as_ref() == Some(&text) {
            tracing::debug!(error = text, "no link to the control plane");
        } else {
            tracing::warn!(error = text, "no link to the control plane; trying again");
            *told = Some(text);
        }
    }
}

fn queued<T>(result: Result<T, wire::socket::SocketError>) -> Result<T, LinkError> {
    result.map_err(|error| LinkError::Broken(error.to_string()))
}

/// How the application of a frame ended.
enum Done {
    /// It is in use, or was already.
    Applied { hash: String },
    /// There was nothing in it to act on.
    Nothing,
    /// The frame itself is broken; so is the link then.
    Damaged(String),
    /// The configuration is not acceptable.
    Refused(Box<ErrorReport>),
}

/// The application of one frame, beside the link.
#[derive(Default)]
struct Work {
    task: Option<tokio::task::JoinHandle<Done>>,
}

impl Work {
    fn is_idle(&self) -> bool {
        self.task.is_none()
    }

    fn start(&mut self, apply: Arc<dyn Apply>, payload: Bytes, max_inflated: usize) {
        // A task of its own: what was begun is finished even when the link breaks meanwhile.
        self.task = Some(tokio::spawn(async move {
            let decoded =
                tokio::task::spawn_blocking(move || decode_reconfigure(&payload, max_inflated));
            match decoded.await {
                Ok(Ok(PlaneFrame::Reconfigure(pushed))) => {
                    if pushed.config_hash == apply.active_hash() {
                        let hash = pushed.config_hash;
                        return Done::Applied { hash };
                    }
                    match apply.apply(pushed.config_table, pushed.config_hash).await {
                        Ok(hash) => Done::Applied { hash },
                        Err(report) => Done::Refused(report),
                    }
                }
                Ok(Ok(PlaneFrame::Other { kind })) => {
                    tracing::debug!(kind, "an unknown frame of the control plane");
                    Done::Nothing
                }
                Ok(Err(error @ (WireError::Malformed(_) | WireError::TooLarge { .. }))) => {
                    Done::Refused(Box::new(generic(&error.to_string())))
                }
                Ok(Err(error)) => Done::Damaged(error.to_string()),
                Err(error) => Done::Refused(Box::new(generic(&error.to_string()))),
            }
        }));
    }

    /// Resolves when the application ends; never while there is none.
    async fn done(&mut self) -> Done {
        let Some(task) = &mut self.task else {
            return std::future::pending().await;
        };
        let done = task.await;
        self.task = None;
        done.unwrap_or_else(|error| Done::Refused(Box::new(generic(&error.to_string()))))
    }
}

fn generic(message: &str) -> ErrorReport {
    ErrorReport {
        name: ErrorReport::GENERIC.to_owned(),
        source: "gatehouse.outlet".to_owned(),
        message: message.to_owned(),
        config_hash: EMPTY_HASH.to_owned(),
        code: None,
        fields: None,
        flattened_errors: Vec::new(),
    }
}
