//! What was counted, by core.
//!
//! Each core counts into a shard of its own, whose lock nobody else takes but who collects; the
//! shards are summed up then. The labels that callers can multiply are bounded.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

use super::histogram::{GATEWAY, Histogram, MODEL, REQUEST};
use crate::measures::ModelCall;

/// Limit: sets of labels that are kept, over all cores. What would need another one is counted
/// as an error of metrics instead.
pub(super) const SERIES_MAX: usize = 100_000;

/// Service and route, as labels name them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) service: Bytes,
    pub(super) route: Bytes,
}

/// What tells requests apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RequestKey {
    pub(super) place: Place,
    pub(super) code: u16,
    /// Whether the service answered.
    pub(super) is_of_service: bool,
    pub(super) consumer: Bytes,
}

/// The times of a place.
#[derive(Clone, Debug)]
pub(super) struct Latencies {
    pub(super) request: Histogram,
    pub(super) upstream: Histogram,
    pub(super) kong: Histogram,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            request: Histogram::new(REQUEST),
            upstream: Histogram::new(REQUEST),
            kong: Histogram::new(GATEWAY),
        }
    }
}

/// What a request adds. Nothing of what is not collected.
#[derive(Debug, Default)]
pub(super) struct Observation<'a> {
    /// Status, and whether the service answered.
    pub(super) status: Option<(u16, bool)>,
    /// Bytes received and sent.
    pub(super) bytes: Option<(u64, u64)>,
    /// Milliseconds: of the request, in the gateway, and of the service if it answered.
    pub(super) times: Option<(u64, u64, Option<u64>)>,
    /// A call of a language model.
    pub(super) model: Option<&'a ModelCall>,
}

/// What was counted of language models.
#[derive(Clone, Debug)]
pub(super) struct Models {
    pub(super) requests: u64,
    pub(super) cost: f64,
    /// Prompt, completion, both.
    pub(super) tokens: [u64; 3],
    pub(super) latency: Histogram,
}

impl Default for Models {
    fn default() -> Self {
        Self {
            requests: 0,
            cost: 0.0,
            tokens: [0; 3],
            latency: Histogram::new(MODEL),
        }
    }
}

/// What one core counted, or all of them.
#[derive(Debug, Default)]
pub(super) struct Shard {
    requests: HashMap<RequestKey, u64>,
    /// Bytes received and sent, by place and consumer.
    bandwidth: HashMap<(Place, Bytes), [u64; 2]>,
    latencies: HashMap<Place, Latencies>,
    models: HashMap<[String; 3], Models>,
}

/// All shards, summed up and sorted.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) requests: BTreeMap<RequestKey, u64>,
    pub(super) bandwidth: BTreeMap<(Place, Bytes), [u64; 2]>,
    pub(super) latencies: BTreeMap<Place, Latencies>,
    /// By provider, model and state of the cache.
    pub(super) models: BTreeMap<[String; 3], Models>,
    /// Requests that could not be counted.
    pub(super) errors: u64,
    /// Sets of labels that are kept.
    pub(super) series: usize,
}

/// What all instances of a node count into.
pub(super) struct Registry {
    number: u64,
    shards: Mutex<Vec<Arc<Mutex<Shard>>>>,
    room: Room,
    /// Instances that show the health of targets.
    watchers: AtomicUsize,
}

/// How much may still be kept.
#[derive(Debug, Default)]
struct Room {
    series: AtomicUsize,
    errors: AtomicU64,
}

impl Default for Registry {
    fn default() -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            shards: Mutex::default(),
            room: Room::default(),
            watchers: AtomicUsize::new(0),
        }
    }
}

/// Shards of this thread, by number of their registry.
type Own = RefCell<Vec<(u64, Arc<Mutex<Shard>>)>>;

thread_local! {
    static OWN: Own = const { RefCell::new(Vec::new()) };
}

