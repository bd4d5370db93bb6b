//! What a transaction knows: rows of the database as they were read, and over them what is about
//! to be written. A request that is refused is undone here; the database has seen nothing of it.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use uuid::Uuid;

use super::draft::{Address, Draft};
use super::history::{Before, Replaced};
use super::rows::{CHUNK_ROWS, Chunk};
use crate::codec::Digest;
use crate::model::Reference;
use crate::{Actor, ChangeKind};

/// A unique value of a kind.
pub(super) type KeyAddress = (&'static str, Digest);

/// A row that exists.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) digest: Digest,
    pub(super) expires_at: Option<u64>,
}

/// A row that is about to be written or removed.
pub(super) enum Pending {
    Written {
        draft: Box<Draft>,
        /// Whether a row is added; otherwise the content of one is replaced.
        is_new: bool,
        /// In which order rows were added.
        ordinal: usize,
    },
    Removed,
}

/// What was changed by one request.
pub(super) struct Entry {
    pub(super) version: u64,
    pub(super) at: u64,
    pub(super) actor: Actor,
    pub(super) changes: Vec<(&'static str, Uuid, ChangeKind)>,
    /// What the audit row says besides.
    pub(super) note: Option<String>,
}

enum Undo {
    Pending(Address, Option<Pending>),
    Key(KeyAddress, Option<Uuid>),
}

#[derive(Default)]
pub(super) struct State {
    /// Rows of the database; absent ones are known to be.
    pub(super) rows: HashMap<Address, Option<Row>>,
    /// Holders of unique values in the database.
    pub(super) holders: HashMap<KeyAddress, Option<Uuid>>,
    pending: HashMap<Address, Pending>,
    keys: HashMap<KeyAddress, Uuid>,
    /// Rows that may refer to a row; whether they do, their drafts say.
    referrers: HashMap<Address, Vec<Address>>,
    journal: Vec<Undo>,
    written: usize,
    changes: Vec<(&'static str, Uuid, ChangeKind)>,
    places: HashMap<Address, usize>,
    note: Option<String>,
    /// What the rows were that the request at work changed.
    befores: HashMap<Address, Before>,
    /// What the requests so far replaced.
    replaced: Vec<Replaced>,
}

impl State {
    pub(super) fn pending(&self, address: Address) -> Option<&Pending> {
        self.pending.get(&address)
    }

    /// The row that is about to hold a unique value.
    pub(super) fn new_holder(&self, key: &KeyAddress) -> Option<Uuid> {
        self.keys.get(key).copied()
    }

    /// Plans to write a row. Its unique values are taken one by one afterwards.
    pub(super) fn put(&mut self, address: Address, draft: Box<Draft>, exists: bool) {
        let is_new = match self.pending.get(&address) {
            Some(Pending::Written { is_new, .. }) => *is_new,
            Some(Pending::Removed) => true,
            None => !exists,
        };
        for target in &draft.targets {
            self.referrers.entry(*target).or_default().push(address);
        }
        self.written += 1;
        let ordinal = self.written;
        let pending = Pending::Written {
            draft,
            is_new,
            ordinal,
        };
        self.replace(address, pending);
    }

    pub(super) fn remove(&mut self, address: Address) {
        self.replace(address, Pending::Removed);
    }

    fn replace(&mut self, address: Address, pending: Pending) {
        let before = self.pending.insert(address, pending);
        if let Some(Pending::Written { draft, .. }) = &before {
            for key in &draft.keys {
                let key = (address.0, key.digest);
                if self.keys.get(&key) == Some(&address.1) {
                    let holder = self.keys.remove(&key);
                    self.journal.push(Undo::Key(key, holder));
                }
            }
        }
        let content = match &before {
            None => Before::Stored,
            Some(Pending::Removed) => Before::Absent,
            Some(Pending::Written { draft, .. }) => Before::given(&draft.encoded),
        };
        self.befores.entry(address).or_insert(content);
        self.journal.push(Undo::Pending(address, before));
    }

    /// What the audit row of the request says besides.
    pub(super) fn annotate(&mut self, text: &str) {
        self.note = Some(text.to_owned());
    }

    pub(super) fn take_key(&mut self, key: KeyAddress, holder: Uuid) {
        let before = self.keys.insert(key, holder);
        self.journal.push(Undo::Key(key, before));
    }

