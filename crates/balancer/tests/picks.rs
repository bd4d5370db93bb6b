//! Who is picked: shares of round-robin, places on the ring, the least busy, and what happens after failures.

use std::collections::BTreeMap;

use balancer::{Balancer, PickState, xxhash32};
use entities::{Algorithm, Catalogue, Map, Mode, NoPlugins, Target, Upstream};
use gatehouse_balancer as balancer;
use serde_json::{Value, json};
use uuid::Uuid;

const RECORDED: &str = include_str!("data/recorded-hashes.json");

fn upstream(algorithm: Algorithm, slots: u32) -> Upstream {
    let catalogue = Catalogue::new(std::sync::Arc::new(NoPlugins));
    let mut body: Map =
        serde_json::from_value(json!({"name": "u.test", "slots": slots})).expect("an object");
    catalogue
        .validate("upstreams", &mut body, Mode::Insert)
        .expect("a valid upstream");
    let mut upstream = Upstream::try_from(&body).expect("an upstream");
    upstream.algorithm = algorithm;
    upstream
}

fn targets(weights: &[u16]) -> Vec<Target> {
    (0_u16..)
        .zip(weights)
        .map(|(number, weight)| Target {
            id: Uuid::from_u128(u128::from(number)),
            upstream: Uuid::nil(),
            host: "127.0.0.1".to_owned(),
            port: 22101 + number,
            weight: *weight,
            tags: Vec::new(),
        })
        .collect()
}

fn balancer(algorithm: Algorithm, weights: &[u16]) -> Balancer {
    Balancer::compile(&upstream(algorithm, 10000), &targets(weights))
}

/// How often each index is picked in so many requests.
fn counts(balancer: &Balancer, requests: usize) -> BTreeMap<usize, usize> {
    let mut core = balancer.core_state(0);
    let mut counts = BTreeMap::new();
    for _ in 0..requests {
        let mut request = PickState::new();
        let address = balancer.pick(&mut core, &mut request).expect("a target");
        *counts.entry(address.index).or_default() += 1;
        balancer.finish(&mut core, &mut request);
    }
    counts
}

#[test]
fn round_robin_gives_each_target_its_share_of_a_whole_wheel() {
    type Case<'a> = (&'a [u16], usize, &'a [(usize, usize)]);
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
        let balancer = balancer(Algorithm::RoundRobin, weights);
        let counts: Vec<_> = counts(&balancer, requests).into_iter().collect();
        assert_eq!(counts, expected, "{weights:?}");
    }
}

#[test]
fn turns_of_a_heavy_target_are_spread() {
    let balancer = balancer(Algorithm::RoundRobin, &[4, 1, 1]);
    let mut core = balancer.core_state(0);
    let order: Vec<_> = (0..6)
        .map(|_| {
            balancer
                .pick(&mut core, &mut PickState::new())
                .unwrap()
                .index
        })
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
    let balancer = balancer(Algorithm::RoundRobin, &weights);
    let counts = counts(&balancer, 70_000);
    assert_eq!(counts.len(), 41);
    assert!(counts[&40] <= 2, "{}", counts[&40]);
}

#[test]
fn cores_begin_at_different_turns() {
    let balancer = balancer(Algorithm::RoundRobin, &[1; 8]);
    let first = |core| {
        let mut state = balancer.core_state(core);
        balancer
            .pick(&mut state, &mut PickState::new())
            .unwrap()
            .index
    };
    assert_ne!(first(0), first(1));
}

#[test]
fn target_with_zero_weight_gets_no_traffic_and_none_is_left_without_weights() {
    for algorithm in [
        Algorithm::RoundRobin,
        Algorithm::ConsistentHashing,
        Algorithm::LeastConnections,
    ] {
        for weights in [&[][..], &[0, 0]] {
            let balancer = balancer(algorithm, weights);
            assert!(balancer.is_empty());
            let mut core = balancer.core_state(3);
            assert_eq!(balancer.pick(&mut core, &mut PickState::new()), None);
            assert_eq!(balancer.pick(&mut core, &mut PickState::hashed(7)), None);
        }
        let balancer = balancer(algorithm, &[0, 5, 0]);
        let mut core = balancer.core_state(0);
        for hash in 0..100 {
            let mut request = PickState::hashed(xxhash32(&[hash]));
            for _ in 0..4 {
                assert_eq!(balancer.pick(&mut core, &mut request).unwrap().index, 1);
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
    ] {
        let balancer = balancer(algorithm, &[100, 1, 1, 1]);
        let mut core = balancer.core_state(0);
        for hash in 0..20 {
            let mut request = PickState::hashed(xxhash32(&[hash]));
            let mut seen: Vec<_> = (0..4)
                .map(|_| balancer.pick(&mut core, &mut request).unwrap().index)
                .collect();
            assert_eq!(request.tries(), 4);
            let again = balancer
                .pick(&mut core, &mut request)
                .map(|address| address.index);
            assert!(again.is_some(), "all failed: any may be tried again");
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2, 3], "{algorithm:?}");
            balancer.finish(&mut core, &mut request);
        }
    }
}

#[test]
fn hashes_fall_on_the_targets_that_the_reference_chose() {
    let cases: Value = serde_json::from_str(RECORDED).unwrap();
    for case in cases.as_array().unwrap() {
        let slots = u32::try_from(case["slots"].as_u64().unwrap()).unwrap();
        let weights: Vec<u16> = serde_json::from_value(case["weights"].clone()).unwrap();
        let balancer = Balancer::compile(
            &upstream(Algorithm::ConsistentHashing, slots),
            &targets(&weights),
        );
        let mut core = balancer.core_state(0);
        let values = case["values"].as_array().unwrap();
        let expected = case["targets"].as_array().unwrap();
        let mut wrong = Vec::new();
        for (value, expected) in values.iter().zip(expected) {
            let hash = xxhash32(value.as_str().unwrap().as_bytes());
            let mut request = PickState::hashed(hash);
            let picked = balancer.pick(&mut core, &mut request).unwrap().index;
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
    let balancer = balancer(Algorithm::ConsistentHashing, &[1, 1]);
    assert!(balancer.needs_hash());
    assert_eq!(counts(&balancer, 10), BTreeMap::from([(0, 5), (1, 5)]));
}

#[test]
fn least_busy_target_for_its_weight_is_next() {
    let balancer = balancer(Algorithm::LeastConnections, &[10, 30, 60]);
    let mut core = balancer.core_state(0);
    let mut open: Vec<PickState> = Vec::new();
    let mut counts = [0; 3];
    for _ in 0..10 {
        let mut request = PickState::new();
        counts[balancer.pick(&mut core, &mut request).unwrap().index] += 1;
        open.push(request);
    }
    assert_eq!(counts, [1, 3, 6]);
    for request in &mut open {
        balancer.finish(&mut core, request);
    }
    let mut request = PickState::new();
    assert_eq!(balancer.pick(&mut core, &mut request).unwrap().index, 2);
    balancer.finish(&mut core, &mut request);
    balancer.finish(&mut core, &mut request);
    assert_eq!(request.current(), None);
}
