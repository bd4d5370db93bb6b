//! Listening for the node's own surfaces, and the rules that hold for every path of them.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use conf::Listen;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::answer::{Answer, Common, message};
use crate::handover::{Kind, Sockets};

/// Limit: connections of a surface at a time; more wait in the accept queue. These surfaces are
/// for operators and probes, not for traffic.
const CONNECTIONS_MAX: usize = 256;

/// Limit: how long a client may take to send a head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Limit: how long a client may take for the handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Limit: how long open connections may go on after the end was asked for.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);

/// Limit: bytes of one request that are dropped after its answer.
const DROPPED_MAX: usize = 256 << 20;

/// Limit: how long a request may go on after its answer.
const DROP_TIME: Duration = Duration::from_secs(30);

/// Why a surface does not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be bound.
    #[error(
        "cannot listen on `{address}` for the {surface}; choose another address or end what uses it"
    )]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// Which surface.
        surface: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The body of an answer.
pub type AnswerBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// An answer on its way.
pub type HandlerFuture<'a> = Pin<Box<dyn Future<Output = Response<AnswerBody>> + Send + 'a>>;

/// What answers the requests of some listeners.
pub trait Handler: Send + Sync + 'static {
    /// What it is called in messages.
    fn name(&self) -> &'static str;

    /// Answers one request. Whatever happens there is an answer.
    fn handle(&self, request: Request<Incoming>) -> HandlerFuture<'_>;
}

/// One request with its whole body.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Bytes,
    /// Whether the caller is on this machine.
    pub(crate) is_local: bool,
}

/// Goes with each request: whether its connection comes from this machine.
#[derive(Clone, Copy)]
struct IsLocal(bool);

/// A future that may change threads.
pub(crate) type AnswerFuture<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// A set of paths with verbs.
pub(crate) trait Surface: Send + Sync + 'static {
    /// What it is called in messages.
    fn name(&self) -> &'static str;

    /// The verbs of a path (without trailing slash), sorted, with `HEAD` and `OPTIONS`; `None`
    /// for an unknown path.
    fn verbs(&self, path: &str) -> Option<&'static [&'static str]>;

    /// Limit: bytes of a body.
    fn body_max(&self) -> usize;

    /// Answers a known path and verb; `HEAD` arrives as `GET`.
    fn answer(&self, call: Call) -> AnswerFuture<'_>;
}

/// What every answer shows.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) server: Option<http::HeaderValue>,
    pub(crate) shows_latency: bool,
}

/// A surface as the handler of listeners.
pub(crate) struct Paths<S> {
    surface: S,
    shown: Shown,
}

impl<S: Surface> Paths<S> {
    pub(crate) const fn new(surface: S, shown: Shown) -> Self {
        Self { surface, shown }
    }
}

impl<S: Surface> Handler for Paths<S> {
    fn name(&self) -> &'static str {
        self.surface.name()
    }

    fn handle(&self, request: Request<Incoming>) -> HandlerFuture<'_> {
        Box::pin(respond(self, request))
    }
}

/// The listeners of one surface.
#[derive(Debug)]
pub(crate) struct Server {
    addresses: Vec<SocketAddr>,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Server {
    /// Binds every listener and serves until [`Server::stop`]. Listeners with `ssl` use `tls`.
    ///
    /// # Errors
    ///
    /// Names the address that cannot be bound; none of the others stays bound then.
    pub(crate) async fn start(
        listens: &[Listen],
        handler: Arc<dyn Handler>,
        tls: Option<&Arc<rustls::ServerConfig>>,
        sockets: &Sockets,
    ) -> Result<Self, ServeError> {
        let (stop, stopped) = watch::channel(false);
        let mut server = Self {
            addresses: Vec::new(),
            tasks: JoinSet::new(),
            stop,
        };
        for listen in listens {
            let bound = open(listen, sockets).map_err(|source| ServeError::Bind {
                address: listen.address,
                surface: handler.name(),
                source,
            })?;
            let address = bound.first().and_then(|bound| bound.local_addr().ok());
            let address = address.unwrap_or(listen.address);
            server.addresses.push(address);
            let tls = tls.filter(|_| listen.ssl).map(|tls| speaking(tls, listen));
            for bound in bound {
                sockets.keep(Kind::Tcp, address, &bound);
                let (tls, handler) = (tls.clone(), Arc::clone(&handler));
                server
                    .tasks
                    .spawn(accept(bound, tls, handler, stopped.clone()));
            }
        }
        Ok(server)
    }

    /// Where it listens, in the order of the setting.
    #[must_use]
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops accepting, lets open requests end for a moment, and returns.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        drop(tokio::time::timeout(DRAIN_TIMEOUT + Duration::from_secs(1), all).await);
    }
}

