//! Counting with shares that the control plane grants: exact over all nodes, never more than the
//! limit, as long as it answers.
//!
//! A node lets pass what it was granted and asks for more when that is used up; the request waits
//! for the answer then. While nobody answers, a node uses up what it has, and in a window that it
//! has nothing of yet it lets pass its part of the limit: the limit by the number of nodes last
//! known, at least one.
//!
//! A control plane that was restarted knows nothing of what was granted before. Each node tells it
//! what it has with its first question, so nothing is granted a second time to nodes that ask.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use plugin_api::{GrantShares, ShareAsked};
use tokio::sync::watch;
use uuid::Uuid;

use super::counters::Usage;
use super::headers::whole;
use super::ledger::key;
use super::period::Period;

/// Limit: counters that a node has shares of.
const COUNTERS_MAX: usize = 262_144;

/// Limit: bytes of a counter's name, as the control plane has it.
const NAME_MAX: usize = wire::v1::MAX_COUNTER_NAME;

/// How long a node that got nothing does not ask again, in milliseconds.
const PAUSE_MS: u64 = 1000;

/// Limit: how often a request asks.
const ASKS_MAX: usize = 4;

/// A node's share of a counter.
#[derive(Debug, Default)]
struct Share {
    /// What may pass.
    tokens: u64,
    /// What the control plane has left, as last heard.
    left: u64,
    /// What this node has that the counters asked do not know yet.
    spent: u64,
    /// What the counters of this epoch know that this node has.
    known: u64,
    epoch: u64,
    /// Whether anything was granted, or taken in its place.
    is_begun: bool,
    ends_ms: u64,
    /// Before this moment it is not worth asking.
    dry_until_ms: u64,
    /// Whoever waits for the answer to somebody else's question.
    asking: Option<watch::Receiver<()>>,
}

impl Share {
    /// What counters do not know yet: those of another epoch know nothing.
    fn spent_in(&mut self, epoch: u64) -> u64 {
        if self.epoch != epoch {
            self.spent = self.spent.saturating_add(std::mem::take(&mut self.known));
            self.epoch = epoch;
        }
        self.spent
    }
}

/// The shares of a node; they outlive a configuration.
#[derive(Debug, Default)]
pub(crate) struct SharedCounters {
    shares: Mutex<HashMap<String, Share>>,
}

/// What a request may do.
enum Decision {
    Decided(Usage),
    /// Ask for these first.
    Ask(Vec<usize>, watch::Sender<()>),
    /// Somebody asks already.
    Wait(watch::Receiver<()>),
}

impl SharedCounters {
    /// Counts a request unless a limit is used up.
    pub(crate) async fn take(
        &self,
        source: Option<&Arc<dyn GrantShares>>,
        (scope, caller): (&[u8; 32], &[u8]),
        limits: &[(Period, f64)],
        now_ms: u64,
    ) -> Usage {
        let names: Vec<_> = limits
            .iter()
            .map(|(period, limit)| {
                let key = key(scope, caller, *period, period.start_ms(now_ms));
                let expires_at = key.expires_at();
                (short(key.name), expires_at, requests(*limit))
            })
            .collect();
        for _ in 0..ASKS_MAX {
            match self.decide(&names, limits, now_ms) {
                Decision::Decided(usage) => return usage,
                // Whoever asks drops its end when it is done.
                Decision::Wait(mut asking) => drop(asking.changed().await),
                Decision::Ask(wanted, end) => {
                    self.ask(source, (&names, &wanted), now_ms, end).await;
                }
            }
        }
        // Others were faster each time: what is left goes to them.
        let held: Vec<u64> = names.iter().map(|(.., limit)| *limit).collect();
        Usage::of(limits, &held)
    }

