//! The answers that are kept, in the memory of the node.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

/// Most bytes of all answers of a node.
const TOTAL_MAX: usize = 128 * 1024 * 1024;
/// Largest answer that is kept, in bytes.
pub(super) const ENTRY_MAX: usize = 8 * 1024 * 1024;
/// Bytes an answer costs beside its body and headers.
const OVERHEAD: usize = 512;

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) status: u16,
    pub(super) headers: Vec<(Bytes, Bytes)>,
    pub(super) body: Bytes,
    /// Unix seconds at which it was kept.
    pub(super) kept_at: u64,
    /// Seconds it is good for.
    pub(super) ttl: u64,
    /// Unix seconds after which it is forgotten.
    pub(super) ends_at: u64,
}

impl Entry {
    fn size(&self) -> usize {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len());
        OVERHEAD + self.body.len() + headers.sum::<usize>()
    }
}

/// All answers, shared by the instances of a node.
#[derive(Debug, Default)]
pub(super) struct Store {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Answers with their numbers.
    entries: HashMap<Arc<str>, (u64, Arc<Entry>)>,
    /// Keys by number: in the order in which answers were kept; the oldest give way first.
    order: BTreeMap<u64, Arc<str>>,
    /// Number of the next answer.
    next: u64,
    size: usize,
}

impl Store {
    /// The answer of a key.
    pub(super) fn find(&self, key: &str, now: u64) -> Option<Arc<Entry>> {
        let mut kept = self.kept.lock();
        let (_, entry) = kept.entries.get(key)?;
        let entry = Arc::clone(entry);
        if entry.ends_at > now {
            return Some(entry);
        }
        kept.remove(key);
        None
    }

    /// Keeps an answer; those kept longest give way.
    pub(super) fn keep(&self, key: &str, entry: Entry) {
        let size = entry.size();
        if size > ENTRY_MAX {
            return;
        }
        let mut kept = self.kept.lock();
        kept.remove(key);
        while kept.size + size > TOTAL_MAX {
            let Some((_, oldest)) = kept.order.pop_first() else {
                break;
            };
            kept.remove(&oldest);
        }
        let key: Arc<str> = key.into();
        kept.size += size;
        let number = kept.next;
        kept.next += 1;
        kept.order.insert(number, Arc::clone(&key));
        kept.entries.insert(key, (number, Arc::new(entry)));
    }
}

impl Kept {
    fn remove(&mut self, key: &str) {
        if let Some((number, entry)) = self.entries.remove(key) {
            self.order.remove(&number);
            self.size -= entry.size();
        }
    }
}
