//! A TCP connection of layer 4 from its first byte to its last.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use router::StreamProtocol;
use rustls::{ServerConfig, ServerConnection};
use socket2::SockRef;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::hello::{self, Hello};
use super::log::{Ended, Status, note};
use super::reach::{self, Held};
use super::routing::{self, Taken};
use crate::net::{Io, Plain};
use crate::proxy::connection::Connection;
use crate::proxy::core::Core;
use crate::proxy::link::Link;
use crate::proxy::listener::{self, Entrance, Guard};
use crate::proxy::tunnel;
use crate::tls::TlsStream;

/// Serves a connection.
pub(crate) async fn serve(
    guard: Guard,
    stream: TcpStream,
    peer: SocketAddr,
    entrance: Rc<Entrance>,
    number: u64,
) {
    let core = guard.core();
    core.counters.stream_connections.add(1);
    let mut ended = Ended {
        client: peer.ip().to_canonical(),
        protocol: "TCP",
        status: Status::Done,
        sent: 0,
        received: 0,
        began: core.ticks.now(),
    };
    let served = run(&core, stream, peer, &entrance, number, &mut ended).await;
    ended.status = served.err().unwrap_or(Status::Done);
    note(&core, &ended);
}

async fn run(
    core: &Rc<Core>,
    stream: TcpStream,
    peer: SocketAddr,
    entrance: &Entrance,
    number: u64,
    ended: &mut Ended,
) -> Result<(), Status> {
    // The beginning needs memory that the rest does not.
    let opened = Box::pin(open(core, stream, peer, entrance, number, ended)).await?;
    let (client, upstream, held, limit) = opened;
    let mut client = Link::new(client);
    let mut upstream = Link::new(upstream);
    let timer = core.wheel.timer();
    let (down, up) = tunnel::run(core, &mut client, &mut upstream, &timer, limit).await;
    drop(held);
    ended.sent += down;
    ended.received += up;
    client.reader.release(&core.buffers);
    upstream.reader.release(&core.buffers);
    Ok(())
}

/// Both ends, the hold on the target and how long nothing may move, in microseconds.
type Opened = (Box<dyn Io>, Box<dyn Io>, Held, u64);

/// Everything until bytes pass.
async fn open(
    core: &Rc<Core>,
    mut stream: TcpStream,
    mut peer: SocketAddr,
    entrance: &Entrance,
    number: u64,
    ended: &mut Ended,
) -> Result<Opened, Status> {
    let local = stream.local_addr().map_err(|_| Status::BadBeginning)?;
    // Small pieces must not wait for acknowledgements; where it fails nothing breaks.
    let _ = SockRef::from(&stream).set_tcp_nodelay(true);
    if entrance.has_proxy_header {
        let source = listener::read_proxy_header(core, &mut stream)
            .await
            .ok_or(Status::BadBeginning)?;
        // Compat: the address counts for trusted peers, whatever `real_ip_header` says.
        let is_trusted = core.config.trusts(peer.ip().to_canonical());
        peer = source.filter(|_| is_trusted).unwrap_or(peer);
        ended.client = peer.ip().to_canonical();
    }
    let client = |name: Option<&str>, is_tls| {
        let client = Connection::client_info(peer, local, name, is_tls, number);
        Connection::new(client, local.port(), false)
    };
    let Some(config) = &entrance.tls else {
        let connection = client(None, false);
        let taken = find(core, &connection, &[StreamProtocol::Tcp])?.0;
        return pass_on(
            core,
            Box::new(Plain(stream)),
            &connection,
            taken,
            Vec::new(),
        )
        .await;
    };
    let (hello, front) = read_hello(core, &mut stream).await?;
    let connection = client(hello.server_name.as_deref(), true);
    let both = [StreamProtocol::TlsPassthrough, StreamProtocol::Tls];
    let (taken, protocol) = find(core, &connection, &both)?;
    if protocol == StreamProtocol::TlsPassthrough {
        ended.received += front.len() as u64;
        return pass_on(core, Box::new(Plain(stream)), &connection, taken, front).await;
    }
    let tls = end_tls(core, stream, Arc::clone(config), &front).await;
    let tls = tls.ok_or_else(|| {
        core.counters.handshake_failures.add(1);
        Status::BadBeginning
    })?;
    pass_on(core, Box::new(tls), &connection, taken, Vec::new()).await
}

fn find(
    core: &Core,
    connection: &Connection,
    protocols: &[StreamProtocol],
) -> Result<(Taken, StreamProtocol), Status> {
    let pinned = core.pinned();
    let found = protocols
        .iter()
        .find_map(|protocol| Some((routing::find(&pinned, connection, *protocol)?, *protocol)));
    let (index, protocol) = found.ok_or(Status::NoRoute)?;
    Ok((routing::take(core, pinned, connection, index)?, protocol))
}

/// Connects to a target and sends what was read already.
async fn pass_on(
    core: &Core,
    client: Box<dyn Io>,
    connection: &Connection,
    taken: Taken,
    mut front: Vec<u8>,
) -> Result<Opened, Status> {
    let timer = core.wheel.timer();
    let mut held = reach::begin(&taken, connection);
    let name = connection.client.server_name.as_deref();
    let upstream = reach::connect(core, &taken, &mut held, name, &timer)
        .await
        .map_err(|_| Status::Unreachable)?;
    let service = &taken.service.service;
    let mut link = Link::new(upstream);
    if !front.is_empty() {
        link.sender.begin(&mut front, false);
        timer.arm(core.ticks.now(), u64::from(service.write_timeout) * 1000);
        let sent = std::future::poll_fn(|cx| match link.poll_push(cx, &[], None) {
            std::task::Poll::Ready(sent) => std::task::Poll::Ready(sent.is_ok()),
            std::task::Poll::Pending => timer.poll_expired(cx).map(|()| false),
        });
        if !sent.await {
            return Err(Status::Unreachable);
        }
    }
    let limit = u64::from(service.read_timeout.max(service.write_timeout)) * 1000;
    Ok((client, link.io, held, limit))
}

/// Reads the client's first message of TLS, and gives the bytes that were taken for it.
async fn read_hello(core: &Core, stream: &mut TcpStream) -> Result<(Hello, Vec<u8>), Status> {
    let limit = Duration::from_micros(core.config.header_timeout);
    let read = async {
        let mut front = Vec::with_capacity(2048);
        loop {
            if let Some(hello) = hello::read(&front).ok()? {
                return Some((hello, front));
            }
            if front.len() == front.capacity() {
                front.reserve(2048);
            }
            let taken = stream.read_buf(&mut front).await.ok()?;
            if taken == 0 {
                return None;
            }
        }
    };
    let read = tokio::time::timeout(limit, read).await;
    read.ok().flatten().ok_or(Status::BadBeginning)
}

/// Ends TLS here; `front` was read already.
async fn end_tls(
    core: &Core,
    stream: TcpStream,
    config: Arc<ServerConfig>,
    mut front: &[u8],
) -> Option<TlsStream> {
    let mut session = ServerConnection::new(config).ok()?;
    let mut is_good = true;
    while !front.is_empty() && is_good {
        let taken = session.read_tls(&mut front);
        is_good = taken.is_ok_and(|count| count > 0) && session.process_new_packets().is_ok();
    }
    let mut tls = TlsStream::new(Plain(stream), session.into());
    // A session that failed still has an alert to send; the handshake then fails too.
    let is_done = listener::finish_handshake(core, &mut tls).await;
    (is_done && is_good).then_some(tls)
}
