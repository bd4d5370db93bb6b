//! Where cores leave their records and the sender finds them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::RequestRecord;
use wire::telemetry::packed::{HEAD_BYTES, MAX_RECORD_BYTES};

/// Records one core may keep before the sender fetched them; more are dropped and counted.
pub const CORE_CAPACITY: usize = wire::telemetry::MAX_RECORDS;

/// Size of a piece of memory that records are written to; it becomes a frame as it is. Pieces do
/// not grow: moving what is there would cost more than writing it. A few of them stay in a core's
/// cache, and one that has been sent is used again.
const PIECE: usize = 256 * 1024;

/// Full pieces one core may keep.
const MAX_FULL: usize = 24;

/// Pieces kept for being used again.
const MAX_SPARE: usize = 4;

/// Collects records of all cores. Cheap to clone. While it is off, nothing is kept.
#[derive(Debug, Clone, Default)]
pub struct TelemetrySink {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    is_on: AtomicBool,
    cores: Mutex<Vec<Arc<Mutex<Buffer>>>>,
    /// Told when a core has a piece that is full.
    filled: Notify,
    spare: Mutex<Vec<Vec<u8>>>,
}

#[derive(Debug, Default)]
struct Buffer {
    /// Pieces without room for another record.
    full: Vec<Packed>,
    /// The piece that is written to.
    current: Packed,
    /// Records in all of them.
    count: usize,
    dropped: u64,
}

impl Buffer {
    fn has_room(&self) -> bool {
        self.count < CORE_CAPACITY && self.full.len() < MAX_FULL
    }

    /// Packs a record; whether a piece became full before.
    fn push(&mut self, record: &RequestRecord<'_>, shared: &Shared) -> bool {
        let is_full = self.current.is_full();
        if is_full {
            let packed = std::mem::replace(&mut self.current, Packed::empty(shared));
            if packed.count > 0 {
                self.full.push(packed);
            }
        }
        self.current.push(record);
        self.count += 1;
        is_full && !self.full.is_empty()
    }
}

/// Packed records, one behind the other, behind room for the head of a frame.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// Room for the head, then the records in the form of [`wire::telemetry::packed`].
    pub memory: Vec<u8>,
    /// How many there are.
    pub count: usize,
}

impl Packed {
    fn empty(shared: &Shared) -> Self {
        let spare = shared.spare.lock().pop();
        let mut memory = spare.unwrap_or_else(|| Vec::with_capacity(PIECE));
        memory.resize(HEAD_BYTES, 0);
        Self { memory, count: 0 }
    }

    fn is_full(&self) -> bool {
        self.memory.capacity() - self.memory.len() < MAX_RECORD_BYTES
    }

    /// Adds a record.
    pub(super) fn push(&mut self, record: &RequestRecord<'_>) {
        if self.memory.len() < HEAD_BYTES {
            self.memory.resize(HEAD_BYTES, 0);
        }
        record.pack(&mut self.memory);
        self.count += 1;
    }
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

    /// Takes everything kept, and how many records were dropped since the last time. Each core's
    /// lock is held for one swap.
    pub fn take(&self) -> (Vec<Packed>, u64) {
        let (mut taken, dropped) = self.take_from_cores(|buffer, taken| {
            let Buffer {
                full,
                current,
                dropped,
                ..
            } = std::mem::take(buffer);
            taken.extend(full);
            taken.extend(Some(current).filter(|packed| packed.count > 0));
            dropped
        });
        // Few records are copied out: what waits for the platform is measured by its bytes, so it
        // must not hold much more memory than that.
        for packed in &mut taken {
            if packed.memory.len() < PIECE / 2 {
                let exact = packed.memory.as_slice().to_vec();
                self.spare(std::mem::replace(&mut packed.memory, exact));
            }
        }
        (taken, dropped)
    }

    /// The same without the pieces that cores still write to.
    pub(super) fn take_full(&self) -> (Vec<Packed>, u64) {
        self.take_from_cores(|buffer, taken| {
            taken.append(&mut buffer.full);
            buffer.count = buffer.current.count;
            std::mem::take(&mut buffer.dropped)
        })
    }