    fn decide(
        &self,
        names: &[(String, u64, u64)],
        limits: &[(Period, f64)],
        now_ms: u64,
    ) -> Decision {
        let mut shares = self.shares.lock();
        make_room(&mut shares, now_ms);
        let mut wanted = Vec::new();
        let mut held = Vec::with_capacity(names.len());
        let mut is_dry = false;
        for (at, (name, expires_at, limit)) in names.iter().enumerate() {
            let share = shares.entry(name.clone()).or_default();
            share.ends_ms = expires_at.saturating_mul(1000);
            let free = share.left.saturating_add(share.tokens);
            if share.tokens > 0 {
                held.push(limit.saturating_sub(free));
                continue;
            }
            held.push(*limit);
            if *limit == 0 || now_ms < share.dry_until_ms {
                is_dry = true;
            } else if let Some(asking) = &share.asking {
                return Decision::Wait(asking.clone());
            } else {
                wanted.push(at);
            }
        }
        if is_dry {
            return Decision::Decided(Usage::of(limits, &held));
        }
        if wanted.is_empty() {
            for (name, ..) in names {
                if let Some(share) = shares.get_mut(name) {
                    share.tokens -= 1;
                }
            }
            return Decision::Decided(Usage::of(limits, &held));
        }
        let (end, asking) = watch::channel(());
        for at in &wanted {
            if let Some(share) = shares.get_mut(&names[*at].0) {
                share.asking = Some(asking.clone());
            }
        }
        Decision::Ask(wanted, end)
    }

    async fn ask(
        &self,
        source: Option<&Arc<dyn GrantShares>>,
        (names, wanted): (&[(String, u64, u64)], &[usize]),
        now_ms: u64,
        end: watch::Sender<()>,
    ) {
        // Whatever happens, also when the client goes away meanwhile, somebody may ask again.
        let _end = EndOfAsking {
            counters: self,
            _end: end,
            names: wanted.iter().map(|at| names[*at].0.clone()).collect(),
        };
        let epoch = source.map_or(0, |source| source.epoch());
        let asked: Vec<ShareAsked> = {
            let mut shares = self.shares.lock();
            let of = |at: &usize| {
                let (name, expires_at, limit) = &names[*at];
                let share = shares.get_mut(name);
                ShareAsked {
                    counter: name.clone(),
                    limit: *limit,
                    spent: share.map_or(0, |share| share.spent_in(epoch)),
                    expires_at: *expires_at,
                }
            };
            wanted.iter().map(of).collect()
        };
        let granted = match source {
            Some(source) => source.draw(epoch, asked.clone()).await.ok(),
            None => None,
        };
        let nodes = source.map_or(1, |source| source.nodes()).max(1);
        let mut shares = self.shares.lock();
        for (at, one) in asked.iter().enumerate() {
            let Some(share) = shares.get_mut(&one.counter) else {
                continue;
            };
            match granted.as_ref().and_then(|granted| granted.get(at)) {
                Some(granted) => {
                    share.spent = share.spent.saturating_sub(one.spent);
                    share.known = share.known.saturating_add(one.spent + granted.grant);
                    share.tokens += granted.grant;
                    share.left = granted.left;
                }
                None if !share.is_begun => {
                    let part = (one.limit / u64::from(nodes)).max(1).min(one.limit);
                    share.tokens += part;
                    share.spent += part;
                    share.left = 0;
                }
                None => share.left = 0,
            }
            share.is_begun = true;
            if share.tokens == 0 {
                share.dry_until_ms = now_ms + PAUSE_MS;
            }
        }
    }
}

/// Lets others ask when a question has ended, however it ended.
struct EndOfAsking<'a> {
    counters: &'a SharedCounters,
    _end: watch::Sender<()>,
    names: Vec<String>,
}

impl Drop for EndOfAsking<'_> {
    fn drop(&mut self) {
        let mut shares = self.counters.shares.lock();
        for name in &self.names {
            if let Some(share) = shares.get_mut(name) {
                share.asking = None;
            }
        }
    }
}

/// Limits are counted in whole requests.
fn requests(limit: f64) -> u64 {
    whole(limit.ceil().clamp(0.0, 1e15)).unwrap_or(0)
}

/// A name as it is sent: a longer one by its hash.
fn short(name: String) -> String {
    if name.len() <= NAME_MAX {
        return name;
    }
    let mut half = [0; 16];
    half.copy_from_slice(&pki::sha256(name.as_bytes())[..16]);
    format!("ratelimit:{}", Uuid::from_bytes(half))
}

/// Forgets whatever is over; if that is not enough, what the control plane knows of, which it does
/// not grant again; and everything only at last.
fn make_room(shares: &mut HashMap<String, Share>, now_ms: u64) {
    if shares.len() < COUNTERS_MAX {
        return;
    }
    shares.retain(|_, share| share.ends_ms > now_ms);
    if shares.len() >= COUNTERS_MAX {
        shares.retain(|_, share| share.spent > 0);
    }
    // Searching again with each request would take too long.
    if shares.len() >= COUNTERS_MAX / 2 {
        shares.clear();
    }
}
