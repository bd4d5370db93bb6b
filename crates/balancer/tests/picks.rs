//! Who is picked: shares of round-robin, places on the ring, the least busy, and what happens after failures.

use std::collections::BTreeMap;

use balancer::{Address, Balancer, CoreState, Extras, Live, Moment, PickState, Plan, xxhash32};
use entities::Algorithm;
use gatehouse_balancer as balancer;
use serde_json::Value;

const RECORDED: &str = include_str!("data/recorded-hashes.json");

/// The port of the first target.
const FIRST: u16 = 22101;

fn plan(algorithm: Algorithm, slots: u32, targets: usize) -> Plan {
    Plan {
        algorithm,
        slots,
        salt: 0,
        threshold: 0.0,
        targets,
        extras: Extras::default(),
    }
}

fn addresses(weights: &[u32]) -> Vec<Address> {
    (FIRST..)
        .zip(weights)
        .map(|(port, weight)| Address::literal(([127, 0, 0, 1], port).into(), *weight))
        .collect()
}

fn live(algorithm: Algorithm, weights: &[u32]) -> Live {
    let plan = plan(algorithm, 10_000, weights.len());
    Live::new(Balancer::compile(&plan, addresses(weights)))
}

/// The number of the picked target, from 0.
fn pick(live: &Live, core: &mut CoreState, request: &mut PickState) -> Option<usize> {
    let picked = live.pick(core, request, Moment::default())?;
    Some(usize::from(picked.socket.port() - FIRST))
}

/// How often each target is picked in so many requests.
fn counts(live: &Live, requests: usize) -> BTreeMap<usize, usize> {
    let mut core = CoreState::new(0);
    let mut counts = BTreeMap::new();
    for _ in 0..requests {
        let mut request = PickState::new();
        let index = pick(live, &mut core, &mut request).expect("a target");
        *counts.entry(index).or_default() += 1;
        request.finish();
    }
    counts
}

#[test]
fn round_robin_gives_each_target_its_share_of_a_whole_wheel() {
    type Case<'a> = (&'a [u32], usize, &'a [(usize, usize)]);
    let cases: [Case<'_>; 8] = [
        (&[100, 100], 1000, &[(0, 500), (1, 500)]),
        (&[1, 2, 3], 996, &[(0, 166), (1, 332), (2, 498)]),
        (
            &[10, 20, 30, 40],
            1000,
            &[(0, 100), (1, 200), (2, 300), (3, 400)],
        ),
        (&[0, 100], 1000, &[(1, 1000)]),
        (&[1000, 1], 1001, &[(0, 1000), (1, 1)]),
        (&[7, 3], 1000, &[(0, 700), (1, 300)]),
        (&[65535, 65535], 1000, &[(0, 500), (1, 500)]),
        (&[65535, 1], 65536, &[(0, 65535), (1, 1)]),
    ];
    for (weights, requests, expected) in cases {
        let live = live(Algorithm::RoundRobin, weights);
        let counts: Vec<_> = counts(&live, requests).into_iter().collect();
        assert_eq!(counts, expected, "{weights:?}");
    }
}

#[test]
fn turns_of_a_heavy_target_are_spread() {
    let live = live(Algorithm::RoundRobin, &[4, 1, 1]);
    let mut core = CoreState::new(0);
    let order: Vec<_> = (0..6)
        .map(|_| pick(&live, &mut core, &mut PickState::new()).unwrap())
        .collect();
    assert!(
        order
            .windows(3)
            .all(|three| three.iter().any(|index| *index != 0)),
        "{order:?}"
    );
}

#[test]
fn wheel_stays_small_and_keeps_every_target_with_a_weight() {
    let mut weights = vec![65535; 40];
    weights.push(1);
    let live = live(Algorithm::RoundRobin, &weights);
    let counts = counts(&live, 70_000);
    assert_eq!(counts.len(), 41);
    assert!(counts[&40] <= 2, "{}", counts[&40]);
}

#[test]
fn cores_begin_at_different_turns() {
    let live = live(Algorithm::RoundRobin, &[1; 8]);
    let first = |core| {
        let mut state = CoreState::new(core);
        pick(&live, &mut state, &mut PickState::new()).unwrap()
    };
    assert_ne!(first(0), first(1));
}

