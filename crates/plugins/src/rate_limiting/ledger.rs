//! Counters of a node that are brought together with those of other nodes now and then.
//!
//! Within a node every request counts at once, so a node by itself is exact. What others counted
//! is known as of the last exchange: between two exchanges each node may let pass what it does not
//! know of yet, which is at most what the others let pass in that time.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use super::counters::{Counters, Usage};
use super::period::Period;
use super::remote::{Key, Remote, RemoteError};

/// Limit: counters in one exchange.
const BATCH_MAX: usize = 500;

/// Who was counted where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    scope: [u8; 32],
    caller: Box<[u8]>,
}

/// The ledgers of a node, by place and interval: they outlive a configuration.
#[derive(Debug, Default)]
pub(crate) struct Ledgers {
    open: Mutex<HashMap<String, Weak<Ledger>>>,
}

impl Ledgers {
    /// The ledger of a place.
    pub(crate) fn open(&self, remote: &Remote, interval: Duration) -> Arc<Ledger> {
        let name = format!("{} every {interval:?}", remote.place());
        let mut open = self.open.lock();
        if let Some(ledger) = open.get(&name).and_then(Weak::upgrade) {
            return ledger;
        }
        let ledger = Arc::new(Ledger {
            counters: Counters::default(),
            remote: remote.clone(),
            dirty: Mutex::default(),
        });
        open.retain(|_, ledger| ledger.strong_count() > 0);
        open.insert(name, Arc::downgrade(&ledger));
        ledger.start(interval);
        ledger
    }
}

/// Counters of a node and where they are brought together.
pub(crate) struct Ledger {
    counters: Counters,
    remote: Remote,
    /// Whose counters changed since the last exchange.
    dirty: Mutex<HashSet<Entry>>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger")
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}

/// Name of a counter.
///
/// Compat: the reference's.
pub(crate) fn key(scope: &[u8; 32], caller: &[u8], period: Period, start_ms: u64) -> Key {
    let id = |bytes: &[u8]| uuid::Uuid::from_slice(bytes).unwrap_or_default();
    let (route, service) = (id(&scope[..16]), id(&scope[16..]));
    let caller = String::from_utf8_lossy(caller);
    Key {
        name: format!(
            "ratelimit:{route}:{service}:{caller}:{start_ms}:{}",
            period.field()
        ),
        period,
        start_ms,
    }
}

impl Ledger {
    /// Counts a request unless a limit is used up; nothing if it is not known yet what others
    /// counted of this caller, which [`Ledger::learn`] asks for.
    pub(crate) fn take(
        &self,
        scope: &[u8; 32],
        caller: &[u8],
        limits: &[(Period, f64)],
        now_ms: u64,
    ) -> Option<Usage> {
        let usage = self.counters.take_known(scope, caller, limits, now_ms)?;
        if usage.exceeded.is_none() {
            let entry = Entry {
                scope: *scope,
                caller: caller.into(),
            };
            self.dirty.lock().insert(entry);
        }
        Some(usage)
    }

    /// Asks what others counted of a caller.
    ///
    /// # Errors
    ///
    /// [`RemoteError`].
    pub(crate) async fn learn(
        &self,
        scope: &[u8; 32],
        caller: &[u8],
        limits: &[(Period, f64)],
        now_ms: u64,
    ) -> Result<(), RemoteError> {
        let of = |(period, _): &(Period, f64)| key(scope, caller, *period, period.start_ms(now_ms));
        let keys: Vec<Key> = limits.iter().map(of).collect();
        let totals = self.remote.read(&keys).await?;
        for (key, total) in keys.iter().zip(totals) {
            let window = (key.period, key.start_ms);
            self.counters.learn(scope, caller, window, total);
        }
        Ok(())
    }

    /// Exchanges now and then, until nobody holds the ledger.
    fn start(self: &Arc<Self>, interval: Duration) {
        let ledger = Arc::downgrade(self);
        let thread = std::thread::Builder::new().name("plugin-sync".to_owned());
        let run = move || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let Ok(runtime) = builder.enable_all().build() else {
                return;
            };
            runtime.block_on(async move {
                loop {
                    tokio::time::sleep(interval).await;
                    let Some(ledger) = ledger.upgrade() else {
                        return;
                    };
                    ledger.exchange().await;
                }
            });
        };
        if let Err(error) = thread.spawn(run) {
            tracing::warn!(%error, "no thread to bring counters together: each node counts alone");
        }
    }

    /// Sends what was counted and learns what others did.
    pub(crate) async fn exchange(&self) {
        let dirty: Vec<Entry> = self.dirty.lock().drain().collect();
        let mut additions = Vec::new();
        for entry in &dirty {
            let windows = self.counters.unsent(&entry.scope, &entry.caller);
            additions.extend(windows.into_iter().map(|(period, start_ms, count)| {
                let key = key(&entry.scope, &entry.caller, period, start_ms);
                (entry, key, count)
            }));
        }
        for batch in additions.chunks(BATCH_MAX) {
            let pairs: Vec<(Key, u64)> = batch
                .iter()
                .map(|(_, key, count)| (key.clone(), *count))
                .collect();
            match self.remote.add(&pairs).await {
                Ok(totals) => {
                    for ((entry, key, _), total) in batch.iter().zip(totals) {
                        let window = (key.period, key.start_ms);
                        self.counters
                            .learn(&entry.scope, &entry.caller, window, total);
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "counters could not be brought together");
                    for (entry, key, count) in batch {
                        let window = (key.period, key.start_ms);
                        self.counters
                            .keep(&entry.scope, &entry.caller, window, *count);
                        self.dirty.lock().insert((*entry).clone());
                    }
                }
            }
        }
    }
}
