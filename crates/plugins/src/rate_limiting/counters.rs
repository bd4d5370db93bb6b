//! Counting requests per caller and window, over all cores of the node.
//!
//! Checking and counting are one step under the lock of one shard, so a limit is exact however
//! many cores ask at once; the lock is held for a few comparisons. Counters live in memory and
//! outlive a configuration, not the process.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use parking_lot::Mutex;

use super::period::Period;

/// Limit: callers remembered per node. A caller costs about 300 bytes, so at most some 80 MiB;
/// beyond that the one not seen for longest among a few is forgotten, and starts afresh.
pub(crate) const CALLERS_MAX: usize = 262_144;

/// Limit: bytes of a caller's name kept as they are; a longer name is counted by its hash.
pub(crate) const NAME_BYTES_MAX: usize = 256;

/// Number of locks. Many more than cores, so that two cores seldom meet.
const SHARDS: usize = 64;

/// How many entries are looked at when one must be forgotten.
const EVICTION_SAMPLE: usize = 8;

/// Length below which a shard is not searched for entries whose time is over.
const SWEEP_MIN: usize = 64;

/// All counters of a node.
pub(crate) struct Counters {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    shard_max: usize,
}

#[derive(Default)]
struct Shard {
    callers: HashMap<Box<[u8]>, Caller>,
    /// Number of callers at which the next search for dead entries is due.
    sweep_at: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Caller {
    windows: [Window; Period::COUNT],
    seen_ms: u64,
    /// Moment after which no window is open any more.
    expires_ms: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    start_ms: u64,
    count: u64,
    /// Of the count, what nobody outside this node knows of yet.
    unsent: u32,
    /// Whether it is known what was counted outside this node.
    is_known: bool,
}

/// What was counted before this request, by position of the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Requests of the window so far, in the order of the limits asked for.
    pub(crate) counts: [u64; Period::COUNT],
    /// Position of the limit that is used up; the request was not counted then.
    pub(crate) exceeded: Option<usize>,
}

impl Usage {
    /// What was counted elsewhere before a request, by position of the limit.
    pub(crate) fn of(limits: &[(Period, f64)], held: &[u64]) -> Self {
        let mut usage = Self {
            counts: [0; Period::COUNT],
            exceeded: None,
        };
        let pairs = limits.iter().zip(held).enumerate().take(Period::COUNT);
        for (at, ((_, limit), held)) in pairs {
            usage.counts[at] = *held;
            if reaches(*held, *limit) {
                usage.exceeded = Some(at);
            }
        }
        usage
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self::with_capacity(CALLERS_MAX)
    }
}

