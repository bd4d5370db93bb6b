//! The entries that wait.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// A queue with one reader.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    limit: usize,
}

#[derive(Debug)]
struct State<T> {
    entries: VecDeque<T>,
    dropped: u64,
    is_closed: bool,
}

impl<T> Queue<T> {
    /// A queue of at most `limit` entries.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            state: Mutex::new(State {
                entries: VecDeque::new(),
                dropped: 0,
                is_closed: false,
            }),
            changed: Condvar::new(),
            limit: limit.max(1),
        }
    }

    /// Adds an entry; the oldest gives way when the queue is full.
    pub(super) fn push(&self, entry: T) {
        let mut state = self.state.lock();
        if state.entries.len() >= self.limit {
            state.entries.pop_front();
            state.dropped += 1;
        }
        state.entries.push_back(entry);
        drop(state);
        self.changed.notify_one();
    }

    /// Nothing is added any more.
    pub(super) fn close(&self) {
        self.state.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Entries dropped since this was last asked.
    pub(super) fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.state.lock().dropped)
    }

    /// Waits for an entry and then a while for more, up to `most`; the while counts from the
    /// first, however many come. Nothing when the queue is closed and empty.
    pub(super) fn take(&self, most: usize, patience: Duration) -> Option<Vec<T>> {
        let mut state = self.state.lock();
        while state.entries.is_empty() {
            if state.is_closed {
                return None;
            }
            self.changed.wait(&mut state);
        }
        let lacks = |state: &mut State<T>| state.entries.len() < most && !state.is_closed;
        self.changed.wait_while_for(&mut state, lacks, patience);
        let count = state.entries.len().min(most);
        Some(state.entries.drain(..count).collect())
    }

    /// Waits; ends early when the queue is closed. Tells whether it is.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let mut state = self.state.lock();
        let closed = |state: &mut State<T>| !state.is_closed;
        self.changed.wait_while_for(&mut state, closed, time);
        state.is_closed
    }
}
