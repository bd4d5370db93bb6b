//! The state of an address.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::cause::Cause;
use super::check::{Check, Outcome};

/// The state of an address: one word that all cores read and write without waiting for each other.
///
/// `Compat:` counters and transitions are those of the reference. A success counts only where successes can bring
/// an address back, and then takes all failures back; a failure takes successes back. What cannot change the state
/// is not counted.
#[derive(Debug)]
pub struct Health {
    id: u64,
    word: AtomicU64,
    changed_at: AtomicU64,
    /// Requests with it now, over all cores; counted only where they are limited.
    open: AtomicU32,
    /// How often in a row it failed on probation.
    relapses: AtomicU32,
}

/// A change of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It gets traffic again.
    Healthy,
    /// It gets no traffic, and why.
    Unhealthy(Cause),
}

/// Ids tell addresses apart without comparing them.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

const OUT: u64 = 1 << 32;
/// Back for a trial: the next result decides.
const PROBATION: u64 = 1 << 33;
const CAUSE_SHIFT: u32 = 40;
const SUCCESS: u32 = 0;
const HTTP: u32 = 8;
const TCP: u32 = 16;
const TIMEOUT: u32 = 24;
const COUNTERS: u64 = 0xffff_ffff;
const FAILURES: u64 = 0xffff_ff00;

impl Default for Health {
    /// A new address is healthy.
    fn default() -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            word: AtomicU64::new(0),
            changed_at: AtomicU64::new(0),
            open: AtomicU32::new(0),
            relapses: AtomicU32::new(0),
        }
    }
}

impl Health {
    /// A number that no other address of this process has.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Notes the moment of a change, in milliseconds since 1970.
    pub fn stamp(&self, at_ms: u64) {
        self.changed_at.store(at_ms, Ordering::Relaxed);
    }

    /// When it changed last, in milliseconds since 1970; 0 before the first change.
    #[must_use]
    pub fn changed_at(&self) -> u64 {
        self.changed_at.load(Ordering::Relaxed)
    }

    /// Whether it gets no traffic.
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.word.load(Ordering::Relaxed) & OUT != 0
    }

    /// Why it gets none; `None` while it does.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        let word = self.word.load(Ordering::Relaxed);
        match word & OUT {
            0 => None,
            _ => Cause::unpack(word >> CAUSE_SHIFT),
        }
    }

    /// Lets an address that is out back in for a trial: the next result puts it out again, or ends the trial.
    /// Gives the change, if it is one.
    pub fn try_again(&self) -> Option<Change> {
        let word = self.word.load(Ordering::Relaxed);
        let is_out = word & OUT != 0;
        let swapped = is_out
            && self
                .word
                .compare_exchange(word, PROBATION, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        swapped.then_some(Change::Healthy)
    }

    /// How often in a row it failed when it was tried again.
    #[must_use]
    pub fn relapses(&self) -> u32 {
        self.relapses.load(Ordering::Relaxed)
    }

    /// Takes the result of a trial.
    fn judge(&self, is_good: bool) {
        match is_good {
            true => self.relapses.store(0, Ordering::Relaxed),
            false => drop(self.relapses.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// Requests that are with it now, where they are counted.
    pub(crate) fn open(&self) -> u32 {
        self.open.load(Ordering::Relaxed)
    }

    /// Counts a request in, if fewer than `most` are with it.
    pub(crate) fn enter(&self, most: u32) -> bool {
        let more = |open: u32| (open < most).then_some(open + 1);
        let updated = self
            .open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        updated.is_ok()
    }

    /// Counts a request out.
    pub(crate) fn leave(&self) {
        let fewer = |open: u32| Some(open.saturating_sub(1));
        let _ = self
            .open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
    }

    /// Sets the state, whatever it was, and forgets what was counted. Gives the change, if it is one.
    pub fn set(&self, is_healthy: bool) -> Option<Change> {
        let (word, change) = match is_healthy {
            true => (0, Change::Healthy),
            false => (out(Cause::Marked), Change::Unhealthy(Cause::Marked)),
        };
        let old = self.word.swap(word, Ordering::Relaxed);
        ((old & OUT == 0) != is_healthy).then_some(change)
    }

    /// Counts a result. Gives the change, if it led to one; of several who report at a time only one gets it.
    pub fn report(&self, check: &Check, outcome: Outcome) -> Option<Change> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let (next, change) = step(word, check, outcome)?;
            let swapped =
                self.word
                    .compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed);
            match swapped {
                Ok(_) => {
                    if word & PROBATION != 0 {
                        self.judge(change.is_none());
                    }
                    return change;
                }
                Err(current) => word = current,
            }
        }
    }
}

fn out(cause: Cause) -> u64 {
    OUT | (cause.pack() << CAUSE_SHIFT)
}

/// The word after a result; `None` where nothing is to be counted.
fn step(word: u64, check: &Check, outcome: Outcome) -> Option<(u64, Option<Change>)> {
    let (shift, limit, cause) = match outcome {
        Outcome::Status(status) if check.healthy.contains(status) => return success(word, check),
        Outcome::Connected => return success(word, check),
        Outcome::Status(status) if check.unhealthy.contains(status) => (
            HTTP,
            check.http_failures,
            Cause::Status(check.source, status),
        ),
        // Any answer of its own ends a trial; what the gateway makes of a failure is from 500 on.
        Outcome::Status(status) => {
            return (word & PROBATION != 0 && status < 500).then_some((0, None));
        }
        Outcome::ConnectionFailure => (TCP, check.tcp_failures, Cause::Connection(check.source)),
        Outcome::Timeout => (TIMEOUT, check.timeouts, Cause::Timeout(check.source)),
    };
    if limit == 0 {
        return None;
    }
    if word & OUT != 0 {
        // It is out already; a failure only takes successes back.
        return (word & COUNTERS != 0).then_some((word & !COUNTERS, None));
    }
    let count = ((word >> shift) & 0xff) + 1;
    if count >= u64::from(limit) || word & PROBATION != 0 {
        return Some((out(cause), Some(Change::Unhealthy(cause))));
    }
    let others = word & FAILURES & !(0xff << shift);
    Some((others | (count << shift), None))
}

fn success(word: u64, check: &Check) -> Option<(u64, Option<Change>)> {
    if word & PROBATION != 0 {
        return Some((0, None));
    }
    if check.successes == 0 {
        return None;
    }
    if word & OUT == 0 {
        return (word & COUNTERS != 0).then_some((0, None));
    }
    let count = ((word >> SUCCESS) & 0xff) + 1;
    if count >= u64::from(check.successes) {
        return Some((0, Some(Change::Healthy)));
    }
    Some(((word & !COUNTERS) | count, None))
}
