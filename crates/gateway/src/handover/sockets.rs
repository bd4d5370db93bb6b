//! The listening sockets of this process, by what they listen for.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use parking_lot::Mutex;

/// Most sockets that are taken over: a listener has one per core.
pub(super) const MAX_SOCKETS: usize = 4096;

/// What a socket carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Connections.
    Tcp,
    /// Datagrams.
    Udp,
}

/// A socket and where it listens.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) kind: Kind,
    pub(super) address: SocketAddr,
    pub(super) socket: OwnedFd,
}

/// The listening sockets of a node: those it opened, and those a predecessor left it. Clones share
/// them.
#[derive(Clone, Debug, Default)]
pub struct Sockets(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    inherited: Vec<Held>,
    open: Vec<Held>,
}

/// Sockets of a predecessor for one address, shared out among cores.
#[derive(Debug)]
pub(crate) struct Sought(Vec<OwnedFd>);

impl Sought {
    /// The share of one core out of `cores`: every socket has to be served by somebody.
    pub(crate) fn share(&mut self, core: usize, cores: usize) -> Vec<OwnedFd> {
        let left = cores - core;
        let share = self.0.len().div_ceil(left);
        self.0.split_off(self.0.len() - share)
    }
}

impl Sockets {
    /// Those of a predecessor.
    pub(super) fn inherit(held: Vec<Held>) -> Self {
        Self(Arc::new(Mutex::new(State {
            inherited: held,
            open: Vec::new(),
        })))
    }

    /// Takes out what a predecessor had open for an address.
    pub(crate) fn seek(&self, kind: Kind, address: SocketAddr) -> Sought {
        let mut state = self.0.lock();
        let (found, rest) = std::mem::take(&mut state.inherited)
            .into_iter()
            .partition(|held| held.kind == kind && held.address == address);
        state.inherited = rest;
        let found: Vec<Held> = found;
        Sought(found.into_iter().map(|held| held.socket).collect())
    }

    /// Remembers an open socket for a successor. One that cannot be remembered is not handed over.
    pub(crate) fn keep(&self, kind: Kind, address: SocketAddr, socket: impl AsFd) {
        if let Ok(socket) = socket.as_fd().try_clone_to_owned() {
            self.0.lock().open.push(Held {
                kind,
                address,
                socket,
            });
        }
    }

    /// Copies of what is open.
    pub(super) fn copies(&self) -> std::io::Result<Vec<Held>> {
        let state = self.0.lock();
        let copies = state.open.iter().map(|held| {
            Ok(Held {
                kind: held.kind,
                address: held.address,
                socket: held.socket.try_clone()?,
            })
        });
        copies.collect()
    }

    /// Closes the copies kept for a successor, and what of a predecessor nobody wanted.
    pub(crate) fn close(&self) {
        *self.0.lock() = State::default();
    }

    /// Closes what of a predecessor nobody wanted: it is not in the settings any more.
    pub(crate) fn close_unwanted(&self) -> usize {
        std::mem::take(&mut self.0.lock().inherited).len()
    }
}