impl Counters {
    /// Counters for at most this many callers.
    pub(crate) fn with_capacity(callers_max: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            shard_max: (callers_max / SHARDS).max(1),
        }
    }

    /// Counts a request of a caller unless a limit is used up. `scope` keeps instances apart.
    pub(crate) fn take(
        &self,
        scope: &[u8; 32],
        caller: &[u8],
        limits: &[(Period, f64)],
        now_ms: u64,
    ) -> Usage {
        let mut room = [0; 32 + NAME_BYTES_MAX];
        let key = self.key(&mut room, scope, caller);
        let mut shard = self.shard(key).lock();
        if let Some(caller) = shard.callers.get_mut(key) {
            return caller.take(limits, now_ms);
        }
        shard.make_room(self.shard_max, now_ms);
        let mut fresh = Caller::default();
        let usage = fresh.take(limits, now_ms);
        shard.callers.insert(key.into(), fresh);
        usage
    }

    /// The same for a caller of whom it is known what was counted outside this node; nothing
    /// otherwise.
    pub(crate) fn take_known(
        &self,
        scope: &[u8; 32],
        caller: &[u8],
        limits: &[(Period, f64)],
        now_ms: u64,
    ) -> Option<Usage> {
        self.with(scope, caller, |caller| {
            let caller = caller?;
            let is_known = limits.iter().all(|(period, _)| {
                let window = &mut caller.windows[period.index()];
                window.open(*period, now_ms);
                window.is_known
            });
            is_known.then(|| caller.take(limits, now_ms))
        })
    }

    /// Notes what a window holds outside this node.
    pub(crate) fn learn(
        &self,
        scope: &[u8; 32],
        caller: &[u8],
        (period, start_ms): (Period, u64),
        total: u64,
    ) {
        let mut room = [0; 32 + NAME_BYTES_MAX];
        let key = self.key(&mut room, scope, caller);
        let mut shard = self.shard(key).lock();
        if !shard.callers.contains_key(key) {
            shard.make_room(self.shard_max, start_ms);
        }
        let caller = shard.callers.entry(key.into()).or_default();
        let window = &mut caller.windows[period.index()];
        if start_ms > window.start_ms {
            *window = Window {
                start_ms,
                ..Window::default()
            };
        }
        if window.start_ms == start_ms {
            window.count = total.saturating_add(u64::from(window.unsent));
            window.is_known = true;
            let end_ms = start_ms + period.longest_ms();
            caller.expires_ms = caller.expires_ms.max(end_ms);
        }
    }

    /// Hands out what nobody outside this node knows of: windows and counts.
    pub(crate) fn unsent(&self, scope: &[u8; 32], caller: &[u8]) -> Vec<(Period, u64, u64)> {
        self.with(scope, caller, |caller| {
            let Some(caller) = caller else {
                return Vec::new();
            };
            let take = |period: Period| {
                let window = &mut caller.windows[period.index()];
                let count = std::mem::take(&mut window.unsent);
                (count > 0).then_some((period, window.start_ms, u64::from(count)))
            };
            Period::ALL.into_iter().filter_map(take).collect()
        })
    }

    /// Takes back what could not be told.
    pub(crate) fn keep(
        &self,
        scope: &[u8; 32],
        caller: &[u8],
        (period, start_ms): (Period, u64),
        count: u64,
    ) {
        self.with(scope, caller, |caller| {
            let Some(caller) = caller else { return };
            let window = &mut caller.windows[period.index()];
            if window.start_ms == start_ms {
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                window.unsent = window.unsent.saturating_add(count);
            }
        });
    }

    fn shard(&self, key: &[u8]) -> &Mutex<Shard> {
        let at = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or_default();
        &self.shards[at]
    }

    fn with<T>(
        &self,
        scope: &[u8; 32],
        caller: &[u8],
        act: impl FnOnce(Option<&mut Caller>) -> T,
    ) -> T {
        let mut room = [0; 32 + NAME_BYTES_MAX];
        let key = self.key(&mut room, scope, caller);
        let mut shard = self.shard(key).lock();
        act(shard.callers.get_mut(key))
    }

    /// What was counted of a caller in the windows of this moment.
    pub(crate) fn read(
        &self,
        scope: &[u8; 32],
        caller: &[u8],
        periods: &[Period],
        now_ms: u64,
    ) -> [u64; Period::COUNT] {
        self.count(scope, caller, periods, (0, now_ms))
    }

    /// Counts for a caller in the windows of this moment, whatever its limits are.
    pub(crate) fn add(
        &self,
        scope: &[u8; 32],
        caller: &[u8],
        periods: &[Period],
        (count, now_ms): (u64, u64),
    ) {
        self.count(scope, caller, periods, (count, now_ms));
    }

    fn count(
        &self,
        scope: &[u8; 32],
        caller: &[u8],
        periods: &[Period],
        (count, now_ms): (u64, u64),
    ) -> [u64; Period::COUNT] {
        let mut room = [0; 32 + NAME_BYTES_MAX];
        let key = self.key(&mut room, scope, caller);
        let mut shard = self.shard(key).lock();
        if let Some(caller) = shard.callers.get_mut(key) {
            return caller.count(periods, count, now_ms);
        }
        if count == 0 {
            return [0; Period::COUNT];
        }
        shard.make_room(self.shard_max, now_ms);
        let mut fresh = Caller::default();
        let counts = fresh.count(periods, count, now_ms);
        shard.callers.insert(key.into(), fresh);
        counts
    }

    /// Number of callers remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|s| s.lock().callers.len()).sum()
    }

    /// Writes the key into `room` and gives the part that is used.
    fn key<'r>(
        &self,
        room: &'r mut [u8; 32 + NAME_BYTES_MAX],
        scope: &[u8; 32],
        caller: &[u8],
    ) -> &'r [u8] {
        room[..32].copy_from_slice(scope);
        if caller.len() <= NAME_BYTES_MAX {
            room[32..32 + caller.len()].copy_from_slice(caller);
            return &room[..32 + caller.len()];
        }
        // Keyed with random keys of this process, so nobody can aim at a collision.
        let halves = [
            self.hasher.hash_one(caller),
            self.hasher.hash_one((caller, 1)),
        ];
        room[32..40].copy_from_slice(&halves[0].to_le_bytes());
        room[40..48].copy_from_slice(&halves[1].to_le_bytes());
        // A length no plain name of sixteen bytes has: two keys never mean two callers.
        room[48..56].copy_from_slice(&(caller.len() as u64).to_le_bytes());
        room[56] = 0;
        &room[..57]
    }
}

