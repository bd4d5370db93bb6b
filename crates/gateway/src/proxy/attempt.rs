//! Reaching a service: which address, which connection, and what counts as a reason to try again.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use balancer::{Moment, PickState, Picked};
use bytes::Bytes;
use entities::Protocol;
use tokio::net::TcpStream;

use super::core::{Core, Pinned};
use super::link::Link;
use super::relay::Fault;
use crate::dns::DnsError;
use crate::health::Group;
use crate::net::{Idle, PeerKey, Plain, Timer};
use crate::snapshot::{Destination, ServiceEntry};

/// Limit: how long a request waits for names that are asked for the first time.
const FIRST_NAMES_LIMIT: Duration = Duration::from_secs(5);

/// Why no connection to a service could be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReachError {
    /// The balancer has no target that is healthy.
    #[error("failure to get a peer from the ring-balancer")]
    NoPeer,
    /// The name of the service does not resolve.
    #[error("the name `{0}` cannot be resolved: {1}")]
    Name(String, DnsError),
    /// The connection was refused or broke while it was made.
    #[error("the service refused the connection")]
    Refused,
    /// The connection was not made in time.
    #[error("the service did not take the connection in time")]
    Timeout,
}

/// A connection to a service. Boxed wherever it goes: it moves from hand to hand, and into the
/// pool as it is.
pub(crate) struct Reached {
    pub(crate) link: Link,
    key: PeerKey,
    /// Requests it has served.
    requests: u32,
    /// Whether it is a stream of a connection that others use too; it serves one request.
    is_stream: bool,
}

impl Idle for Box<Reached> {
    fn speaks(&mut self, cx: &mut Context<'_>) -> bool {
        self.link.io.is_readable(cx)
    }

    fn served(&self) -> u32 {
        self.requests
    }
}

impl Reached {
    /// Whether the connection comes out of the pool.
    pub(crate) fn is_reused(&self) -> bool {
        self.requests > 0
    }
}

/// The peer chosen for an attempt.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// `Host` value where the target decides it.
    pub(crate) host: Option<Bytes>,
    /// What sticky sessions call it.
    pub(crate) sticky: Option<u32>,
}

impl Peer {
    /// A peer that no balancer chose.
    fn at(address: SocketAddr) -> Self {
        Self {
            address,
            host: None,
            sticky: None,
        }
    }
}

/// What a request remembers from attempt to attempt.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    pub(crate) pick: PickState,
    /// Attempts made that count.
    pub(crate) counted: u32,
    /// When the balancer was asked last, by the core's clock.
    pub(crate) picked_at: u64,
}

/// The peer of a service that has but one, known without waiting.
pub(crate) fn known(service: &ServiceEntry, replaced: Option<&(Bytes, u16)>) -> Option<Peer> {
    match service.destination {
        Destination::Address(address) if replaced.is_none() => Some(Peer::at(address)),
        _ => None,
    }
}

/// Chooses the peer for the next attempt.
pub(crate) async fn choose(
    core: &Core,
    pinned: &Pinned,
    service: &ServiceEntry,
    replaced: Option<&(Bytes, u16)>,
    attempts: &mut Attempts,
) -> Result<Peer, ReachError> {
    if let Some((host, port)) = replaced {
        let host = String::from_utf8_lossy(host);
        return resolve(core, &host, *port).await.map(Peer::at);
    }
    match &service.destination {
        Destination::Address(address) => Ok(Peer::at(*address)),
        Destination::Name => {
            let (host, port) = (&service.service.host, service.service.port);
            resolve(core, host, port).await.map(Peer::at)
        }
        Destination::Upstream(index) => {
            let group = pinned.snapshot.balancers.get(*index);
            let group = group.ok_or(ReachError::NoPeer)?;
            let picked = match pick(core, service, group, attempts) {
                None if group.is_settling() => {
                    // The names of a new upstream are being asked for.
                    let limit = Duration::from_millis(service.service.connect_timeout.into());
                    group.settled(limit.min(FIRST_NAMES_LIMIT)).await;
                    pick(core, service, group, attempts)
                }
                picked => picked,
            };
            let picked = picked.ok_or(ReachError::NoPeer)?;
            Ok(Peer {
                address: picked.socket,
                host: Some(picked.host),
                sticky: picked.sticky,
            })
        }
    }
}

fn pick(
    core: &Core,
    service: &ServiceEntry,
    group: &Group,
    attempts: &mut Attempts,
) -> Option<Picked> {
    attempts.picked_at = core.ticks.recent();
    let moment = Moment {
        is_tls: service.tls.is_some(),
        now: attempts.picked_at,
        unix_ms: match group.starts_slowly() {
            true => core.ticks.unix_micros(attempts.picked_at) / 1000,
            false => 0,
        },
    };
    core.balancing.pick(group, &mut attempts.pick, moment)
}

/// The `Host` value of a target: its port only where it is not the protocol's own.
pub(crate) fn host_value(host: &str, port: u16, is_tls: bool) -> Bytes {
    let default = if is_tls { 443 } else { 80 };
    if port == default {
        return Bytes::copy_from_slice(host.as_bytes());
    }
    Bytes::from(format!("{host}:{port}"))
}

