//! The engine: a thread per core, each with its own runtime, and the handle that the node holds.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use conf::{Listen, LogTarget, Settings};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::access_log::{AccessLog, AccessLogWriter};
use super::config::ProxyConfig;
use super::core::{Core, CoreParts};
use super::counters::{CoreCounters, Counters};
use super::listener::{self, Entrance};
use super::templates::{TemplateError, Templates};
use crate::dns::Dns;
use crate::handover::{Kind, Sockets};
use crate::snapshot::SharedSnapshot;
use crate::telemetry::TelemetrySink;
use crate::{stream, tls};

/// How often a core looks after idle connections and hands over log lines.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// How long connections may stay idle once the core drains.
const IDLE_GRACE: Duration = Duration::from_secs(1);

/// What an engine is started with.
#[derive(Clone)]
pub struct EngineOptions {
    /// The node's settings.
    pub settings: Arc<Settings>,
    /// Where the configuration in force is found.
    pub snapshot: SharedSnapshot,
    /// Resolves the names of services.
    pub dns: Arc<Dns>,
    /// Takes a record of every answered request.
    pub telemetry: TelemetrySink,
    /// Name and version of this product, as `Via` and `Server` say it.
    pub product: String,
    /// Where sockets of a predecessor come from, and the own ones are kept for a successor.
    pub sockets: Sockets,
}

/// Why an engine cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// An address of `proxy_listen` or `stream_listen` cannot be listened on.
    #[error("cannot listen on `{address}` ({source}); is another process using it?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The access log cannot be opened.
    #[error("cannot write the access log `{path}` ({source}); check `{property}`")]
    AccessLog {
        /// The property that names it.
        property: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A template of errors cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up ({0}); check `ssl_protocols`")]
    Tls(#[from] rustls::Error),
    /// A thread cannot be started.
    #[error("a thread of the data path cannot be started ({0})")]
    Thread(std::io::Error),
}

/// What the threads are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Draining,
    Stopped,
}

/// The data path of a node.
#[derive(Debug)]
pub struct Engine;

/// A running engine. Dropping it stops the engine at once.
pub struct EngineHandle {
    phase: watch::Sender<Phase>,
    done: watch::Receiver<usize>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    counters: Vec<Arc<CoreCounters>>,
    addresses: Vec<SocketAddr>,
    stream_addresses: Vec<SocketAddr>,
}

impl std::fmt::Debug for EngineHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineHandle")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// What one thread gets.
struct CoreStart {
    parts: CoreParts,
    doors: Doors,
    phase: watch::Receiver<Phase>,
    done: watch::Sender<usize>,
}

/// The listening sockets of one core.
#[derive(Default)]
struct Doors {
    connections: Vec<(std::net::TcpListener, Entrance)>,
    datagrams: Vec<std::net::UdpSocket>,
}

impl Engine {
    /// Listens on every address of `proxy_listen` and `stream_listen` and starts the threads.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when an address, the log or TLS cannot be used; then nothing runs.
    pub fn start(options: &EngineOptions) -> Result<EngineHandle, EngineError> {
        let settings = &options.settings;
        let workers = settings.workers.max(1);
        let templates = Templates::load(settings)?;
        let log = open_log("proxy_access_log", &settings.proxy_access_log)?;
        let stream_log = match settings.stream_listen.is_empty() {
            true => None,
            false => open_log("proxy_stream_access_log", &settings.proxy_stream_access_log)?,
        };
        let mut doors: Vec<Doors> = Vec::new();
        doors.resize_with(workers, Doors::default);
        let mut addresses = Vec::new();
        for listen in &settings.proxy_listen {
            addresses.push(open(options, listen, false, &mut doors)?);
        }
        let mut stream_addresses = Vec::new();
        for listen in &settings.stream_listen {
            stream_addresses.push(match listen.udp {
                true => open_datagrams(options, listen, &mut doors)?,
                false => open(options, listen, true, &mut doors)?,
            });
        }
        let (phase, phases) = watch::channel(Phase::Running);
        let (done_sender, done) = watch::channel(0);
        let mut handle = EngineHandle {
            phase,
            done,
            threads: Mutex::default(),
            counters: Vec::new(),
            addresses,
            stream_addresses,
        };
        let of_core = |log: &Option<AccessLogWriter>| {
            log.as_ref()
                .map_or_else(AccessLog::default, AccessLogWriter::core)
        };
        for (number, doors) in doors.into_iter().enumerate() {
            let counters = Arc::new(CoreCounters::default());
            handle.counters.push(Arc::clone(&counters));
            let start = CoreStart {
                parts: CoreParts {
                    number,
                    config: ProxyConfig::new(settings, &options.product, &templates),
                    snapshot: Arc::clone(&options.snapshot),
                    dns: Arc::clone(&options.dns),
                    counters,
                    telemetry: options.telemetry.core(),
                    access_log: of_core(&log),
                    stream_log: of_core(&stream_log),
                },
                doors,
                phase: phases.clone(),
                done: done_sender.clone(),
            };
            let thread = std::thread::Builder::new()
                .name(format!("proxy-{number}"))
                .spawn(move || run_core(start))
                .map_err(EngineError::Thread)?;
            handle.threads.lock().push(thread);
        }
        Ok(handle)
    }
}