impl Registry {
    /// Counts a request.
    pub(super) fn observe(&self, place: Place, consumer: Bytes, observed: &Observation<'_>) {
        let shard = self.shard();
        let mut shard = shard.lock();
        let shard = &mut *shard;
        if let Some((code, is_of_service)) = observed.status {
            let key = RequestKey {
                place: place.clone(),
                code,
                is_of_service,
                consumer: consumer.clone(),
            };
            self.room.add(&mut shard.requests, key, |count| *count += 1);
        }
        if let Some((received, sent)) = observed.bytes {
            let key = (place.clone(), consumer);
            self.room
                .add(&mut shard.bandwidth, key, |[inward, outward]| {
                    *inward += received;
                    *outward += sent;
                });
        }
        if let Some((request, kong, upstream)) = observed.times {
            self.room.add(&mut shard.latencies, place, |times| {
                times.request.observe(request);
                times.kong.observe(kong);
                if let Some(upstream) = upstream {
                    times.upstream.observe(upstream);
                }
            });
        }
        if let Some(call) = observed.model {
            let key = [&call.provider, &call.model, &call.cache_status].map(Clone::clone);
            self.room.add(&mut shard.models, key, |models| {
                models.requests += 1;
                models.cost += call.cost;
                let tokens = [call.prompt_tokens, call.completion_tokens];
                let both = tokens.iter().sum();
                for (total, more) in models.tokens.iter_mut().zip([tokens[0], tokens[1], both]) {
                    *total += more;
                }
                models.latency.observe(call.latency_ms);
            });
        }
    }

    /// The shard of this thread.
    fn shard(&self) -> Arc<Mutex<Shard>> {
        OWN.with_borrow_mut(|own| {
            if let Some((_, shard)) = own.iter().find(|(number, _)| *number == self.number) {
                return Arc::clone(shard);
            }
            let shard = Arc::<Mutex<Shard>>::default();
            self.shards.lock().push(Arc::clone(&shard));
            own.push((self.number, Arc::clone(&shard)));
            shard
        })
    }

    /// Everything that was counted.
    pub(super) fn totals(&self) -> Totals {
        let mut totals = Totals {
            errors: self.room.errors.load(Ordering::Relaxed),
            series: self.room.series.load(Ordering::Relaxed),
            ..Totals::default()
        };
        for shard in self.shards.lock().iter() {
            let shard = shard.lock();
            for (key, count) in &shard.requests {
                *totals.requests.entry(key.clone()).or_default() += count;
            }
            for (key, bytes) in &shard.bandwidth {
                let total = totals.bandwidth.entry(key.clone()).or_default();
                for (total, more) in total.iter_mut().zip(bytes) {
                    *total += more;
                }
            }
            for (place, times) in &shard.latencies {
                let total = totals.latencies.entry(place.clone()).or_default();
                total.request.merge(&times.request);
                total.upstream.merge(&times.upstream);
                total.kong.merge(&times.kong);
            }
            for (key, models) in &shard.models {
                let total = totals.models.entry(key.clone()).or_default();
                total.requests += models.requests;
                total.cost += models.cost;
                for (total, more) in total.tokens.iter_mut().zip(models.tokens) {
                    *total += more;
                }
                total.latency.merge(&models.latency);
            }
        }
        totals
    }

    /// An instance that shows the health of targets came or went.
    pub(super) fn watch(&self, is_there: bool) {
        if is_there {
            self.watchers.fetch_add(1, Ordering::Relaxed);
        } else {
            self.watchers.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether any instance shows the health of targets.
    pub(super) fn shows_targets(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }
}

impl Room {
    /// Changes the value of a key. A key that is not there yet needs room.
    fn add<K: Hash + Eq, V: Default>(
        &self,
        map: &mut HashMap<K, V>,
        key: K,
        change: impl FnOnce(&mut V),
    ) {
        if let Some(value) = map.get_mut(&key) {
            return change(value);
        }
        if self.series.fetch_add(1, Ordering::Relaxed) >= SERIES_MAX {
            self.series.fetch_sub(1, Ordering::Relaxed);
            self.errors.fetch_add(1, Ordering::Relaxed);
            return;
        }
        change(map.entry(key).or_default());
    }
}
