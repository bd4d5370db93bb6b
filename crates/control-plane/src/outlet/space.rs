//! One control plane's links and newest configuration.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::Inner;
use super::accept::Refusal;
use super::build::{Build, Outcome};
use super::shares::Shares;

/// The spaces of all control planes that had a link or were asked for their hash.
#[derive(Default)]
pub(crate) struct Spaces {
    by_plane: HashMap<Uuid, Arc<Space>>,
}

impl Spaces {
    pub(super) fn get(&self, plane: Uuid) -> Option<Arc<Space>> {
        self.by_plane.get(&plane).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Space>> {
        self.by_plane.values().cloned().collect()
    }

    pub(super) fn remove(&mut self, plane: Uuid) -> Option<Arc<Space>> {
        self.by_plane.remove(&plane)
    }
}

/// What nodes of a control plane should report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// 32 characters.
    pub hash: String,
    /// When a configuration with this hash was first made, in milliseconds since the epoch.
    pub since_ms: u64,
}

pub(crate) struct Space {
    pub(super) plane: Uuid,
    newest: watch::Sender<Option<Arc<Build>>>,
    dirty: Notify,
    /// Held while a configuration is exported, so that this happens once for all who wait.
    exporting: tokio::sync::Mutex<Exported>,
    state: Mutex<State>,
    /// Counters that the nodes have together.
    pub(super) shares: Shares,
}

/// What is remembered of the last export, whether or not anybody is connected.
#[derive(Default)]
struct Exported {
    sequence: u64,
    /// Of what it was made; `None` when nothing could be made of what is there.
    versions: Option<Vec<(Uuid, u64)>>,
    expected: Option<Expected>,
}

#[derive(Default)]
struct State {
    next_link: u64,
    links: HashMap<u64, Entry>,
    /// The link of each node; the newest where a node came back before its old link was gone.
    nodes: HashMap<Uuid, u64>,
    /// For a group: whose configurations the newest one was made of.
    members: Vec<Uuid>,
    is_closed: bool,
}

struct Entry {
    certificate: Uuid,
    end: watch::Sender<bool>,
}

/// A link that counts; dropping it takes it off the list.
pub(super) struct Link {
    space: Arc<Space>,
    number: u64,
    node: Option<Uuid>,
    end: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
}

impl Space {
    /// The space of a control plane; made on first use, with the task that exports for it.
    pub(super) fn of(inner: &Arc<Inner>, plane: Uuid) -> Arc<Self> {
        let mut spaces = inner.spaces.lock();
        let space = spaces.by_plane.entry(plane).or_insert_with(|| {
            let space = Arc::new(Self {
                plane,
                newest: watch::channel(None).0,
                dirty: Notify::new(),
                exporting: tokio::sync::Mutex::new(Exported::default()),
                state: Mutex::new(State::default()),
                shares: Shares::default(),
            });
            tokio::spawn(export_on_change(Arc::downgrade(inner), Arc::clone(&space)));
            space
        });
        Arc::clone(space)
    }

    /// Nodes with a configuration link.
    pub(super) fn connected(&self) -> usize {
        self.state.lock().nodes.len()
    }

    /// The newest configuration, as it changes.
    pub(super) fn follow(&self) -> watch::Receiver<Option<Arc<Build>>> {
        self.newest.subscribe()
    }

    /// Says that what is stored may have changed.
    pub(super) fn touch(&self) {
        self.dirty.notify_one();
    }

    /// Whether the space's configuration is made of another control plane's.
    pub(super) fn is_made_of(&self, plane: Uuid) -> bool {
        self.plane == plane || self.state.lock().members.contains(&plane)
    }

    /// Ends the links that a certificate let in.
    pub(super) fn end_certificate(&self, certificate: Uuid) {
        for entry in self.state.lock().links.values() {
            if entry.certificate == certificate {
                entry.end.send_replace(true);
            }
        }
    }

    /// Ends the links whose certificate is not among those given.
    pub(super) fn end_others(&self, certificates: &[Uuid]) {
        for entry in self.state.lock().links.values() {
            if !certificates.contains(&entry.certificate) {
                entry.end.send_replace(true);
            }
        }
    }

