//! Listening sockets, one per core and address, and what happens to a connection before its first
//! request.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use conf::{Keepalive, Listen};
use rustls::{ServerConfig, ServerConnection};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use super::connection::Connection;
use super::core::Core;
use super::proxy_header;
use super::server::{self, Session};
use crate::net::{Io, Plain};
use crate::stream;
use crate::tls::TlsStream;

/// Length of the accept queue where the setting names none.
const BACKLOG: i32 = 4096;
/// Most connections of one core where the setting says `auto`.
pub(crate) const MAX_CONNECTIONS: usize = 65_536;
/// Pause before a half-received PROXY header is looked at again.
const PAUSE: Duration = Duration::from_millis(5);
/// How long accepting rests when the process has run out of descriptors.
const REST: Duration = Duration::from_millis(50);

/// A listener as the cores share it.
#[derive(Clone)]
pub(crate) struct Entrance {
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) offers_http2: bool,
    /// Whether connections begin with a PROXY header.
    pub(crate) has_proxy_header: bool,
    /// The port clients see, where it differs from the one listened on.
    pub(crate) external_port: Option<u16>,
    /// Whether connections are passed on as they are.
    pub(crate) is_stream: bool,
}

/// Opens a socket for an address: of one core, or of a surface.
pub(crate) fn bind(listen: &Listen, address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    if let (Some(only), SocketAddr::V6(_)) = (listen.ipv6only, address) {
        socket.set_only_v6(only)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let backlog = listen
        .backlog
        .and_then(|backlog| i32::try_from(backlog).ok());
    socket.listen(backlog.unwrap_or(BACKLOG))?;
    match &listen.so_keepalive {
        Some(Keepalive::On) => socket.set_keepalive(true)?,
        Some(Keepalive::Times { .. }) => socket.set_tcp_keepalive(&TcpKeepalive::new())?,
        Some(Keepalive::Off) | None => {}
    }
    Ok(socket.into())
}

/// Takes connections until the core drains.
pub(crate) async fn accept(core: Rc<Core>, listener: TcpListener, entrance: Entrance) {
    let entrance = Rc::new(entrance);
    let number = Cell::new(0);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = core.drain.notified() => return,
        };
        match accepted {
            Ok((connection, peer)) => {
                core.counters.accepted.add(1);
                if core.open.get() >= core.config.max_connections {
                    core.counters.connections_refused.add(1);
                    continue;
                }
                number.set(number.get() + 1);
                let guard = Guard::new(&core);
                let (entrance, number) = (Rc::clone(&entrance), number.get());
                if entrance.is_stream {
                    tokio::task::spawn_local(stream::serve(
                        guard, connection, peer, entrance, number,
                    ));
                } else {
                    tokio::task::spawn_local(run(guard, connection, peer, entrance, number));
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "connections cannot be accepted; is the limit of open files too low?");
                tokio::time::sleep(REST).await;
            }
        }
        // What was accepted is served; what was not, a successor accepts.
        if core.is_draining.get() {
            return;
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

/// Counts a connection while it lives, and a panic that ends it.
pub(crate) struct Guard(Rc<Core>);

impl Guard {
    /// The core that counts it.
    pub(crate) fn core(&self) -> Rc<Core> {
        Rc::clone(&self.0)
    }

    pub(crate) fn new(core: &Rc<Core>) -> Self {
        core.counters.handled.add(1);
        core.counters.active.add(1);
        core.open.set(core.open.get() + 1);
        Self(Rc::clone(core))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.counters.active.sub(1);
        self.0.open.set(self.0.open.get() - 1);
        if std::thread::panicking() {
            self.0.counters.panics.add(1);
        }
        if self.0.open.get() == 0 {
            self.0.emptied.notify_one();
        }
    }
}

/// Serves a connection. What its beginning needs is boxed, and gone when its first request comes:
/// an idle connection is to be small.
async fn run(
    guard: Guard,
    stream: TcpStream,
    peer: SocketAddr,
    entrance: Rc<Entrance>,
    number: u64,
) {
    let core = Rc::clone(&guard.0);
    let opened = Box::pin(open(core, stream, peer, Rc::clone(&entrance), number)).await;
    let Some((session, is_http2)) = opened else {
        return;
    };
    if is_http2 {
        Box::pin(session.serve_http2(Vec::new())).await;
    } else {
        let is_plain_http2 = entrance.offers_http2 && entrance.tls.is_none();
        server::serve(session, is_plain_http2).await;
    }
}

/// Reads what stands before the first request: the PROXY header and the TLS handshake, as far as
/// the listener has them. Tells whether HTTP/2 was agreed on.
async fn open(
    core: Rc<Core>,
    mut stream: TcpStream,
    mut peer: SocketAddr,
    entrance: Rc<Entrance>,
    number: u64,
) -> Option<(Box<Session>, bool)> {
    let local = stream.local_addr().ok()?;
    // Answers must not wait for acknowledgements; where it fails nothing breaks.
    let _ = SockRef::from(&stream).set_tcp_nodelay(true);
    core.ticks.now();
    let is_trusted = core.config.trusts(peer.ip().to_canonical());
    if entrance.has_proxy_header {
        let source = read_proxy_header(&core, &mut stream).await?;
        // Compat: the address counts only for `real_ip_header = proxy_protocol` and trusted peers.
        let is_believed = core.config.real_ip_header.is_none() && is_trusted;
        peer = source.filter(|_| is_believed).unwrap_or(peer);
    }
    let io: Box<dyn Io>;
    let mut server_name = None;
    let mut is_http2 = false;
    match &entrance.tls {
        None => io = Box::new(Plain(stream)),
        Some(config) => {
            let Some(tls) = shake_hands(&core, stream, Arc::clone(config)).await else {
                core.counters.handshake_failures.add(1);
                return None;
            };
            is_http2 = tls.session().alpn_protocol() == Some(b"h2");
            if let rustls::Connection::Server(session) = tls.session() {
                server_name = session.server_name().map(str::to_owned);
            }
            io = Box::new(tls);
        }
    }
    let is_tls = entrance.tls.is_some();
    let name = server_name.as_deref();
    let client = Connection::client_info(peer, local, name, is_tls, number);
    let port = entrance.external_port.unwrap_or_else(|| local.port());
    let connection = Connection::new(client, port, is_trusted);
    Some((Session::new(core, io, connection), is_http2))
}

/// Reads the header; the outer `None` means that the connection is to be closed.
pub(crate) async fn read_proxy_header(
    core: &Core,
    stream: &mut TcpStream,
) -> Option<Option<SocketAddr>> {
    let limit = Duration::from_micros(core.config.header_timeout);
    let read = async {
        let mut bytes = [0; proxy_header::MAX_LENGTH];
        loop {
            // Looked at without taking it: what follows belongs to TLS or HTTP.
            let count = stream
                .peek(&mut bytes)
                .await
                .ok()
                .filter(|count| *count > 0)?;
            match proxy_header::parse(&bytes[..count]).ok()? {
                Some(header) => {
                    stream.read_exact(&mut bytes[..header.length]).await.ok()?;
                    return Some(header.source);
                }
                // The rest is on its way.
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    tokio::time::timeout(limit, read).await.ok().flatten()
}

async fn shake_hands(
    core: &Core,
    stream: TcpStream,
    config: Arc<ServerConfig>,
) -> Option<TlsStream> {
    let session = ServerConnection::new(config).ok()?;
    let mut tls = TlsStream::new(Plain(stream), session.into());
    finish_handshake(core, &mut tls).await.then_some(tls)
}

/// Drives a handshake to its end; false when it fails or takes too long.
pub(crate) async fn finish_handshake(core: &Core, tls: &mut TlsStream) -> bool {
    let timer = core.wheel.timer();
    timer.arm(core.ticks.recent(), core.config.header_timeout);
    poll_fn(|cx| match tls.poll_handshake(cx) {
        Poll::Ready(done) => Poll::Ready(done.is_ok()),
        Poll::Pending => timer.poll_expired(cx).map(|()| false),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of what a function of a connection keeps while it waits.
    fn size_of_future<A, B, C, D, E, F>(_: impl Fn(A, B, C, D, E) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_is_small() {
        let task = size_of_future(run);
        let session = size_of::<Session>();
        assert!(
            task <= 512 && session <= 768,
            "a task of {task} and a session of {session} bytes"
        );
    }
}
