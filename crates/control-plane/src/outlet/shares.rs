//! Counters that the nodes of a control plane have together: nodes draw shares of what is left.
//!
//! What was granted counts as used, whether the node lets it pass or not, so all nodes together
//! never let more pass than the limit. A share is small against what is left, so what lies unused
//! on other nodes is little. Counters live in memory: with this process their windows begin anew.

use std::collections::HashMap;

use parking_lot::Mutex;
use wire::v1::{Draw, DrawAnswer, DrawRequest, Grant};

/// Limit: counters of one control plane, at some 150 bytes each.
const COUNTERS_MAX: usize = 500_000;

/// Seconds between two looks for counters whose windows are over.
const SWEEP_EVERY: u64 = 10;

/// What is left is dealt out in as many parts for each node.
const PARTS: u64 = 8;

#[derive(Debug, Clone, Copy)]
struct Counter {
    used: u64,
    until: u64,
}

/// The counters of a control plane.
#[derive(Debug, Default)]
pub(super) struct Shares {
    counters: Mutex<Counters>,
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
        let counted = counters.has_room_for(&request.draws);
        let draws = request.draws.iter().filter(|_| counted);
        let grants = draws.map(|draw| counters.grant(draw, nodes.into()));
        DrawAnswer {
            number: request.number,
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

    fn grant(&mut self, draw: &Draw, nodes: u64) -> Grant {
        let fresh = Counter {
            used: 0,
            until: draw.until,
        };
        let counter = match self.by_key.get_mut(&draw.key) {
            Some(counter) => counter,
            None => self.by_key.entry(draw.key.clone()).or_insert(fresh),
        };
        counter.used = counter.used.saturating_add(draw.spent);
        let left = draw.limit.saturating_sub(counter.used);
        let share = left.div_ceil(PARTS * nodes).min(left);
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

    fn request(limit: u64, spent: u64) -> DrawRequest {
        let draw = Draw {
            key: "k".to_owned(),
            limit,
            spent,
            until: 100,
        };
        DrawRequest {
            number: 1,
            draws: vec![draw],
        }
    }

    #[test]
    fn all_shares_together_are_the_limit() {
        for (limit, nodes) in [(0, 1), (1, 1), (5, 2), (100, 2), (1000, 7)] {
            let shares = Shares::default();
            let mut granted = 0;
            loop {
                let answer = shares.draw(&request(limit, 0), nodes, 1);
                let one = answer.grants[0];
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
        let shares = Shares::default();
        let answer = shares.draw(&request(160, 0), 2, 1);
        assert_eq!(answer.nodes, 2);
        assert_eq!(
            answer.grants,
            [Grant {
                grant: 10,
                left: 150
            }]
        );
    }

    #[test]
    fn what_a_node_let_pass_alone_counts() {
        let shares = Shares::default();
        let answer = shares.draw(&request(10, 9), 1, 1);
        assert_eq!(answer.grants, [Grant { grant: 1, left: 0 }]);
        let answer = shares.draw(&request(10, 50), 1, 1);
        assert_eq!(answer.grants, [Grant { grant: 0, left: 0 }]);
    }

    #[test]
    fn without_room_nothing_is_granted_until_windows_are_over() {
        let shares = Shares::default();
        let others = (1..COUNTERS_MAX).map(|number| {
            let until = 50;
            (number.to_string(), Counter { used: 1, until })
        });
        shares.counters.lock().by_key.extend(others);
        assert_eq!(shares.draw(&request(8, 0), 1, 20).grants.len(), 1);
        let mut other = request(8, 0);
        other.draws[0].key = "other".to_owned();

        let full = shares.draw(&other, 1, 49);
        let known = shares.draw(&request(8, 0), 1, 49);
        let later = shares.draw(&other, 1, 59);

        assert_eq!(full.grants, []);
        assert_eq!(known.grants, [Grant { grant: 1, left: 6 }]);
        assert_eq!(later.grants, [Grant { grant: 1, left: 7 }]);
        assert_eq!(shares.counters.lock().by_key.len(), 2);
    }
}
