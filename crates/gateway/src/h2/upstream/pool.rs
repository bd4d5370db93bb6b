//! Connections to services that speak HTTP/2, per core, shared by the requests under way.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::client::{Builder, SendRequest};

use super::stream::Http2Stream;
use crate::h2::stream::IoStream;
use crate::net::{Io, PeerKey};

/// Most requests of one connection at a time; a peer that says less is believed.
const MAX_STREAMS: usize = 100;
/// Most connections of a core to one peer.
const MAX_CONNECTIONS: usize = 64;
/// Bytes that a service may send ahead on one stream.
const STREAM_WINDOW: u32 = 256 * 1024;
/// Bytes that a service may send ahead on a connection.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Bytes of a request that may wait inside a connection.
const SEND_BUFFER: usize = 256 * 1024;
/// Largest head of an answer, and largest trailer section, in bytes.
const MAX_HEAD: u32 = 64 * 1024;

/// The connections of a core.
#[derive(Default)]
pub(crate) struct Http2Pool {
    peers: RefCell<HashMap<PeerKey, Vec<Shared>>>,
}

/// A connection.
struct Shared {
    sender: SendRequest<Bytes>,
    load: Rc<Load>,
    unused_since: Cell<u64>,
}

/// What the users of a connection and its keeper tell each other.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Requests under way.
    pub(super) streams: Cell<usize>,
    is_gone: Cell<bool>,
}

impl Shared {
    fn stream(&self, is_tls: bool) -> Http2Stream {
        Http2Stream::new(self.sender.clone(), Rc::clone(&self.load), is_tls)
    }

    /// Whether another request may begin. A service that has announced the end of a connection
    /// answers what is under way on it and takes nothing more.
    fn has_room(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(Err(_)) = self.sender.poll_ready(&mut cx) {
            self.load.is_gone.set(true);
        }
        let most = self.sender.current_max_send_streams().min(MAX_STREAMS);
        !self.load.is_gone.get() && self.load.streams.get() < most
    }
}

impl Http2Pool {
    /// A stream of a connection that is open and has room.
    pub(crate) fn take(&self, key: &PeerKey) -> Option<Http2Stream> {
        let mut peers = self.peers.borrow_mut();
        let connections = peers.get_mut(key)?;
        let position = connections.iter_mut().position(Shared::has_room)?;
        Some(connections[position].stream(key.tls != 0))
    }

    /// Opens a connection over `io` and gives its first stream.
    pub(crate) async fn open(
        self: &Rc<Self>,
        key: PeerKey,
        io: Box<dyn Io>,
    ) -> Result<Http2Stream, h2::Error> {
        let mut builder = Builder::new();
        builder
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buffer_size(SEND_BUFFER)
            .max_header_list_size(MAX_HEAD);
        let (sender, connection) = builder.handshake(IoStream::new(io, Vec::new())).await?;
        let load = Rc::<Load>::default();
        let shared = Shared {
            sender,
            load: Rc::clone(&load),
            unused_since: Cell::new(0),
        };
        let stream = shared.stream(key.tls != 0);
        let mut peers = self.peers.borrow_mut();
        let connections = peers.entry(key).or_default();
        connections.retain(|shared| !shared.load.is_gone.get());
        if connections.len() < MAX_CONNECTIONS {
            connections.push(shared);
        }
        drop(peers);
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to a service ended");
            }
            load.is_gone.set(true);
        });
        Ok(stream)
    }

    /// Lets go of connections that are gone or have had nothing to do for `idle_timeout`
    /// microseconds.
    pub(crate) fn sweep(&self, now: u64, idle_timeout: u64) {
        self.peers.borrow_mut().retain(|_, connections| {
            connections.retain(|shared| {
                if shared.load.streams.get() > 0 || shared.unused_since.get() == 0 {
                    shared.unused_since.set(now);
                }
                let is_idle = now.saturating_sub(shared.unused_since.get()) > idle_timeout;
                !shared.load.is_gone.get() && !is_idle
            });
            !connections.is_empty()
        });
    }
}
