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
    counters: Mutex<HashMap<String, Counter>>,
}

impl Shares {
    /// Grants what is asked for, as far as it is there.
    pub(super) fn draw(&self, request: &DrawRequest, nodes: usize, now: u64) -> DrawAnswer {
        let nodes = u32::try_from(nodes).unwrap_or(u32::MAX).max(1);
        let mut counters = self.counters.lock();
        let grants = request.draws.iter();
        let grants = grants.map(|draw| grant(&mut counters, draw, nodes.into(), now));
        DrawAnswer {
            number: request.number,
            nodes,
            grants: grants.collect(),
        }
    }
}

fn grant(counters: &mut HashMap<String, Counter>, draw: &Draw, nodes: u64, now: u64) -> Grant {
    if counters.len() >= COUNTERS_MAX && !counters.contains_key(&draw.key) {
        counters.retain(|_, counter| counter.until > now);
        if counters.len() >= COUNTERS_MAX {
            // Nothing more can be counted: the node goes on with its own share.
            return Grant { grant: 0, left: 0 };
        }
    }
    let fresh = Counter {
        used: 0,
        until: draw.until,
    };
    let counter = match counters.get_mut(&draw.key) {
        Some(counter) => counter,
        None => counters.entry(draw.key.clone()).or_insert(fresh),
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
}
