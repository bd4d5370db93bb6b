//! Batches that wait for being sent or acknowledged.

use std::collections::VecDeque;

use bytes::Bytes;
use uuid::Uuid;
use wire::WireError;
use wire::telemetry::{Acknowledge, Batch, Record};

use super::record::RequestRecord;

/// Most records in one batch.
pub(super) const BATCH_RECORDS: usize = 5_000;
/// Most batches that wait; the oldest goes when another one comes.
pub(super) const MAX_WAITING: usize = 64;

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
}

impl Outbox {
    pub(super) fn new(node_id: Uuid) -> Self {
        Self {
            node_id,
            stream: u64::from_le_bytes(clock::random_bytes()),
            next_sequence: 1,
            dropped: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Makes batches of what was taken from the sink, ready to be packed.
    pub(super) fn batches(&mut self, records: Vec<RequestRecord>, dropped: u64) -> Vec<Batch> {
        self.dropped += dropped;
        let mut batches = Vec::new();
        let mut records = records.into_iter();
        loop {
            let chunk: Vec<Record> = records
                .by_ref()
                .take(BATCH_RECORDS)
                .map(Record::from)
                .collect();
            if chunk.is_empty() && self.dropped == 0 {
                return batches;
            }
            batches.push(Batch {
                node_id: self.node_id,
                stream: self.stream,
                sequence: self.next_sequence,
                dropped: std::mem::take(&mut self.dropped),
                records: chunk,
            });
            self.next_sequence += 1;
        }
    }

    /// Takes in a packed batch. When too many wait, the oldest is given up and counted.
    pub(super) fn put(&mut self, batch: &Batch, packed: Result<Bytes, WireError>) {
        let records = batch.records.len() as u64 + batch.dropped;
        match packed {
            Ok(payload) => self.waiting.push_back(Waiting {
                sequence: batch.sequence,
                payload,
                records,
                is_sent: false,
            }),
            Err(error) => {
                tracing::error!(%error, "a telemetry batch cannot be packed");
                self.dropped += records;
            }
        }
        while self.waiting.len() > MAX_WAITING {
            if let Some(oldest) = self.waiting.pop_front() {
                self.dropped += oldest.records;
            }
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

    /// The platform keeps a batch and all before it.
    pub(super) fn acknowledge(&mut self, acknowledge: Acknowledge) {
        if acknowledge.stream == self.stream {
            self.waiting
                .retain(|waiting| waiting.sequence > acknowledge.sequence);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox_with(count: usize) -> Outbox {
        let mut outbox = Outbox::new(Uuid::from_u128(1));
        for _ in 0..count {
            for batch in outbox.batches(vec![RequestRecord::default()], 0) {
                outbox.put(&batch, batch.encode());
            }
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
        let foreign = Acknowledge {
            stream: stream.wrapping_add(1),
            sequence: 9,
        };
        outbox.acknowledge(foreign);
        outbox.acknowledge(Acknowledge {
            stream,
            sequence: 2,
        });
        outbox.rewind();
        assert_eq!(outbox.next().as_ref().map(sequence), Some(3));
        outbox.acknowledge(Acknowledge {
            stream,
            sequence: 3,
        });
        assert!(outbox.is_empty());
    }

    #[test]
    fn many_records_become_several_batches() {
        let mut outbox = Outbox::new(Uuid::from_u128(1));
        let records = vec![RequestRecord::default(); 2 * BATCH_RECORDS + 1];
        let sizes: Vec<_> = outbox
            .batches(records, 0)
            .iter()
            .map(|batch| batch.records.len())
            .collect();
        assert_eq!(sizes, [BATCH_RECORDS, BATCH_RECORDS, 1]);
        assert_eq!(outbox.batches(Vec::new(), 0), []);
    }

    #[test]
    fn losses_are_told_with_the_next_batch() {
        let mut outbox = outbox_with(MAX_WAITING + 2);
        assert_eq!(outbox.waiting.len(), MAX_WAITING);
        let batches = outbox.batches(Vec::new(), 5);
        // One was told with the last batch that waits already.
        assert_eq!((batches.len(), batches[0].dropped), (1, 6));
    }
}