    /// Ends every link and the exporting task; the control plane is gone.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        for entry in state.links.values() {
            entry.end.send_replace(true);
        }
        drop(state);
        self.dirty.notify_one();
    }

    /// Takes in a node's configuration link. An older link of the same node ends: it is most
    /// likely half-open.
    pub(super) fn enter_node(
        self: &Arc<Self>,
        inner: &Inner,
        certificate: Uuid,
        node: Uuid,
    ) -> Result<Link, Refusal> {
        self.enter(inner, certificate, Some(node))
    }

    /// Takes in a link of another kind.
    pub(super) fn enter_other(
        self: &Arc<Self>,
        inner: &Inner,
        certificate: Uuid,
    ) -> Result<Link, Refusal> {
        self.enter(inner, certificate, None)
    }

    fn enter(
        self: &Arc<Self>,
        inner: &Inner,
        certificate: Uuid,
        node: Option<Uuid>,
    ) -> Result<Link, Refusal> {
        let permit = Arc::clone(&inner.links).try_acquire_owned();
        let permit = permit.map_err(|_| Refusal::busy("too many links are open; come back"))?;
        let (end, ended) = watch::channel(false);
        let mut state = self.state.lock();
        if state.is_closed {
            return Err(Refusal::not_found());
        }
        let number = state.next_link;
        state.next_link += 1;
        state.links.insert(number, Entry { certificate, end });
        if let Some(node) = node
            && let Some(older) = state.nodes.insert(node, number)
            && let Some(entry) = state.links.get(&older)
        {
            entry.end.send_replace(true);
        }
        Ok(Link {
            space: Arc::clone(self),
            number,
            node,
            end: ended,
            _permit: permit,
        })
    }

    /// Looks whether the newest configuration is up to date, for a node that has just come: a
    /// change may be waiting for its turn.
    pub(super) fn refresh(self: &Arc<Self>, inner: &Arc<Inner>) -> JoinHandle<()> {
        let (space, inner) = (Arc::clone(self), Arc::clone(inner));
        tokio::spawn(async move {
            if let Err(error) = space.export(&inner).await {
                tracing::warn!(plane = %space.plane, error, "a configuration was not exported");
                space.touch();
            }
        })
    }

    /// The hash of what is stored now; exports when the last export is older than that.
    pub(super) async fn expected(&self, inner: &Inner) -> Result<Expected, String> {
        self.export(inner).await?;
        let exported = self.exporting.lock().await;
        let expected = exported.expected.clone();
        // A group whose members have clashed from the start: its nodes have nothing.
        Ok(expected.unwrap_or_else(|| Expected {
            hash: wire::EMPTY_HASH.to_owned(),
            since_ms: clock::unix_millis(),
        }))
    }

    /// What is stored has changed: makes the newest configuration of it, unless nobody is there
    /// who would want it.
    async fn export_for_nodes(&self, inner: &Inner) -> Result<(), String> {
        if self.connected() > 0 {
            return self.export(inner).await;
        }
        self.newest.send_replace(None);
        if self.connected() > 0 {
            // A node came just now and may have seen the one that is gone.
            self.touch();
        }
        Ok(())
    }

    /// Brings the newest configuration up to date with what is stored. With no node connected
    /// only the hash is kept.
    async fn export(&self, inner: &Inner) -> Result<(), String> {
        let mut exported = self.exporting.lock().await;
        let is_wanted = self.connected() > 0;
        let is_kept = self.newest.borrow().is_some();
        if !is_wanted {
            self.newest.send_replace(None);
            if self.connected() > 0 {
                // A node came just now and saw the one that is gone.
                self.touch();
            }
        }
        let sources = super::build::sources(inner, self.plane).await?;
        let is_current =
            exported.expected.is_some() && exported.versions.as_ref() == Some(&sources.versions);
        if is_current && (is_kept || !is_wanted) {
            return Ok(());
        }
        self.state.lock().members.clone_from(&sources.members);
        let sequence = exported.sequence + 1;
        match super::build::build(inner, sources, sequence).await? {
            Outcome::Built(build) => {
                exported.sequence = sequence;
                exported.versions = Some(build.versions.clone());
                let hash = &build.hashes.config;
                let is_same = exported.expected.as_ref().is_some_and(|e| e.hash == *hash);
                if !is_same {
                    exported.expected = Some(Expected {
                        hash: hash.clone(),
                        since_ms: build.made_at_ms,
                    });
                }
                if is_wanted && !(is_same && is_kept) {
                    self.newest.send_replace(Some(build));
                }
            }
            // Nodes keep what they have; it is tried again at every change and question.
            Outcome::Clashes => exported.versions = None,
        }
        Ok(())
    }
}

async fn export_on_change(inner: Weak<Inner>, space: Arc<Space>) {
    loop {
        space.dirty.notified().await;
        if space.state.lock().is_closed {
            return;
        }
        let Some(inner) = inner.upgrade() else {
            return;
        };
        let pause = match space.export_for_nodes(&inner).await {
            Ok(()) => inner.options.settle,
            Err(error) => {
                // Nodes keep what they have, new ones get the newest that could be made.
                tracing::warn!(plane = %space.plane, error, "a configuration was not exported");
                space.touch();
                inner.options.retry
            }
        };
        drop(inner);
        tokio::time::sleep(pause).await;
    }
}

impl Link {
    /// Resolves when the link has to end: its certificate was revoked, its control plane
    /// deleted, or its node opened another one.
    pub(super) async fn ended(&self) {
        let mut end = self.end.clone();
        // An error means that the entry is gone, which is an end too.
        drop(end.wait_for(|is_over| *is_over).await);
    }

    /// Whether this is still the link of its node.
    pub(super) fn is_current(&self) -> bool {
        let state = self.space.state.lock();
        self.node
            .is_some_and(|node| state.nodes.get(&node) == Some(&self.number))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let mut state = self.space.state.lock();
        state.links.remove(&self.number);
        if let Some(node) = self.node
            && state.nodes.get(&node) == Some(&self.number)
        {
            state.nodes.remove(&node);
        }
    }
}
