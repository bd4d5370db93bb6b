//! The entries that wait.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// What waits.
pub(crate) trait Entry {
    /// How much of the bytes that may wait it takes.
    fn bytes(&self) -> usize;
}

impl Entry for Vec<u8> {
    fn bytes(&self) -> usize {
        self.len()
    }
}

/// A queue.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    /// For readers that wait for entries.
    changed: Condvar,
    /// For those that pause: an entry must not wake them instead of a reader.
    closed: Condvar,
    max_entries: usize,
    max_bytes: usize,
}

#[derive(Debug)]
struct State<T> {
    entries: VecDeque<T>,
    bytes: usize,
    dropped: u64,
    /// Readers that wait, for an entry or for more of them.
    idle: usize,
    is_closed: bool,
}

impl<T> Queue<T> {
    /// Nothing is added any more.
    pub(super) fn close(&self) {
        self.state.lock().is_closed = true;
        self.changed.notify_all();
        self.closed.notify_all();
    }
}

impl<T: Entry> Queue<T> {
    /// A queue of at most so many entries and bytes.
    pub(super) fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self {
            state: Mutex::new(State {
                entries: VecDeque::new(),
                bytes: 0,
                dropped: 0,
                idle: 0,
                is_closed: false,
            }),
            changed: Condvar::new(),
            closed: Condvar::new(),
            max_entries: max_entries.max(1),
            max_bytes,
        }
    }

    /// Adds an entry; the oldest give way when the queue is full. One that is larger than all that
    /// may wait is dropped itself. Tells how many were dropped.
    pub(super) fn push(&self, entry: T) -> u64 {
        let bytes = entry.bytes();
        let mut state = self.state.lock();
        if bytes > self.max_bytes {
            state.dropped += 1;
            drop(state);
            self.changed.notify_one();
            return 1;
        }
        let before = state.dropped;
        while state.entries.len() >= self.max_entries || state.bytes + bytes > self.max_bytes {
            let Some(oldest) = state.entries.pop_front() else {
                break;
            };
            state.bytes -= oldest.bytes();
            state.dropped += 1;
        }
        state.bytes += bytes;
        state.entries.push_back(entry);
        let dropped = state.dropped - before;
        drop(state);
        self.changed.notify_one();
        dropped
    }

    /// Whether more batches of that size wait than readers for them.
    pub(super) fn lacks_readers(&self, batch: usize) -> bool {
        let state = self.state.lock();
        state.entries.len() / batch.max(1) > state.idle
    }

    /// Entries dropped since this was last asked.
    pub(super) fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.state.lock().dropped)
    }

    /// Waits for an entry and then a while for more, up to `most`; the while counts from the
    /// first, however many come. An empty batch when there is only something dropped to tell of, or
    /// another reader was faster; nothing when the queue is closed and empty.
    pub(super) fn take(&self, most: usize, patience: Duration) -> Option<Vec<T>> {
        let mut state = self.state.lock();
        while state.entries.is_empty() {
            if state.dropped > 0 {
                return Some(Vec::new());
            }
            if state.is_closed {
                return None;
            }
            state.idle += 1;
            self.changed.wait(&mut state);
            state.idle -= 1;
        }
        let lacks = |state: &mut State<T>| state.entries.len() < most && !state.is_closed;
        state.idle += 1;
        self.changed.wait_while_for(&mut state, lacks, patience);
        state.idle -= 1;
        let count = state.entries.len().min(most);
        let taken: Vec<T> = state.entries.drain(..count).collect();
        state.bytes -= taken.iter().map(Entry::bytes).sum::<usize>();
        let leaves_some = !state.entries.is_empty();
        drop(state);
        if leaves_some {
            // Whoever gathered a batch may have been woken for what is left over.
            self.changed.notify_one();
        }
        Some(taken)
    }

    /// Waits; ends early when the queue is closed. Tells whether it is.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let mut state = self.state.lock();
        let closed = |state: &mut State<T>| !state.is_closed;
        self.closed.wait_while_for(&mut state, closed, time);
        state.is_closed
    }
}
