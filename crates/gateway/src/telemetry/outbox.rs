//! Batches that wait for being sent or acknowledged.

use std::collections::VecDeque;

use bytes::Bytes;
use uuid::Uuid;
use wire::telemetry::Acknowledge;
use wire::telemetry::packed::FrameHead;

use super::sink::Packed;

/// Most bytes of batches that wait; the oldest goes when another one comes. It holds about a
/// hundred thousand records.
pub(super) const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// One packed batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) sequence: u64,
    pub(super) payload: Bytes,
    records: u64,
    is_sent: bool,
}

/// The batches of one process.
#[derive(Debug)]
pub(super) struct Outbox {
    node_id: Uuid,
    stream: u64,
    next_sequence: u64,
    dropped: u64,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
}

impl Outbox {
    pub(super) fn new(node_id: Uuid) -> Self {
        Self {
            node_id,
            stream: u64::from_le_bytes(clock::random_bytes()),
            next_sequence: 1,
            dropped: 0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }

    /// Makes batches of what was taken from the sink. When too much waits, the oldest is given up
    /// and counted.
    pub(super) fn put(&mut self, taken: Vec<Packed>, dropped: u64) {
        self.dropped += dropped;
        for packed in taken {
            self.put_batch(packed);
        }
        if self.dropped > 0 {
            self.put_batch(Packed::default());
        }
    }

    fn put_batch(&mut self, packed: Packed) {
        let head = FrameHead {
            node_id: self.node_id,
            stream: self.stream,
            sequence: self.next_sequence,
            dropped: std::mem::take(&mut self.dropped),
            count: packed.count as u64,
        };
        let payload = head.frame(packed.memory);
        self.next_sequence += 1;
        self.waiting_bytes += payload.len();
        self.waiting.push_back(Waiting {
            sequence: head.sequence,
            payload,
            records: head.count + head.dropped,
            is_sent: false,
        });
        while self.waiting_bytes > MAX_WAITING_BYTES && self.waiting.len() > 1 {
            let Some(oldest) = self.waiting.pop_front() else {
                break;
            };
            self.waiting_bytes -= oldest.payload.len();
            self.dropped += oldest.records;
        }
    }

    /// The next batch to send on the link that is open now.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        let next = self.waiting.iter_mut().find(|waiting| !waiting.is_sent)?;
        next.is_sent = true;
        Some(next.payload.clone())
    }

    /// A new link: what was not acknowledged is sent again.
    pub(super) fn rewind(&mut self) {
        for waiting in &mut self.waiting {
            waiting.is_sent = false;
        }
    }

    /// The platform keeps a batch and all before it. Their memory is handed to `release`.
    pub(super) fn acknowledge(&mut self, acknowledge: Acknowledge, release: impl Fn(Bytes)) {
        if acknowledge.stream != self.stream {
            return;
        }
        let is_kept = |waiting: &mut Waiting| waiting.sequence <= acknowledge.sequence;
        while let Some(kept) = self.waiting.pop_front_if(is_kept) {
            self.waiting_bytes -= kept.payload.len();
            release(kept.payload);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use wire::telemetry::Batch;

    use super::*;
    use crate::telemetry::RequestRecord;

    fn packed(count: usize) -> Packed {
        let mut packed = Packed::default();
        for _ in 0..count {
            packed.push(&RequestRecord::default());
        }
        packed
    }

    fn outbox_with(count: usize) -> Outbox {
        let mut outbox = Outbox::new(Uuid::from_u128(1));
        for _ in 0..count {
            outbox.put(vec![packed(1)], 0);
        }
        outbox
    }

    fn sequence(payload: &Bytes) -> u64 {
        Batch::decode(payload).unwrap().sequence
    }

    #[test]
    fn batches_are_sent_once_until_the_link_is_new() {
        let mut outbox = outbox_with(2);
        assert_eq!(outbox.next().as_ref().map(sequence), Some(1));
        assert_eq!(outbox.next().as_ref().map(sequence), Some(2));
        assert_eq!(outbox.next(), None);
        outbox.rewind();
        assert_eq!(outbox.next().as_ref().map(sequence), Some(1));
    }

    #[test]
    fn acknowledged_batches_are_not_sent_again() {
        let mut outbox = outbox_with(3);
        let stream = outbox.stream;
        let released = std::cell::Cell::new(0);
        let acknowledge = |outbox: &mut Outbox, stream, sequence| {
            let acknowledge = Acknowledge { stream, sequence };
            outbox.acknowledge(acknowledge, |_| released.set(released.get() + 1));
        };
        acknowledge(&mut outbox, stream.wrapping_add(1), 9);
        acknowledge(&mut outbox, stream, 2);
        outbox.rewind();
        assert_eq!(outbox.next().as_ref().map(sequence), Some(3));
        acknowledge(&mut outbox, stream, 3);
        assert_eq!(released.get(), 3);
        assert!(outbox.is_empty());
        assert_eq!(outbox.waiting_bytes, 0);
    }

    #[test]
    fn each_core_gives_a_batch_of_its_own() {
        let mut outbox = Outbox::new(Uuid::from_u128(1));
        outbox.put(vec![packed(3), packed(2)], 0);
        let sizes: Vec<_> = std::iter::from_fn(|| outbox.next())
            .map(|payload| Batch::decode(&payload).unwrap().records.len())
            .collect();
        assert_eq!(sizes, [3, 2]);
        outbox.put(Vec::new(), 0);
        assert_eq!(outbox.next(), None);
    }

    #[test]
    fn losses_are_told_even_without_records() {
        let mut outbox = outbox_with(0);
        outbox.put(Vec::new(), 5);
        let batch = Batch::decode(&outbox.next().unwrap()).unwrap();
        assert_eq!((batch.dropped, batch.records.len()), (5, 0));
    }

    #[test]
    fn oldest_batches_go_when_too_much_waits_and_are_counted() {
        let mut outbox = Outbox::new(Uuid::from_u128(1));
        let big = || Packed {
            memory: vec![0; MAX_WAITING_BYTES / 2],
            count: 7,
        };
        for _ in 0..3 {
            outbox.put(vec![big()], 0);
        }
        assert!(outbox.waiting_bytes <= MAX_WAITING_BYTES);
        // The losses of what was given up are told with the next batch.
        let told: u64 = outbox.waiting.iter().map(|waiting| waiting.records).sum();
        assert_eq!(told + outbox.dropped, 21);
    }
}