fn open_log(
    property: &'static str,
    target: &LogTarget,
) -> Result<Option<AccessLogWriter>, EngineError> {
    let LogTarget::File { path, .. } = target else {
        return Ok(None);
    };
    if let Some(folder) = path.parent() {
        // Opening the file tells what is wrong, if anything is.
        let _ = std::fs::create_dir_all(folder);
    }
    let opened = AccessLogWriter::open(path).map_err(|source| EngineError::AccessLog {
        property,
        path: path.display().to_string(),
        source,
    })?;
    Ok(Some(opened))
}

/// Opens one address for every core; returns where it really listens.
fn open(
    options: &EngineOptions,
    listen: &Listen,
    is_stream: bool,
    doors: &mut [Doors],
) -> Result<SocketAddr, EngineError> {
    let settings = &options.settings;
    let protocols: &[&[u8]] = match (is_stream, listen.http2) {
        (true, _) => &[],
        (false, true) => &[b"h2", b"http/1.1"],
        (false, false) => &[b"http/1.1"],
    };
    let tls = match listen.ssl {
        false => None,
        true => Some(tls::server_config(
            settings,
            Arc::clone(&options.snapshot),
            protocols,
        )?),
    };
    let mut address = listen.address;
    let mut sought = options.sockets.seek(Kind::Tcp, address);
    let cores = doors.len();
    for (core, of_core) in doors.iter_mut().enumerate() {
        let fault = |source| EngineError::Listen { address, source };
        let mut sockets: Vec<std::net::TcpListener> = sought
            .share(core, cores)
            .into_iter()
            .map(Into::into)
            .collect();
        if sockets.is_empty() {
            sockets.push(listener::bind(listen, address).map_err(fault)?);
        }
        // Port 0 is chosen once, then shared by the other cores.
        address = sockets[0].local_addr().map_err(fault)?;
        let map = settings
            .port_maps
            .iter()
            .find(|map| map.internal == address.port());
        let entrance = Entrance {
            tls: tls.clone(),
            offers_http2: listen.http2,
            has_proxy_header: listen.proxy_protocol,
            external_port: map.map(|map| map.external),
            is_stream,
        };
        for socket in sockets {
            options.sockets.keep(Kind::Tcp, address, &socket);
            of_core.connections.push((socket, entrance.clone()));
        }
    }
    Ok(address)
}

/// The same for datagrams.
fn open_datagrams(
    options: &EngineOptions,
    listen: &Listen,
    doors: &mut [Doors],
) -> Result<SocketAddr, EngineError> {
    let mut address = listen.address;
    let mut sought = options.sockets.seek(Kind::Udp, address);
    let cores = doors.len();
    for (core, of_core) in doors.iter_mut().enumerate() {
        let fault = |source| EngineError::Listen { address, source };
        let mut sockets: Vec<std::net::UdpSocket> = sought
            .share(core, cores)
            .into_iter()
            .map(Into::into)
            .collect();
        if sockets.is_empty() {
            sockets.push(stream::bind_udp(listen, address).map_err(fault)?);
        }
        address = sockets[0].local_addr().map_err(fault)?;
        for socket in sockets {
            options.sockets.keep(Kind::Udp, address, &socket);
            of_core.datagrams.push(socket);
        }
    }
    Ok(address)
}

