//! Facts about waiting entries.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use parking_lot::Mutex;
use tracing::span::{Attributes, Id, Record};

use super::queue::Queue;
use super::trouble::Trouble;
use super::{Courier, Entry, Policy, lost_records};

impl Entry for u32 {
    fn bytes(&self) -> usize {
        4
    }
}

const RETRIES: Policy = Policy {
    max_batch: 10,
    max_retry_time: Duration::from_secs(60),
    first_delay: Duration::from_millis(1),
    max_delay: Duration::from_millis(2),
    ..Policy::SIMPLE
};

/// A courier that fails a number of times and tells what it delivered.
fn courier(policy: Policy, failures: usize) -> (Courier<u32>, Receiver<Vec<u32>>) {
    let (sender, receiver) = sync_channel(100);
    let mut left = failures;
    let deliver = Box::new(move |batch: &[u32]| {
        if left > 0 {
            left -= 1;
            return Err("not yet".to_owned());
        }
        sender
            .send(batch.to_vec())
            .map_err(|error| error.to_string())
    });
    (Courier::new("test".to_owned(), policy, deliver), receiver)
}

fn next(receiver: &Receiver<Vec<u32>>) -> Vec<u32> {
    receiver.recv_timeout(Duration::from_secs(10)).unwrap()
}

#[test]
fn the_oldest_entries_give_way() {
    let queue = Queue::<u32>::new(2, usize::MAX);
    for entry in 1..=5 {
        queue.push(entry);
    }
    assert_eq!(queue.take(10, Duration::ZERO), Some(vec![4, 5]));
    assert_eq!(queue.take_dropped(), 3);
    assert_eq!(queue.take_dropped(), 0);
}

#[test]
fn no_more_bytes_wait_than_may() {
    let queue = Queue::new(10, 8);
    for length in [3, 4, 2, 9] {
        queue.push(vec![0; length]);
    }
    let taken = queue.take(10, Duration::ZERO).unwrap();
    assert_eq!(taken.iter().map(Vec::len).collect::<Vec<_>>(), [4, 2]);
    assert_eq!(queue.take_dropped(), 2);
    queue.push(vec![0; 8]);
    assert_eq!(queue.take(1, Duration::ZERO), Some(vec![vec![0; 8]]));
    queue.push(vec![0; 9]);
    assert_eq!(queue.take(1, Duration::ZERO), Some(Vec::new()));
    assert_eq!(queue.take_dropped(), 1);
}

#[test]
fn a_closed_queue_gives_what_it_has_and_ends() {
    let queue = Queue::<u32>::new(5, usize::MAX);
    queue.push(1);
    queue.push(2);
    queue.close();
    assert_eq!(queue.take(1, Duration::from_secs(60)), Some(vec![1]));
    assert_eq!(queue.take(5, Duration::from_secs(60)), Some(vec![2]));
    assert_eq!(queue.take(1, Duration::ZERO), None);
    assert!(queue.pause(Duration::from_secs(60)));
}

#[test]
fn entries_are_delivered_in_order_and_what_waits_at_the_end_too() {
    let (courier, receiver) = courier(Policy::SIMPLE, 0);
    for entry in 1..=3 {
        courier.send(entry);
    }
    drop(courier);
    let delivered: Vec<_> = (0..3).flat_map(|_| next(&receiver)).collect();
    assert_eq!(delivered, [1, 2, 3]);
}

#[test]
fn a_failing_batch_is_tried_again() {
    let (courier, receiver) = courier(RETRIES, 3);
    courier.send(7);
    assert_eq!(next(&receiver), [7]);
}

#[test]
fn without_time_for_retries_a_failing_batch_is_given_up() {
    let (courier, receiver) = courier(Policy::SIMPLE, 1);
    courier.send(1);
    courier.send(2);
    assert_eq!(next(&receiver), [2]);
}

#[test]
fn a_full_batch_does_not_wait_for_more() {
    let gate = Arc::new(Mutex::new(()));
    let held = gate.lock();
    let (sender, receiver) = sync_channel(100);
    let deliver = {
        let gate = Arc::clone(&gate);
        Box::new(move |batch: &[u32]| {
            drop(gate.lock());
            sender
                .send(batch.to_vec())
                .map_err(|error| error.to_string())
        })
    };
    let policy = Policy {
        max_batch: 2,
        patience: Duration::from_secs(60),
        ..Policy::SIMPLE
    };
    let courier = Courier::new("test".to_owned(), policy, deliver);
    for entry in 1..=4 {
        courier.send(entry);
    }
    drop(held);
    assert_eq!((next(&receiver), next(&receiver)), (vec![1, 2], vec![3, 4]));
}