    fn take_from_cores(
        &self,
        take: impl Fn(&mut Buffer, &mut Vec<Packed>) -> u64,
    ) -> (Vec<Packed>, u64) {
        let cores: Vec<_> = self.shared.cores.lock().clone();
        let mut taken = Vec::new();
        let dropped = cores.iter().map(|core| take(&mut core.lock(), &mut taken));
        let dropped = dropped.sum();
        (taken, dropped)
    }

    /// Takes the memory of a frame back that nobody needs any more.
    pub(super) fn reuse(&self, mut frame: Bytes) {
        if frame.is_unique() {
            frame.clear();
            self.spare(Vec::from(frame));
        }
    }

    fn spare(&self, mut memory: Vec<u8>) {
        let mut spare = self.shared.spare.lock();
        if spare.len() < MAX_SPARE && memory.capacity() == PIECE {
            memory.clear();
            spare.push(memory);
        }
    }

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
        let mut is_much = false;
        if buffer.has_room() {
            is_much = buffer.push(record, &self.shared);
        } else {
            buffer.dropped += 1;
        }
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

    fn counts(taken: &[Packed]) -> Vec<usize> {
        taken.iter().map(|packed| packed.count).collect()
    }

    /// Records of the usual size in a full piece.
    fn fill_a_piece(core: &CoreSink) -> usize {
        let mut count = 0;
        while core.buffer.lock().full.is_empty() {
            core.push(&numbered(200));
            count += 1;
        }
        // The last one opened the next piece.
        count - 1
    }

    #[test]
    fn records_of_all_cores_are_taken_once() {
        let sink = TelemetrySink::enabled();
        let cores = [sink.core(), sink.core()];
        cores[0].push(&numbered(200));
        cores[1].push(&numbered(404));
        let (taken, dropped) = sink.take();
        let mut first = vec![0; HEAD_BYTES];
        numbered(200).pack(&mut first);
        assert_eq!((counts(&taken), dropped), (vec![1, 1], 0));
        assert_eq!(taken[0].memory, first);
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
        let count: usize = counts(&taken).iter().sum();
        assert_eq!((count, dropped), (CORE_CAPACITY, 3));
        assert_eq!(sink.take().1, 0);
    }

    #[tokio::test]
    async fn sender_is_woken_when_a_piece_is_full_and_takes_that_alone() {
        let sink = TelemetrySink::enabled();
        let core = sink.core();
        let count = fill_a_piece(&core);
        sink.filled().await;
        assert_eq!(counts(&sink.take_full().0), [count]);
        assert_eq!(counts(&sink.take().0), [1]);
    }

    #[test]
    fn few_records_wait_in_no_more_memory_than_they_need() {
        let sink = TelemetrySink::enabled();
        let core = sink.core();
        for _ in 0..2 {
            core.push(&numbered(200));
            let place = core.buffer.lock().current.memory.as_ptr();
            let (taken, _) = sink.take();
            assert_eq!(taken[0].memory.capacity(), taken[0].memory.len());
            core.push(&numbered(404));
            assert_eq!(core.buffer.lock().current.memory.as_ptr(), place);
            assert_eq!(counts(&sink.take().0), [1]);
        }
    }

    #[test]
    fn memory_of_a_frame_is_written_to_again() {
        let sink = TelemetrySink::enabled();
        let core = sink.core();
        fill_a_piece(&core);
        let (mut taken, _) = sink.take_full();
        let memory = std::mem::take(&mut taken[0].memory);
        let place = memory.as_ptr();
        let frame = Bytes::from(memory);
        let held = frame.clone();
        sink.reuse(frame);
        assert!(
            sink.shared.spare.lock().is_empty(),
            "somebody still reads it"
        );
        sink.reuse(held);
        fill_a_piece(&core);
        assert_eq!(core.buffer.lock().current.memory.as_ptr(), place);
    }

    #[test]
    fn disabled_sink_says_so() {
        assert!(!TelemetrySink::disabled().core().is_enabled());
        assert!(TelemetrySink::enabled().core().is_enabled());
    }
}