impl Shard {
    fn make_room(&mut self, max: usize, now_ms: u64) {
        if self.callers.len() >= self.sweep_at.max(SWEEP_MIN).min(max) {
            self.callers.retain(|_, caller| caller.expires_ms > now_ms);
            self.sweep_at = self.callers.len() * 2;
        }
        if self.callers.len() < max {
            return;
        }
        let longest_unseen = self
            .callers
            .iter()
            .take(EVICTION_SAMPLE)
            .min_by_key(|(_, caller)| caller.seen_ms)
            .map(|(key, _)| key.clone());
        if let Some(key) = longest_unseen {
            self.callers.remove(&key);
        }
    }
}

impl Caller {
    fn take(&mut self, limits: &[(Period, f64)], now_ms: u64) -> Usage {
        let mut usage = Usage {
            counts: [0; Period::COUNT],
            exceeded: None,
        };
        for (at, (period, limit)) in limits.iter().enumerate().take(Period::COUNT) {
            let window = &mut self.windows[period.index()];
            window.open(*period, now_ms);
            usage.counts[at] = window.count;
            if reaches(window.count, *limit) {
                usage.exceeded = Some(at);
            }
            let end_ms = window.start_ms + period.longest_ms();
            self.expires_ms = self.expires_ms.max(end_ms);
        }
        self.seen_ms = now_ms;
        if usage.exceeded.is_none() {
            for (period, _) in limits {
                let window = &mut self.windows[period.index()];
                window.count += 1;
                window.unsent = window.unsent.saturating_add(1);
            }
        }
        usage
    }
}

impl Caller {
    /// Adds to the windows of this moment; gives what they hold then, in the order asked for.
    fn count(&mut self, periods: &[Period], count: u64, now_ms: u64) -> [u64; Period::COUNT] {
        let mut counts = [0; Period::COUNT];
        for (at, period) in periods.iter().enumerate().take(Period::COUNT) {
            let window = &mut self.windows[period.index()];
            window.open(*period, now_ms);
            window.count = window.count.saturating_add(count);
            counts[at] = window.count;
            let end_ms = window.start_ms + period.longest_ms();
            self.expires_ms = self.expires_ms.max(end_ms);
        }
        self.seen_ms = now_ms;
        counts
    }
}

impl Window {
    /// Starts afresh if the window of this moment is another one. A core whose clock lags a
    /// little behind counts into the newer window; a clock set back by more than a window starts
    /// afresh.
    fn open(&mut self, period: Period, now_ms: u64) {
        let start_ms = period.start_ms(now_ms);
        let is_lagging =
            start_ms < self.start_ms && self.start_ms - start_ms <= period.longest_ms();
        if start_ms != self.start_ms && !is_lagging {
            *self = Self {
                start_ms,
                ..Self::default()
            };
        }
    }
}

/// Whether a count has reached a limit, which may have a fraction.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts beyond 2^53 requests are out of reach"
)]
fn reaches(count: u64, limit: f64) -> bool {
    count as f64 >= limit
}