/// The sockets of a listener: those of a predecessor, or one of its own.
fn open(listen: &Listen, sockets: &Sockets) -> io::Result<Vec<TcpListener>> {
    let inherited = sockets.seek(Kind::Tcp, listen.address).share(0, 1);
    let mut bound: Vec<std::net::TcpListener> = inherited.into_iter().map(Into::into).collect();
    if bound.is_empty() {
        let own = std::net::TcpListener::bind(listen.address)?;
        own.set_nonblocking(true)?;
        bound.push(own);
    }
    bound.into_iter().map(TcpListener::from_std).collect()
}

/// TLS with the protocols of a listener.
fn speaking(tls: &Arc<rustls::ServerConfig>, listen: &Listen) -> Arc<rustls::ServerConfig> {
    if !listen.http2 {
        return Arc::clone(tls);
    }
    let mut config = rustls::ServerConfig::clone(tls);
    config.alpn_protocols.insert(0, b"h2".to_vec());
    Arc::new(config)
}

async fn accept(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    handler: Arc<dyn Handler>,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let place = Arc::clone(&places).acquire_owned();
        let next = async { (place.await, listener.accept().await) };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = until(&mut stopped) => break,
        };
        while connections.try_join_next().is_some() {}
        let Ok((stream, peer)) = accepted else {
            // The system is out of descriptors; trying again at once would burn the core.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let is_local = IsLocal(peer.ip().to_canonical().is_loopback());
        let handler = (Arc::clone(&handler), is_local);
        let (tls, stopped) = (tls.clone(), stopped.clone());
        connections.spawn(async move {
            let _place = place;
            match tls {
                None => connection(stream, handler, stopped).await,
                Some(config) => {
                    let handshake = TlsAcceptor::from(config).accept(stream);
                    let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await;
                    if let Ok(Ok(stream)) = handshake {
                        connection(stream, handler, stopped).await;
                    }
                }
            }
        });
    }
    let all = async { while connections.join_next().await.is_some() {} };
    drop(tokio::time::timeout(DRAIN_TIMEOUT, all).await);
}

async fn connection<S>(
    stream: S,
    (handler, is_local): (Arc<dyn Handler>, IsLocal),
    mut stopped: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .title_case_headers(true)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let handler = Arc::clone(&handler);
        request.extensions_mut().insert(is_local);
        async move { Ok::<_, Infallible>(handler.handle(request).await) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = until(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
}

/// Waits for the end; a server that is gone counts as its end.
async fn until(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stopped| *stopped).await);
}

async fn respond<S: Surface>(paths: &Paths<S>, request: Request<Incoming>) -> Response<AnswerBody> {
    let start = Instant::now();
    let (head, mut body) = request.into_parts();
    let answer = match refusal(&paths.surface, &head) {
        // Whoever waits for `100 Continue` sends no body after this.
        Some(answer) if head.headers.contains_key(header::EXPECT) => answer,
        Some(answer) => {
            let_it_end(body);
            answer
        }
        None => {
            let answer = dispatch(&paths.surface, head, &mut body).await;
            let_it_end(body);
            answer
        }
    };
    let common = Common {
        server: paths.shown.server.clone(),
        shows_latency: paths.shown.shows_latency,
        latency_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    answer.finish(&common)
}

/// The answer to what needs no body to be answered.
fn refusal(surface: &dyn Surface, head: &Parts) -> Option<Answer> {
    let Some(verbs) = surface.verbs(without_trailing_slash(head.uri.path())) else {
        return Some(message(StatusCode::NOT_FOUND, "Not found"));
    };
    if head.method == Method::OPTIONS {
        return Some(Answer::options(verbs, &head.headers));
    }
    if !verbs.contains(&head.method.as_str()) {
        return Some(message(
            StatusCode::METHOD_NOT_ALLOWED,
            "Method not allowed",
        ));
    }
    None
}

async fn dispatch(surface: &dyn Surface, head: Parts, body: &mut Incoming) -> Answer {
    let body = match Limited::new(body, surface.body_max()).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let text = format!(
                "the body is over the limit of {} bytes; send less",
                surface.body_max()
            );
            return message(StatusCode::PAYLOAD_TOO_LARGE, &text);
        }
        Err(_) => return message(StatusCode::BAD_REQUEST, "the body could not be read"),
    };
    let is_head = head.method == Method::HEAD;
    let call = Call {
        method: if is_head { Method::GET } else { head.method },
        path: without_trailing_slash(head.uri.path()).to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        body,
        is_local: head.extensions.get::<IsLocal>().is_some_and(|own| own.0),
    };
    surface.answer(call).await
}

/// Reads and drops what still comes of a request that is answered, within limits. A server that
/// closes with bytes unread resets the connection, and the client never sees the answer.
fn let_it_end(mut body: Incoming) {
    if body.is_end_stream() {
        return;
    }
    let all = async move {
        let mut left = DROPPED_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    tokio::spawn(async move { drop(tokio::time::timeout(DROP_TIME, all).await) });
}

fn without_trailing_slash(path: &str) -> &str {
    let is_root = path == "/";
    if is_root {
        path
    } else {
        path.strip_suffix('/').unwrap_or(path)
    }
}