#[test]
fn entries_that_keep_coming_do_not_put_a_delivery_off() {
    let policy = Policy {
        max_batch: 10_000,
        patience: Duration::from_millis(200),
        ..Policy::SIMPLE
    };
    let (courier, receiver) = courier(policy, 0);
    let delivered = (0..9_999).find_map(|entry| {
        courier.send(entry);
        receiver.recv_timeout(Duration::from_millis(1)).ok()
    });
    assert_eq!(delivered.and_then(|batch| batch.first().copied()), Some(0));
}

#[test]
fn batches_are_delivered_at_the_same_time_where_that_is_wished() {
    let meeting = Arc::new(std::sync::Barrier::new(4));
    let policy = Policy {
        senders: 4,
        ..Policy::SIMPLE
    };
    let (sender, receiver) = sync_channel(100);
    let courier = Courier::<u32>::with("test".to_owned(), policy, || {
        let (meeting, sender) = (Arc::clone(&meeting), sender.clone());
        let deliver: super::Deliver<u32> = Box::new(move |batch| {
            // Nobody goes on before all four are here.
            meeting.wait();
            let sent = sender.send(batch.to_vec());
            sent.map_err(|error| error.to_string())
        });
        Ok::<_, std::convert::Infallible>(deliver)
    });
    let courier = courier.unwrap();
    // An entry that nobody takes at once may find a sender with the next one.
    let mut sent = 0;
    let mut delivered = Vec::new();
    while delivered.len() < 4 {
        courier.send(sent);
        sent += 1;
        while let Ok(batch) = receiver.recv_timeout(Duration::from_millis(20)) {
            delivered.extend(batch);
        }
    }
    delivered.sort_unstable();
    assert_eq!(delivered[..4], [0, 1, 2, 3]);
}

#[test]
fn a_sender_that_waits_for_its_next_attempt_keeps_no_entry_from_others() {
    let policy = Policy {
        senders: 2,
        max_retry_time: Duration::from_secs(3600),
        first_delay: Duration::from_secs(3600),
        max_delay: Duration::from_secs(3600),
        ..Policy::SIMPLE
    };
    let (sender, receiver) = sync_channel(100);
    let courier = Courier::<u32>::with("test".to_owned(), policy, || {
        let sender = sender.clone();
        let deliver: super::Deliver<u32> = Box::new(move |batch| {
            drop(sender.send(batch.to_vec()));
            match batch {
                [0] => Err("not yet".to_owned()),
                _ => Ok(()),
            }
        });
        Ok::<_, std::convert::Infallible>(deliver)
    });
    let courier = courier.unwrap();
    for entry in 0..20 {
        courier.send(entry);
        assert_eq!(next(&receiver), [entry]);
    }
}

#[test]
fn a_reader_that_gathers_a_batch_counts_as_one_that_waits_for_it() {
    let queue = Arc::new(Queue::<u32>::new(100, usize::MAX));
    queue.push(1);
    let reader = {
        let queue = Arc::clone(&queue);
        std::thread::spawn(move || queue.take(2, Duration::from_secs(60)))
    };
    // One entry waits until somebody gathers.
    while queue.lacks_readers(1) {
        std::thread::yield_now();
    }
    queue.push(2);
    assert!(!queue.lacks_readers(2));
    assert_eq!(reader.join().unwrap(), Some(vec![1, 2]));
    queue.push(3);
    queue.push(4);
    assert!(queue.lacks_readers(2));
}

/// The lines that troubles make, by number.
#[derive(Clone, Default)]
struct Lines(Arc<AtomicUsize>);

impl tracing::Subscriber for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_receiver_that_is_away_is_told_once_until_it_works_again() {
    let lines = Lines::default();
    let told = |more: &dyn Fn()| {
        more();
        lines.0.swap(0, Ordering::Relaxed)
    };
    tracing::subscriber::with_default(lines.clone(), || {
        let trouble = RefCell::new(Trouble::new("trouble test"));
        let fail = || trouble.borrow_mut().failed(2, "refused");
        let deliver = || trouble.borrow_mut().delivered();
        let drop_some = |count| trouble.borrow_mut().dropped(count);
        assert_eq!(told(&deliver), 0);
        assert_eq!(told(&fail), 1);
        assert_eq!(told(&fail), 0);
        assert_eq!(told(&deliver), 1);
        assert_eq!(told(&deliver), 0);
        assert_eq!(told(&fail), 1);
        assert_eq!(told(&|| drop_some(0)), 0);
        assert_eq!(told(&|| drop_some(3)), 1);
        assert_eq!(told(&|| drop_some(3)), 0);
        assert_eq!(told(&|| drop_some(0)), 1);
        assert_eq!(told(&|| drop_some(0)), 0);
    });
    assert!(lost_records().contains(&("trouble".to_owned(), 6)));
}
