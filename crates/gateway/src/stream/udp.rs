//! Datagrams: those of one client address are a session, which has one target and one socket
//! towards it, so that answers find their way back.
//!
//! A datagram that finds no room anywhere is dropped and counted, as the network would. With a
//! listener on all addresses the address that a datagram was sent to is not known.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::task::{Context, Poll};

use conf::Listen;
use router::StreamProtocol;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::log::{Ended, Status, note};
use super::reach::{self, Held};
use super::routing;
use crate::net::Timer;
use crate::proxy::connection::Connection;
use crate::proxy::core::Core;
use crate::proxy::listener::Guard;

/// Largest datagram.
const MAX_DATAGRAM: usize = 65_535;
/// Most sessions of one listener and core.
pub(crate) const MAX_SESSIONS: usize = 16_384;
/// Datagrams that wait while a target is chosen.
const MAX_WAITING: usize = 16;
/// Datagrams taken in one turn, so that others get theirs.
const MAX_TURN: usize = 64;
/// How long a session may be silent once the core drains, in microseconds.
const DRAIN_IDLE: u64 = 1_000_000;
/// Bytes of answers and requests that may wait in a listening socket.
const SOCKET_BUFFER: usize = 1024 * 1024;

/// Opens the socket of one core for an address.
pub(crate) fn bind(listen: &Listen, address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    if let (Some(only), SocketAddr::V6(_)) = (listen.ipv6only, address) {
        socket.set_only_v6(only)?;
    }
    // The system grants what it allows.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// A listening socket and the sessions that came in over it.
struct Door {
    core: Rc<Core>,
    socket: UdpSocket,
    local: SocketAddr,
    sessions: RefCell<HashMap<SocketAddr, Rc<Session>>>,
    scratch: RefCell<Vec<u8>>,
    number: Cell<u64>,
}

/// The datagrams of one client.
#[derive(Default)]
struct Session {
    /// Towards the target, once it is chosen.
    socket: RefCell<Option<Rc<UdpSocket>>>,
    waiting: RefCell<Vec<Vec<u8>>>,
    /// Whether something came since the timer was armed.
    has_moved: Cell<bool>,
    received: Cell<u64>,
}

/// Takes datagrams until the core drains.
pub(crate) async fn serve(core: Rc<Core>, socket: UdpSocket) {
    let Ok(local) = socket.local_addr() else {
        return;
    };
    let drain = Rc::clone(&core.drain);
    let door = Rc::new(Door {
        core,
        socket,
        local,
        sessions: RefCell::default(),
        scratch: RefCell::new(vec![0; MAX_DATAGRAM]),
        number: Cell::new(0),
    });
    while !door.core.is_draining.get() {
        tokio::select! {
            ready = door.socket.readable() => {
                if let Err(error) = ready {
                    tracing::error!(%error, "a socket for datagrams failed; it takes no more");
                    return;
                }
                door.take_turn();
                tokio::task::yield_now().await;
            }
            () = drain.notified() => {}
        }
    }
}

impl Door {
    fn take_turn(self: &Rc<Self>) {
        let mut scratch = self.scratch.borrow_mut();
        for _ in 0..MAX_TURN {
            match self.socket.try_recv_from(&mut scratch) {
                Ok((count, peer)) => self.take(peer, &scratch[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // What the network says of an earlier answer.
                Err(_) => {}
            }
        }
    }

    fn take(self: &Rc<Self>, peer: SocketAddr, datagram: &[u8]) {
        let known = self.sessions.borrow().get(&peer).cloned();
        let session = match known {
            Some(session) => session,
            None => match self.begin(peer) {
                Some(session) => session,
                None => return self.core.counters.datagrams_dropped.add(1),
            },
        };
        if !session.take(datagram) {
            self.core.counters.datagrams_dropped.add(1);
        }
    }

    /// Begins a session; `None` where there are too many.
    fn begin(self: &Rc<Self>, peer: SocketAddr) -> Option<Rc<Session>> {
        let core = &self.core;
        let mut sessions = self.sessions.borrow_mut();
        if sessions.len() >= MAX_SESSIONS || core.open.get() >= core.config.max_connections {
            return None;
        }
        let session = Rc::<Session>::default();
        sessions.insert(peer, Rc::clone(&session));
        self.number.set(self.number.get() + 1);
        let guard = Guard::new(core);
        let living = run(Rc::clone(self), guard, Rc::clone(&session), peer);
        tokio::task::spawn_local(living);
        Some(session)
    }
}

impl Session {
    /// Sends a datagram on, or keeps it until there is a target; false where it is dropped.
    fn take(&self, datagram: &[u8]) -> bool {
        self.has_moved.set(true);
        self.received
            .set(self.received.get() + datagram.len() as u64);
        if let Some(socket) = &*self.socket.borrow() {
            return socket.try_send(datagram).is_ok();
        }
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= MAX_WAITING {
            return false;
        }
        waiting.push(datagram.to_vec());
        true
    }
}

/// Lives as long as the session.
async fn run(door: Rc<Door>, guard: Guard, session: Rc<Session>, peer: SocketAddr) {
    let core = guard.core();
    let mut ended = Ended {
        client: peer.ip().to_canonical(),
        protocol: "UDP",
        status: Status::Done,
        sent: 0,
        received: 0,
        began: core.ticks.now(),
    };
    match Box::pin(open(&door, &session, peer)).await {
        Ok((socket, held, limit)) => {
            let limits = (limit, &mut ended.sent);
            let answered = answers(&door, &session, &socket, peer, limits).await;
            ended.status = answered.err().unwrap_or(Status::Done);
            drop(held);
        }
        Err(status) => ended.status = status,
    }
    door.sessions.borrow_mut().remove(&peer);
    ended.received = session.received.get();
    note(&core, &ended);
}

/// Chooses a target and sends what waits.
async fn open(
    door: &Door,
    session: &Session,
    peer: SocketAddr,
) -> Result<(Rc<UdpSocket>, Held, u64), Status> {
    let core = &door.core;
    let client = Connection::client_info(peer, door.local, None, false, door.number.get());
    let connection = Connection::new(client, door.local.port(), false);
    let pinned = core.pinned();
    let index = routing::find(&pinned, &connection, StreamProtocol::Udp).ok_or(Status::NoRoute)?;
    let taken = routing::take(core, pinned, &connection, index)?;
    let mut held = reach::begin(&taken, &connection);
    let target = reach::choose(core, &taken, &mut held)
        .await
        .map_err(|_| Status::Unreachable)?;
    let socket = towards(target.address)
        .await
        .map_err(|_| Status::Unreachable)?;
    let socket = Rc::new(socket);
    for datagram in session.waiting.take() {
        if socket.try_send(&datagram).is_err() {
            core.counters.datagrams_dropped.add(1);
        }
    }
    *session.socket.borrow_mut() = Some(Rc::clone(&socket));
    let service = &taken.service.service;
    let limit = u64::from(service.read_timeout) * 1000;
    Ok((socket, held, limit))
}

async fn towards(target: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match target {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(target).await?;
    // Without this the first send may find the socket not known to be writable.
    socket.writable().await?;
    Ok(socket)
}

/// Carries answers back until nothing moved for a while, or nobody listens there any more: then the
/// next datagram begins a session with another target.
async fn answers(
    door: &Door,
    session: &Session,
    socket: &UdpSocket,
    peer: SocketAddr,
    (limit, sent): (u64, &mut u64),
) -> Result<(), Status> {
    let core = &door.core;
    let timer = core.wheel.timer();
    timer.arm(core.ticks.now(), limit);
    let mut idle = Idle {
        limit,
        is_hurried: false,
    };
    loop {
        let idling = poll_fn(|cx| idle.poll(cx, core, session, &timer));
        let ready = tokio::select! {
            ready = socket.ready(Interest::READABLE | Interest::ERROR) => ready,
            () = idling => return Ok(()),
        };
        if ready.map_or(true, |ready| ready.is_error()) {
            return Err(Status::Unreachable);
        }
        pass_answers(door, socket, peer, sent);
        session.has_moved.set(true);
        tokio::task::yield_now().await;
    }
}

/// Passes on what has come.
fn pass_answers(door: &Door, socket: &UdpSocket, peer: SocketAddr, sent: &mut u64) {
    let mut scratch = door.scratch.borrow_mut();
    for _ in 0..MAX_TURN {
        let Ok(count) = socket.try_recv(&mut scratch) else {
            return;
        };
        match door.socket.try_send_to(&scratch[..count], peer) {
            Ok(count) => *sent += count as u64,
            Err(_) => door.core.counters.datagrams_dropped.add(1),
        }
    }
}

/// How long a session may be silent.
struct Idle {
    limit: u64,
    /// Whether the core drains, which makes it short.
    is_hurried: bool,
}

impl Idle {
    fn poll(
        &mut self,
        cx: &Context<'_>,
        core: &Core,
        session: &Session,
        timer: &Timer,
    ) -> Poll<()> {
        if core.is_draining.get() && !self.is_hurried {
            self.is_hurried = true;
            self.limit = self.limit.min(DRAIN_IDLE);
            timer.arm(core.ticks.now(), self.limit);
        }
        while timer.poll_expired(cx).is_ready() {
            if !session.has_moved.take() {
                return Poll::Ready(());
            }
            timer.arm(core.ticks.now(), self.limit);
        }
        Poll::Pending
    }
}
