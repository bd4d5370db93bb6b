//! The thread that delivers entries.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::losses;
use super::queue::{Entry, Queue};
use super::trouble::Trouble;

/// Delivers a batch, or says why not.
pub(crate) type Deliver<T> = Box<dyn FnMut(&[T]) -> Result<(), String> + Send>;

/// How entries wait and are delivered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// Most entries that wait.
    pub(crate) max_entries: usize,
    /// Most bytes that wait.
    pub(crate) max_bytes: usize,
    /// Most entries delivered at a time.
    pub(crate) max_batch: usize,
    /// How long to wait for further entries after the first.
    pub(crate) patience: Duration,
    /// After this time a failing batch is given up; zero tries once.
    pub(crate) max_retry_time: Duration,
    /// Wait before the first retry; doubled for each further one.
    pub(crate) first_delay: Duration,
    /// Longest wait between retries.
    pub(crate) max_delay: Duration,
    /// Most batches that are delivered at the same time.
    pub(crate) senders: usize,
}

impl Policy {
    /// One entry at a time, tried once.
    pub(crate) const SIMPLE: Self = Self {
        max_entries: 10_000,
        max_bytes: usize::MAX,
        max_batch: 1,
        patience: Duration::ZERO,
        max_retry_time: Duration::ZERO,
        first_delay: Duration::ZERO,
        max_delay: Duration::ZERO,
        senders: 1,
    };
}

/// Takes entries and has them delivered by threads of its own. The first starts with the first
/// entry, each further one when a whole batch waits and all others are busy.
pub(crate) struct Courier<T> {
    name: String,
    queue: Arc<Queue<T>>,
    policy: Policy,
    /// Those whose threads have not started.
    spare: Mutex<Vec<Deliver<T>>>,
}

impl<T> fmt::Debug for Courier<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier")
            .field("name", &self.name)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl<T: Entry + Send + 'static> Courier<T> {
    /// A courier that delivers one batch at a time; `name` is for logs.
    pub(crate) fn new(name: String, policy: Policy, deliver: Deliver<T>) -> Self {
        Self::of(name, policy, vec![deliver])
    }

    /// A courier that delivers as many batches at a time as its policy says, each with a sender
    /// of its own.
    ///
    /// # Errors
    ///
    /// What `make` has against a sender.
    pub(crate) fn with<E>(
        name: String,
        policy: Policy,
        mut make: impl FnMut() -> Result<Deliver<T>, E>,
    ) -> Result<Self, E> {
        let senders = (0..policy.senders.max(1)).map(|_| make());
        Ok(Self::of(name, policy, senders.collect::<Result<_, E>>()?))
    }

    fn of(name: String, policy: Policy, spare: Vec<Deliver<T>>) -> Self {
        Self {
            name,
            queue: Arc::new(Queue::new(policy.max_entries, policy.max_bytes)),
            policy,
            spare: Mutex::new(spare),
        }
    }

    /// Has an entry delivered.
    pub(crate) fn send(&self, entry: T) {
        losses::count(&self.name, self.queue.push(entry));
        let deliver = {
            let mut spare = self.spare.lock();
            let is_first = spare.len() == self.policy.senders.max(1);
            let is_wanted = is_first || self.queue.lacks_readers(self.policy.max_batch);
            is_wanted.then(|| spare.pop()).flatten()
        };
        let Some(deliver) = deliver else {
            return;
        };
        let (queue, policy, name) = (Arc::clone(&self.queue), self.policy, self.name.clone());
        let thread = std::thread::Builder::new().name("plugin-log".to_owned());
        let spawned = thread.spawn(move || run(&name, &queue, policy, deliver));
        if let Err(error) = spawned {
            tracing::warn!(plugin = %self.name, %error, "no thread for the records of a plugin");
        }
    }
}

impl<T> Drop for Courier<T> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn run<T: Entry>(name: &str, queue: &Queue<T>, policy: Policy, mut deliver: Deliver<T>) {
    let mut trouble = Trouble::new(name);
    while let Some(batch) = queue.take(policy.max_batch, policy.patience) {
        trouble.dropped(queue.take_dropped());
        if batch.is_empty() {
            continue;
        }
        match attempt(queue, policy, &batch, &mut deliver) {
            Ok(()) => trouble.delivered(),
            Err(reason) => trouble.failed(batch.len() as u64, &reason),
        }
    }
}

/// Delivers a batch, again and again until the time for it is over; then why it failed.
fn attempt<T: Entry>(
    queue: &Queue<T>,
    policy: Policy,
    batch: &[T],
    deliver: &mut Deliver<T>,
) -> Result<(), String> {
    let started = clock::unix_millis();
    let mut delay = policy.first_delay;
    loop {
        let Err(reason) = deliver(batch) else {
            return Ok(());
        };
        let spent = Duration::from_millis(clock::unix_millis().saturating_sub(started));
        if spent >= policy.max_retry_time || queue.pause(delay) {
            return Err(reason);
        }
        delay = delay.saturating_mul(2).min(policy.max_delay);
    }
}
