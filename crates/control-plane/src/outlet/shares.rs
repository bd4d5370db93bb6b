//! Counters that the nodes of a control plane have together: nodes draw shares of what is left.
//!
//! What was granted counts as used, whether the node lets it pass or not, so all nodes together
//! never let more pass than the limit. A share is small against what is left, so what lies unused
//! on other nodes is little. Counters live in memory: those of another process have another epoch,
//! and a node that was granted something by others says so with its next question.
//!
//! A node is believed what it says of itself, which can only make others' shares smaller; it
//! cannot make a counter be forgotten before its time.

use std::collections::HashMap;

use parking_lot::Mutex;
use wire::v1::{Draw, DrawAnswer, DrawRequest, Grant};

/// Limit: counters of one control plane, at some 200 bytes each and twice that with long names.
const COUNTERS_MAX: usize = 500_000;

/// What is left is dealt out in as many parts for each node.
const PARTS: u64 = 8;

/// Limit: how long a counter is kept, in seconds: a year and a day.
const KEPT_MAX: u64 = 367 * 24 * 3600;

/// Seconds between two looks for counters whose windows are over.
const SWEEP_EVERY: u64 = 10;

#[derive(Debug, Clone, Copy)]
struct Counter {
    used: u64,
    until: u64,
}

/// The counters of a control plane.
#[derive(Debug)]
pub(super) struct Shares {
    epoch: u64,
    counters: Mutex<Counters>,
}

impl Default for Shares {
    fn default() -> Self {
        Self {
            epoch: u64::from_be_bytes(clock::random_bytes()),
            counters: Mutex::default(),
        }
    }
}

#[derive(Debug, Default)]
struct Counters {
    by_key: HashMap<String, Counter>,
    /// Unix second of the last look.
    swept: u64,
}

impl Shares {
    /// Grants what is asked for, as far as it is there. Without room to count all of it nothing is
    /// granted or refused: the node goes on with its own part.
    pub(super) fn draw(&self, request: &DrawRequest, nodes: usize, now: u64) -> DrawAnswer {
        let nodes = u32::try_from(nodes).unwrap_or(u32::MAX).max(1);
        let mut counters = self.counters.lock();
        counters.sweep(now);
        let is_counted = request.epoch == self.epoch && counters.has_room_for(&request.draws);
        let draws = request.draws.iter().filter(|_| is_counted);
        let grants = draws.map(|draw| counters.grant(draw, nodes.into(), now));
        DrawAnswer {
            number: request.number,
            epoch: self.epoch,
            nodes,
            grants: grants.collect(),
        }
    }
}

impl Counters {
    fn sweep(&mut self, now: u64) {
        if now >= self.swept.saturating_add(SWEEP_EVERY) {
            self.by_key.retain(|_, counter| counter.until > now);
            self.swept = now;
        }
    }

    fn has_room_for(&self, draws: &[Draw]) -> bool {
        let is_new = |draw: &&Draw| !self.by_key.contains_key(&draw.key);
        self.by_key.len() + draws.iter().filter(is_new).count() <= COUNTERS_MAX
    }