fn run_core(start: CoreStart) {
    // Its tasks stay on this thread, so that waking one is putting it into a queue of the thread's
    // own; a set of local tasks inside another runtime would have to be woken itself as well.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default());
    let done = start.done.clone();
    match runtime {
        Ok(runtime) => runtime.block_on(serve_core(start)),
        Err(error) => tracing::error!(%error, "a core of the data path has no runtime"),
    }
    done.send_modify(|count| *count += 1);
}

async fn serve_core(mut start: CoreStart) {
    let core = Core::new(start.parts);
    tokio::task::spawn_local(Rc::clone(&core.wheel).drive());
    tokio::task::spawn_local(keep_house(Rc::clone(&core)));
    for socket in start.doors.datagrams {
        match tokio::net::UdpSocket::from_std(socket) {
            Ok(socket) => {
                let serving = stream::serve_udp(Rc::clone(&core), socket);
                tokio::task::spawn_local(serving);
            }
            Err(error) => tracing::error!(%error, "a socket for datagrams cannot be used"),
        }
    }
    for (socket, entrance) in start.doors.connections {
        match tokio::net::TcpListener::from_std(socket) {
            Ok(listener) => {
                let accepting = listener::accept(Rc::clone(&core), listener, entrance);
                tokio::task::spawn_local(accepting);
            }
            Err(error) => tracing::error!(%error, "a listening socket cannot be used"),
        }
    }
    // A handle that is gone means the same as `Stopped`.
    let _ = start.phase.wait_for(|phase| *phase != Phase::Running).await;
    core.is_draining.set(true);
    core.drain.notify_waiters();
    // Who is about to send a request on a connection that was idle gets an answer that closes it;
    // closing it under such a client would look like a failure.
    let is_empty = async {
        while core.open.get() > 0 {
            core.emptied.notified().await;
        }
    };
    tokio::select! {
        () = is_empty => {}
        () = tokio::time::sleep(IDLE_GRACE) => {}
        _ = start.phase.wait_for(|phase| *phase == Phase::Stopped) => {}
    }
    core.closes_idle.set(true);
    core.wheel.wake_all();
    let emptied = async {
        while core.open.get() > 0 {
            core.emptied.notified().await;
        }
    };
    tokio::select! {
        () = emptied => {}
        _ = start.phase.wait_for(|phase| *phase == Phase::Stopped) => {}
    }
    core.access_log.flush();
    core.stream_log.flush();
}

/// Once a second: closes idle connections to services that have expired, frees memory that bursts
/// left, hands over log lines.
async fn keep_house(core: Rc<Core>) {
    let mut interval = tokio::time::interval(HOUSEKEEPING);
    loop {
        interval.tick().await;
        let now = core.ticks.now();
        std::future::poll_fn(|cx| {
            core.pool.sweep(now, cx);
            std::task::Poll::Ready(())
        })
        .await;
        core.http2.sweep(now, core.config.pool.idle_timeout);
        core.trim();
        let dropped = core.access_log.flush() + core.stream_log.flush();
        core.counters.log_dropped.add(dropped as u64);
    }
}

impl EngineHandle {
    /// Where the engine listens, in the order of `proxy_listen`; port 0 has become a real one.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The same for `stream_listen`.
    #[must_use]
    pub fn stream_addresses(&self) -> &[SocketAddr] {
        &self.stream_addresses
    }

    /// The counters, summed over the cores.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters::sum(&self.counters)
    }

    /// Takes no new connections and no new requests, lets those under way end for at most
    /// `limit`, then stops.
    pub async fn drain(&self, limit: Duration) {
        self.phase.send_replace(Phase::Draining);
        let mut done = self.done.clone();
        let all = self.counters.len();
        let ended = done.wait_for(|count| *count >= all);
        let is_late = tokio::time::timeout(limit, ended).await.is_err();
        self.phase.send_replace(Phase::Stopped);
        if is_late {
            let _ = done.wait_for(|count| *count >= all).await;
        }
        for thread in self.threads.lock().drain(..) {
            // A thread that panicked has nothing more to tell.
            let _ = thread.join();
        }
    }
}

impl Drop for EngineHandle {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::Stopped);
    }
}
