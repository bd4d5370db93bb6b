//! Where cores leave their records and the sender finds them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::RequestRecord;
use wire::telemetry::packed::MAX_RECORD_BYTES;

/// Records one core may keep before the sender fetched them; more are dropped and counted.
pub const CORE_CAPACITY: usize = wire::telemetry::MAX_RECORDS;

/// Bytes of records one core may keep; below what the platform takes in one frame.
const CORE_BYTES: usize = 6 * 1024 * 1024;

/// At this many the sender is woken before its time.
const WAKE_AT: usize = 5_000;

/// Collects records of all cores. Cheap to clone. While it is off, nothing is kept.
#[derive(Debug, Clone, Default)]
pub struct TelemetrySink {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    is_on: AtomicBool,
    cores: Mutex<Vec<Arc<Mutex<Buffer>>>>,
    filled: Notify,
}

/// Size of a piece of memory that records are written to. Pieces do not grow: moving what is
/// there would cost more than writing it.
const PIECE: usize = 64 * 1024;

#[derive(Debug, Default)]
struct Buffer {
    /// Pieces without room for another record.
    full: Vec<Vec<u8>>,
    /// The piece that is written to.
    current: Vec<u8>,
    count: usize,
    dropped: u64,
}

impl Buffer {
    fn has_room(&self) -> bool {
        self.count < CORE_CAPACITY && self.full.len() < CORE_BYTES / PIECE
    }

    fn push(&mut self, record: &RequestRecord<'_>) {
        if self.current.capacity() - self.current.len() < MAX_RECORD_BYTES {
            let piece = std::mem::replace(&mut self.current, Vec::with_capacity(PIECE));
            if !piece.is_empty() {
                self.full.push(piece);
            }
        }
        record.pack(&mut self.current);
        self.count += 1;
    }
}

/// Packed records, one behind the other.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// Their bytes, in the form of [`wire::telemetry::packed`].
    pub records: Vec<u8>,
    /// How many there are.
    pub count: usize,
}

/// One core's end of a sink.
#[derive(Debug, Clone)]
pub struct CoreSink {
    shared: Arc<Shared>,
    buffer: Arc<Mutex<Buffer>>,
}

impl TelemetrySink {
    /// A sink that keeps records.
    #[must_use]
    pub fn enabled() -> Self {
        let sink = Self::default();
        sink.shared.is_on.store(true, Ordering::Relaxed);
        sink
    }

    /// A sink that keeps nothing; for nodes without a telemetry endpoint.
    #[must_use]
    pub fn disabled() -> Self {
        Self::default()
    }

    /// Makes the end for one core. Call it once for each core at start.
    #[must_use]
    pub fn core(&self) -> CoreSink {
        let buffer = Arc::new(Mutex::new(Buffer::default()));
        self.shared.cores.lock().push(Arc::clone(&buffer));
        CoreSink {
            shared: Arc::clone(&self.shared),
            buffer,
        }
    }

    /// Takes everything kept, by core, and how many records were dropped since the last time.
    /// Each core's lock is held for one swap.
    pub fn take(&self) -> (Vec<Packed>, u64) {
        let cores: Vec<_> = self.shared.cores.lock().clone();
        let mut taken = Vec::new();
        let mut dropped = 0;
        for core in cores {
            let mut own = std::mem::take(&mut *core.lock());
            dropped += own.dropped;
            if own.count == 0 {
                continue;
            }
            own.full.push(own.current);
            taken.push(Packed {
                records: own.full.concat(),
                count: own.count,
            });
        }
        (taken, dropped)
    }
}

impl TelemetrySink {
    /// Resolves when a core has much to be taken.
    pub(super) async fn filled(&self) {
        self.shared.filled.notified().await;
    }
}

impl CoreSink {
    /// Whether records are kept at all; ask before building one.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.shared.is_on.load(Ordering::Relaxed)
    }

    /// Packs a record, or counts it as dropped when [`CORE_CAPACITY`] are waiting. The lock is
    /// this core's own; only the sender's swap can ever contend for it.
    pub fn push(&self, record: &RequestRecord<'_>) {
        let mut buffer = self.buffer.lock();
        if buffer.has_room() {
            buffer.push(record);
        } else {
            buffer.dropped += 1;
        }
        let is_much = buffer.count == WAKE_AT;
        drop(buffer);
        if is_much {
            self.shared.filled.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(status: u16) -> RequestRecord<'static> {
        RequestRecord {
            status,
            ..RequestRecord::default()
        }
    }

    #[test]
    fn records_of_all_cores_are_taken_once() {
        let sink = TelemetrySink::enabled();
        let cores = [sink.core(), sink.core()];
        cores[0].push(&numbered(200));
        cores[1].push(&numbered(404));
        let (taken, dropped) = sink.take();
        let counts: Vec<_> = taken.iter().map(|packed| packed.count).collect();
        let mut first = Vec::new();
        numbered(200).pack(&mut first);
        assert_eq!((counts, dropped), (vec![1, 1], 0));
        assert_eq!(taken[0].records, first);
        assert_eq!(sink.take().0.len(), 0);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let sink = TelemetrySink::enabled();
        let core = sink.core();
        for _ in 0..CORE_CAPACITY + 3 {
            core.push(&numbered(200));
        }
        let (taken, dropped) = sink.take();
        assert_eq!((taken[0].count, dropped), (CORE_CAPACITY, 3));
        assert_eq!(sink.take().1, 0);
    }

    #[tokio::test]
    async fn sender_is_woken_when_there_is_much() {
        let sink = TelemetrySink::enabled();
        let core = sink.core();
        for _ in 0..WAKE_AT {
            core.push(&numbered(200));
        }
        sink.filled().await;
        assert_eq!(sink.take().0[0].count, WAKE_AT);
    }

    #[test]
    fn disabled_sink_says_so() {
        assert!(!TelemetrySink::disabled().core().is_enabled());
        assert!(TelemetrySink::enabled().core().is_enabled());
    }
}