async fn resolve(core: &Core, name: &str, port: u16) -> Result<SocketAddr, ReachError> {
    if let Ok(ip) = name.parse() {
        return Ok(SocketAddr::new(ip, port));
    }
    let now = core.ticks.recent();
    core.resolver
        .resolve(name, port, now)
        .await
        .map_err(|error| ReachError::Name(name.to_owned(), error))
}

/// Takes a connection out of the pool, or opens one.
pub(crate) async fn connect(
    core: &Core,
    service: &ServiceEntry,
    peer: &Peer,
    server_name: &[u8],
    timer: &Timer,
) -> Result<Box<Reached>, ReachError> {
    let key = PeerKey {
        address: peer.address,
        tls: tls_identity(service, server_name),
    };
    if matches!(service.service.protocol, Protocol::Grpc | Protocol::Grpcs) {
        return connect_http2(core, service, key, server_name, timer).await;
    }
    let now = core.ticks.recent();
    let idle = poll_fn(|cx| Poll::Ready(core.pool.take(&key, now, cx))).await;
    if let Some(idle) = idle {
        return Ok(idle);
    }
    let limit = u64::from(service.service.connect_timeout) * 1000;
    timer.arm(core.ticks.now(), limit);
    let opened = within(timer, open(service, peer.address, server_name)).await;
    let io = opened.ok_or(ReachError::Timeout)??;
    core.counters.upstream_connections.add(1);
    Ok(Box::new(Reached {
        link: Link::new(io),
        key,
        requests: 0,
        is_stream: false,
    }))
}

/// Takes a stream of an open connection, or of a fresh one.
async fn connect_http2(
    core: &Core,
    service: &ServiceEntry,
    key: PeerKey,
    server_name: &[u8],
    timer: &Timer,
) -> Result<Box<Reached>, ReachError> {
    let stream = match core.http2.take(&key) {
        Some(stream) => stream,
        None => {
            let limit = u64::from(service.service.connect_timeout) * 1000;
            timer.arm(core.ticks.now(), limit);
            let opening = async {
                let io = open(service, key.address, server_name).await?;
                let opened = core.http2.open(key, io).await;
                opened.map_err(|_| ReachError::Refused)
            };
            let opened = within(timer, opening).await;
            core.counters.upstream_connections.add(1);
            opened.ok_or(ReachError::Timeout)??
        }
    };
    Ok(Box::new(Reached {
        link: Link::new(Box::new(stream)),
        key,
        // A stream that fails says nothing of its connection, which may serve on: as one that
        // was kept and turned out closed it would be tried without end.
        requests: 0,
        is_stream: true,
    }))
}

fn tls_identity(service: &ServiceEntry, server_name: &[u8]) -> u64 {
    let Some(tls) = &service.tls else { return 0 };
    // FNV-1a: keeps connections of different server names apart.
    let name = server_name
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    (name ^ tls.identity.rotate_left(32)) | 1
}

/// Runs a future until the timer expires.
pub(crate) async fn within<T>(timer: &Timer, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    poll_fn(|cx| {
        if let Poll::Ready(value) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(value));
        }
        timer.poll_expired(cx).map(|()| None)
    })
    .await
}

/// Opens a connection to an address, with TLS where the service asks for it.
pub(crate) async fn open(
    service: &ServiceEntry,
    address: SocketAddr,
    server_name: &[u8],
) -> Result<Box<dyn crate::net::Io>, ReachError> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|_| ReachError::Refused)?;
    // Small heads must not wait for an acknowledgement; where it fails nothing breaks.
    let _ = stream.set_nodelay(true);
    let Some(tls) = &service.tls else {
        return Ok(Box::new(Plain(stream)));
    };
    crate::tls::connect(Arc::clone(&tls.config), server_name, stream)
        .await
        .map_err(|_| ReachError::Refused)
}

/// Gives a connection back after a complete exchange, where it may be used again.
pub(crate) fn give_back(core: &Core, mut reached: Box<Reached>) {
    reached.link.reader.release(&core.buffers);
    if reached.is_stream || !reached.link.reader.buffer.is_unallocated() {
        return;
    }
    reached.requests += 1;
    core.pool.give(reached.key, reached, core.ticks.recent());
}

/// Whether a request that failed so may be sent again, given what it is.
///
/// Compat: as the web server below the reference: an error or a timeout leads to the next peer;
/// a request of a method with side effects is not repeated once it was sent.
pub(crate) fn may_repeat(fault: &Fault, method: &[u8]) -> bool {
    let is_repeatable = !matches!(method, b"POST" | b"LOCK" | b"PATCH");
    matches!(fault, Fault::UpstreamClosed | Fault::UpstreamTimeout) && is_repeatable
}

/// The upstream of a service, if it has one.
pub(crate) fn group<'p>(pinned: &'p Pinned, service: &ServiceEntry) -> Option<&'p Arc<Group>> {
    match service.destination {
        Destination::Upstream(index) => pinned.snapshot.balancers.get(index),
        _ => None,
    }
}