    /// Planned rows that refer to a row: the field, and the row.
    pub(super) fn new_children(&self, target: Address) -> Vec<(Address, Reference)> {
        let mut children = Vec::new();
        let mut seen = HashSet::new();
        for child in self.referrers.get(&target).into_iter().flatten() {
            let Some(Pending::Written { draft, .. }) = self.pending.get(child) else {
                continue;
            };
            if !seen.insert(child) {
                continue;
            }
            let pairs = draft.targets.iter().zip(&draft.references);
            let own = pairs.filter(|(at, _)| **at == target);
            children.extend(own.map(|(_, reference)| (*child, reference.clone())));
        }
        children
    }

    pub(super) fn note(&mut self, address: Address, change: ChangeKind) {
        let place = *self.places.entry(address).or_insert(self.changes.len());
        match self.changes.get_mut(place) {
            Some(entry) => entry.2 = change,
            None => self.changes.push((address.0, address.1, change)),
        }
    }

    /// Ends a request that succeeds and gives what it changed, and its note. The version is the
    /// one it makes, if it changed anything.
    pub(super) fn keep(
        &mut self,
        version: u64,
        at: u64,
    ) -> (Vec<(&'static str, Uuid, ChangeKind)>, Option<String>) {
        self.journal.clear();
        self.places.clear();
        self.bank(version, at);
        (std::mem::take(&mut self.changes), self.note.take())
    }

    fn bank(&mut self, version: u64, at: u64) {
        let befores = self.befores.drain();
        let replaced = befores.map(|(address, before)| Replaced {
            version,
            at,
            address,
            before,
        });
        self.replaced.extend(replaced);
    }

    /// Ends a request that was refused.
    pub(super) fn undo(&mut self) {
        while let Some(undo) = self.journal.pop() {
            match undo {
                Undo::Pending(address, before) => restore(&mut self.pending, address, before),
                Undo::Key(key, before) => restore(&mut self.keys, key, before),
            }
        }
        self.changes.clear();
        self.places.clear();
        self.befores.clear();
        self.note = None;
    }

    /// Hands over what is to be written, and forgets what was read: it is no longer so. What
    /// happened so far can no longer be undone here. The version is that of the request at work.
    pub(super) fn flush(&mut self, version: u64, at: u64) -> (Vec<Replaced>, Vec<Chunk>) {
        self.bank(version, at);
        let pending = std::mem::take(&mut self.pending);
        let mut new = Vec::new();
        let mut chunks = vec![Chunk::default()];
        for (address, pending) in pending {
            let is_stored = matches!(self.rows.get(&address), Some(Some(_)));
            match pending {
                Pending::Removed if is_stored => room_in(&mut chunks).remove(address),
                Pending::Removed => {}
                Pending::Written {
                    draft,
                    is_new: true,
                    ordinal,
                } => {
                    if is_stored {
                        room_in(&mut chunks).remove(address);
                    }
                    new.push((ordinal, address, draft));
                }
                Pending::Written { draft, .. } => {
                    room_in(&mut chunks).forget(address);
                    new.push((0, address, draft));
                }
            }
        }
        // What goes frees unique values for what comes, so it is in the first chunks; added rows
        // come in the order in which they were added.
        new.sort_unstable_by_key(|(ordinal, ..)| *ordinal);
        for (ordinal, address, draft) in new {
            room_in(&mut chunks).put(address, *draft, ordinal > 0);
        }
        self.forget();
        chunks.retain(|chunk| chunk.len() > 0);
        (std::mem::take(&mut self.replaced), chunks)
    }

    /// Forgets what was read, apart from what plans rest on.
    pub(super) fn forget(&mut self) {
        let pending = &self.pending;
        self.rows.retain(|address, _| pending.contains_key(address));
        self.holders.clear();
        self.keys.clear();
        self.referrers.clear();
        self.journal.clear();
    }
}

fn room_in(chunks: &mut Vec<Chunk>) -> &mut Chunk {
    if chunks.last().is_none_or(|chunk| chunk.len() >= CHUNK_ROWS) {
        chunks.push(Chunk::default());
    }
    let last = chunks.len() - 1;
    &mut chunks[last]
}

fn restore<K: Eq + Hash, V>(map: &mut HashMap<K, V>, key: K, before: Option<V>) {
    match before {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}
