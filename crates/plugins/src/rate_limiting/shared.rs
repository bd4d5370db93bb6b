//! Counting with shares that the control plane grants: exact over all nodes, never more than the
//! limit, as long as it answers.
//!
//! A node lets pass what it was granted and asks for more when that is used up; the request waits
//! for the answer then. While nobody answers, a node uses up what it has, and in a window that it
//! has nothing of yet it lets pass its part of the limit: the limit by the number of nodes last
//! known, at least one.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use plugin_api::{GrantShares, ShareAsked};
use tokio::sync::watch;

use super::counters::Usage;
use super::headers::whole;
use super::ledger::key;
use super::period::Period;

/// Limit: counters that a node has shares of.
const COUNTERS_MAX: usize = 262_144;

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
    /// What passed without being granted.
    spent: u64,
    /// Whether anything was granted, or taken in its place.
    is_begun: bool,
    ends_ms: u64,
    /// Before this moment it is not worth asking.
    dry_until_ms: u64,
    /// Whoever waits for the answer to somebody else's question.
    asking: Option<watch::Receiver<()>>,
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
                (key.name.clone(), key.expires_at(), requests(*limit))
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
        let asked: Vec<ShareAsked> = {
            let shares = self.shares.lock();
            let of = |at: &usize| {
                let (name, expires_at, limit) = &names[*at];
                ShareAsked {
                    counter: name.clone(),
                    limit: *limit,
                    spent: shares.get(name).map_or(0, |share| share.spent),
                    expires_at: *expires_at,
                }
            };
            wanted.iter().map(of).collect()
        };
        let granted = match source {
            Some(source) => source.draw(asked.clone()).await.ok(),
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

fn make_room(shares: &mut HashMap<String, Share>, now_ms: u64) {
    if shares.len() < COUNTERS_MAX {
        return;
    }
    shares.retain(|_, share| share.ends_ms > now_ms);
    if shares.len() >= COUNTERS_MAX {
        shares.clear();
    }
}
