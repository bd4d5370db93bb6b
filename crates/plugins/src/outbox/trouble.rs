//! What the log says of records that do not arrive.
//!
//! A receiver that is away would otherwise fill the log with a line for each batch: the first loss
//! is told, and once it is over how many there were. It counts what could not be delivered towards
//! [`super::lost_records`], which tells the number at any time; the queue's losses are counted
//! where they happen.

use super::losses;

/// What a courier lost since it last delivered.
pub(super) struct Trouble<'n> {
    name: &'n str,
    undelivered: u64,
    dropped: u64,
}

impl<'n> Trouble<'n> {
    /// None yet; `name` is the courier's.
    pub(super) const fn new(name: &'n str) -> Self {
        Self {
            name,
            undelivered: 0,
            dropped: 0,
        }
    }

    /// The queue dropped so many records since it was last asked.
    pub(super) fn dropped(&mut self, count: u64) {
        let before = self.dropped;
        self.dropped += count;
        if count > 0 && before == 0 {
            let plugin = self.name;
            tracing::warn!(plugin, count, "records are dropped: too many wait");
        } else if count == 0 && before > 0 {
            self.dropped = 0;
            let plugin = self.name;
            tracing::warn!(
                plugin,
                count = before,
                "records were dropped: too many waited"
            );
        }
    }

    /// A batch of so many records was given up.
    pub(super) fn failed(&mut self, count: u64, reason: &str) {
        losses::count(self.name, count);
        if self.undelivered == 0 {
            let plugin = self.name;
            tracing::warn!(plugin, count, %reason, "records cannot be delivered");
        }
        self.undelivered += count;
    }

    /// A batch arrived.
    pub(super) fn delivered(&mut self) {
        let count = std::mem::take(&mut self.undelivered);
        if count > 0 {
            let plugin = self.name;
            tracing::warn!(plugin, count, "records are delivered again; these were not");
        }
    }
}