#[test]
fn target_with_zero_weight_gets_no_traffic_and_none_is_left_without_weights() {
    for algorithm in [
        Algorithm::RoundRobin,
        Algorithm::ConsistentHashing,
        Algorithm::LeastConnections,
        Algorithm::Latency,
    ] {
        for weights in [&[][..], &[0, 0]] {
            let live = live(algorithm, weights);
            assert!(live.current().is_empty());
            let mut core = CoreState::new(3);
            assert_eq!(pick(&live, &mut core, &mut PickState::new()), None);
            assert_eq!(pick(&live, &mut core, &mut PickState::hashed(7)), None);
        }
        let live = live(algorithm, &[0, 5, 0]);
        let mut core = CoreState::new(0);
        for hash in 0..100 {
            let mut request = PickState::hashed(xxhash32(&[hash]));
            for _ in 0..4 {
                assert_eq!(pick(&live, &mut core, &mut request).unwrap(), 1);
            }
        }
    }
}

#[test]
fn retry_takes_a_target_that_has_not_failed_while_one_is_left() {
    for algorithm in [
        Algorithm::RoundRobin,
        Algorithm::ConsistentHashing,
        Algorithm::LeastConnections,
        Algorithm::Latency,
    ] {
        let live = live(algorithm, &[100, 1, 1, 1]);
        let mut core = CoreState::new(0);
        for hash in 0..20 {
            let mut request = PickState::hashed(xxhash32(&[hash]));
            let mut seen: Vec<_> = (0..4)
                .map(|_| pick(&live, &mut core, &mut request).unwrap())
                .collect();
            assert_eq!(request.tries(), 4);
            let again = pick(&live, &mut core, &mut request);
            assert!(again.is_some(), "all failed: any may be tried again");
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2, 3], "{algorithm:?}");
            request.finish();
        }
    }
}

#[test]
fn hashes_fall_on_the_targets_that_the_reference_chose() {
    let cases: Value = serde_json::from_str(RECORDED).unwrap();
    for case in cases.as_array().unwrap() {
        let slots = u32::try_from(case["slots"].as_u64().unwrap()).unwrap();
        let weights: Vec<u32> = serde_json::from_value(case["weights"].clone()).unwrap();
        let plan = plan(Algorithm::ConsistentHashing, slots, weights.len());
        let live = Live::new(Balancer::compile(&plan, addresses(&weights)));
        let mut core = CoreState::new(0);
        let values = case["values"].as_array().unwrap();
        let expected = case["targets"].as_array().unwrap();
        let mut wrong = Vec::new();
        for (value, expected) in values.iter().zip(expected) {
            let hash = xxhash32(value.as_str().unwrap().as_bytes());
            let mut request = PickState::hashed(hash);
            let picked = pick(&live, &mut core, &mut request).unwrap();
            let expected = expected
                .as_u64()
                .and_then(|number| usize::try_from(number).ok());
            if expected != Some(picked + 1) {
                wrong.push((value, expected, picked + 1));
            }
        }
        assert!(wrong.is_empty(), "{}: {wrong:?}", case["case"]);
    }
}

#[test]
fn request_without_hash_takes_its_turn() {
    let live = live(Algorithm::ConsistentHashing, &[1, 1]);
    assert_eq!(counts(&live, 10), BTreeMap::from([(0, 5), (1, 5)]));
}

#[test]
fn least_busy_target_for_its_weight_is_next() {
    let live = live(Algorithm::LeastConnections, &[10, 30, 60]);
    let mut core = CoreState::new(0);
    let mut open: Vec<PickState> = Vec::new();
    let mut counts = [0; 3];
    for _ in 0..10 {
        let mut request = PickState::new();
        counts[pick(&live, &mut core, &mut request).unwrap()] += 1;
        open.push(request);
    }
    assert_eq!(counts, [1, 3, 6]);
    for request in &mut open {
        request.finish();
    }
    let mut request = PickState::new();
    assert_eq!(pick(&live, &mut core, &mut request).unwrap(), 2);
    request.finish();
    request.finish();
    assert!(request.current().is_none());
}