    fn grant(&mut self, draw: &Draw, nodes: u64, now: u64) -> Grant {
        let fresh = Counter { used: 0, until: 0 };
        let counter = match self.by_key.get_mut(&draw.key) {
            Some(counter) => counter,
            None => self.by_key.entry(draw.key.clone()).or_insert(fresh),
        };
        // No node shortens what another needs.
        let until = draw.until.min(now.saturating_add(KEPT_MAX));
        counter.until = counter.until.max(until);
        counter.used = counter.used.saturating_add(draw.spent);
        let left = draw.limit.saturating_sub(counter.used);
        let share = left.div_ceil(PARTS.saturating_mul(nodes)).min(left);
        counter.used += share;
        Grant {
            grant: share,
            left: left - share,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Grant = Grant { grant: 0, left: 0 };

    fn one(key: &str, limit: u64, (spent, until): (u64, u64)) -> Draw {
        Draw {
            key: key.to_owned(),
            limit,
            spent,
            until,
        }
    }

    fn ask(shares: &Shares, draws: Vec<Draw>, (nodes, now): (usize, u64)) -> Vec<Grant> {
        let request = DrawRequest {
            number: 1,
            epoch: shares.epoch,
            draws,
        };
        let answer = shares.draw(&request, nodes, now);
        assert_eq!(usize::try_from(answer.nodes), Ok(nodes));
        answer.grants
    }

    /// What a node gets that has spent something.
    fn drawn(shares: &Shares, (limit, spent): (u64, u64), nodes: usize) -> Grant {
        ask(shares, vec![one("k", limit, (spent, 100))], (nodes, 1))[0]
    }

    #[test]
    fn all_shares_together_are_the_limit() {
        for (limit, nodes) in [(0, 1), (1, 1), (5, 2), (100, 2), (1000, 7)] {
            let shares = Shares::default();
            let mut granted = 0;
            loop {
                let one = drawn(&shares, (limit, 0), nodes);
                granted += one.grant;
                assert_eq!(one.left, limit - granted);
                if one.grant == 0 {
                    break;
                }
            }
            assert_eq!(granted, limit);
        }
    }

    #[test]
    fn a_share_is_small_against_what_is_left() {
        let granted = drawn(&Shares::default(), (160, 0), 2);
        let (grant, left) = (10, 150);
        assert_eq!(granted, Grant { grant, left });
    }

    #[test]
    fn what_a_node_let_pass_alone_counts() {
        let shares = Shares::default();
        assert_eq!(drawn(&shares, (10, 9), 1), Grant { grant: 1, left: 0 });
        assert_eq!(drawn(&shares, (10, 50), 1), NOTHING);
        assert_eq!(drawn(&shares, (10, u64::MAX), 1), NOTHING);
        assert_eq!(drawn(&shares, (10, 1), 1), NOTHING);
    }

    #[test]
    fn a_question_about_the_counters_of_another_process_is_granted_nothing() {
        let shares = Shares::default();
        let request = DrawRequest {
            number: 1,
            epoch: shares.epoch.wrapping_add(1),
            draws: vec![one("k", 10, (0, 100))],
        };
        let answer = shares.draw(&request, 1, 1);
        assert_eq!((answer.epoch, answer.grants), (shares.epoch, Vec::new()));
        assert!(shares.counters.lock().by_key.is_empty());
        assert_ne!(shares.epoch, Shares::default().epoch);
    }

    #[test]
    fn a_node_that_lies_about_time_and_limits_gets_nobody_more() {
        let shares = Shares::default();
        let at = |now| (1, now);
        // It says that nobody needs the counter any more, and that another is needed for ever.
        assert_eq!(ask(&shares, vec![one("k", 8, (8, 0))], at(1)), [NOTHING]);
        let honest = || vec![one("k", 8, (0, 100))];
        assert_eq!(ask(&shares, honest(), at(2)), [NOTHING]);
        ask(&shares, vec![one("k", 8, (0, 0))], at(3));
        ask(&shares, vec![one("huge", u64::MAX, (0, u64::MAX))], at(3));

        assert_eq!(ask(&shares, honest(), at(99)), [NOTHING]);
        assert_eq!(shares.counters.lock().by_key["huge"].until, 3 + KEPT_MAX);
        assert_eq!(ask(&shares, Vec::new(), at(111)), []);
        assert!(!shares.counters.lock().by_key.contains_key("k"));
    }

    #[test]
    fn without_room_nothing_is_granted_until_windows_are_over() {
        let shares = Shares::default();
        let others = (1..COUNTERS_MAX).map(|number| {
            let until = 50;
            (number.to_string(), Counter { used: 1, until })
        });
        shares.counters.lock().by_key.extend(others);
        let of = |key, now| ask(&shares, vec![one(key, 8, (0, 100))], (1, now));
        assert_eq!(of("k", 20).len(), 1);

        let full = of("other", 49);
        let known = of("k", 49);
        let later = of("other", 59);

        assert_eq!(full, []);
        assert_eq!(known, [Grant { grant: 1, left: 6 }]);
        assert_eq!(later, [Grant { grant: 1, left: 7 }]);
        assert_eq!(shares.counters.lock().by_key.len(), 2);
    }
}
