//! When an address goes out and comes back, and what that does to picks.

use std::collections::BTreeMap;
use std::sync::Arc;

use balancer::{
    Address, Balancer, Cause, Change, Check, CoreState, Extras, Health, Live, Moment, Outcome,
    PickState, Plan, Source, StatusSet, xxhash32,
};
use entities::Algorithm;
use gatehouse_balancer as balancer;
use proptest::prelude::*;

const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::RoundRobin,
    Algorithm::ConsistentHashing,
    Algorithm::LeastConnections,
    Algorithm::Latency,
];

fn check(successes: u8, http_failures: u8, tcp_failures: u8, timeouts: u8) -> Check {
    Check {
        source: Source::Requests,
        healthy: StatusSet::from_iter(&[200, 302]),
        unhealthy: StatusSet::from_iter(&[429, 500, 503]),
        successes,
        http_failures,
        tcp_failures,
        timeouts,
    }
}

fn addresses(weights: &[u32]) -> Vec<Address> {
    (1_u8..)
        .zip(weights)
        .map(|(number, weight)| Address::literal(([10, 0, 0, number], 80).into(), *weight))
        .collect()
}

fn live(algorithm: Algorithm, threshold: f64, addresses: &[Address]) -> Live {
    let plan = Plan {
        algorithm,
        slots: 1000,
        salt: 0,
        threshold,
        targets: addresses.len(),
        extras: Extras::default(),
    };
    Live::new(Balancer::compile(&plan, addresses.to_vec()))
}

fn pick(live: &Live, core: &mut CoreState, request: &mut PickState) -> Option<String> {
    let picked = live.pick(core, request, Moment::default())?;
    Some(picked.socket.ip().to_string())
}

#[test]
fn failures_up_to_the_limit_put_an_address_out_and_successes_bring_it_back() {
    use Outcome::{Connected, ConnectionFailure, Status, Timeout};
    let check = check(2, 2, 3, 1);
    let cases: [(Outcome, usize, Cause); 3] = [
        (Status(503), 2, Cause::Status(Source::Requests, 503)),
        (ConnectionFailure, 3, Cause::Connection(Source::Requests)),
        (Timeout, 1, Cause::Timeout(Source::Requests)),
    ];
    for (failure, limit, cause) in cases {
        let health = Health::default();
        for number in 1..limit {
            assert_eq!(health.report(&check, failure), None, "{number}");
            assert!(!health.is_out());
        }
        assert_eq!(
            health.report(&check, failure),
            Some(Change::Unhealthy(cause))
        );
        assert_eq!((health.is_out(), health.cause()), (true, Some(cause)));
        assert_eq!(health.report(&check, failure), None);
        for success in [Status(200), Connected] {
            assert_eq!(health.report(&check, success), None);
            assert_eq!(
                health.report(&check, failure),
                None,
                "takes the success back"
            );
        }
        assert_eq!(health.report(&check, Status(302)), None);
        assert_eq!(health.report(&check, Status(200)), Some(Change::Healthy));
        assert_eq!((health.is_out(), health.cause()), (false, None));
    }
}

#[test]
fn a_success_takes_failures_back_only_where_successes_count() {
    let failing = [500, 200, 500];
    let out = |check: &Check| {
        let health = Health::default();
        for status in failing {
            health.report(check, Outcome::Status(status));
        }
        health.is_out()
    };
    assert!(out(&check(0, 2, 0, 0)));
    assert!(!out(&check(1, 2, 0, 0)));
}

#[test]
fn kinds_of_failures_are_counted_apart_and_limit_zero_counts_nothing() {
    let health = Health::default();
    let some = check(0, 2, 2, 0);
    assert_eq!(health.report(&some, Outcome::Status(500)), None);
    assert_eq!(health.report(&some, Outcome::ConnectionFailure), None);
    for _ in 0..300 {
        assert_eq!(health.report(&some, Outcome::Timeout), None);
        assert_eq!(health.report(&some, Outcome::Status(404)), None);
        assert_eq!(
            health.report(&Check::off(Source::Probes), Outcome::Status(500)),
            None
        );
    }
    assert!(health.report(&some, Outcome::Status(500)).is_some());
    assert!(Check::off(Source::Probes).is_off() && !some.is_off());
}

#[test]
fn a_mark_sets_the_state_and_forgets_what_was_counted() {
    let health = Health::default();
    let check = check(1, 2, 0, 0);
    assert_eq!(health.set(true), None);
    assert_eq!(health.set(false), Some(Change::Unhealthy(Cause::Marked)));
    assert_eq!(health.set(false), None);
    assert_eq!(health.cause(), Some(Cause::Marked));
    assert_eq!(
        health.report(&check, Outcome::Status(200)),
        Some(Change::Healthy)
    );
    health.report(&check, Outcome::Status(500));
    assert_eq!(health.set(true), None);
    assert_eq!(
        health.report(&check, Outcome::Status(500)),
        None,
        "counted anew"
    );
}

#[test]
fn of_many_who_report_at_a_time_one_gets_the_change() {
    let health = Arc::new(Health::default());
    let check = check(0, 200, 0, 0);
    let changes: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let reports = (0..100).map(|_| health.report(&check, Outcome::Status(500)));
                    reports.flatten().count()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!((changes, health.is_out()), (1, true));
}

#[test]
fn no_pick_meets_an_address_that_is_out_and_none_is_left_when_all_are() {
    for algorithm in ALGORITHMS {
        let addresses = addresses(&[1, 1, 1]);
        let live = live(algorithm, 0.0, &addresses);
        let mut core = CoreState::new(0);
        addresses[1].health.set(false);
        for hash in 0..200 {
            let mut request = PickState::hashed(xxhash32(&[hash]));
            for _ in 0..5 {
                assert_ne!(pick(&live, &mut core, &mut request).unwrap(), "10.0.0.2");
            }
            request.finish();
        }
        addresses[0].health.set(false);
        addresses[2].health.set(false);
        assert_eq!(
            pick(&live, &mut core, &mut PickState::new()),
            None,
            "{algorithm:?}"
        );
        addresses[1].health.set(true);
        let next = pick(&live, &mut core, &mut PickState::hashed(1));
        assert_eq!(next.as_deref(), Some("10.0.0.2"), "it is back at once");
    }
}

#[test]
fn a_large_wheel_with_one_healthy_address_is_walked_as_far_as_it_takes() {
    for algorithm in [Algorithm::RoundRobin, Algorithm::ConsistentHashing] {
        let addresses = addresses(&[60_000, 1]);
        let live = live(algorithm, 0.0, &addresses);
        addresses[0].health.set(false);
        let mut core = CoreState::new(0);
        for hash in [None, Some(3), Some(u32::MAX)] {
            let mut request = hash.map_or_else(PickState::new, PickState::hashed);
            let next = pick(&live, &mut core, &mut request);
            assert_eq!(next.as_deref(), Some("10.0.0.2"));
        }
    }
}

#[test]
fn an_upstream_is_healthy_while_more_than_the_threshold_is_available() {
    for (threshold, out, expected) in [
        (0.0, 9, true),
        (0.0, 10, false),
        (50.0, 4, true),
        (50.0, 5, false),
        (100.0, 0, false),
    ] {
        let addresses = addresses(&[10; 10]);
        let live = live(Algorithm::RoundRobin, threshold, &addresses);
        for address in &addresses[..out] {
            address.health.set(false);
        }
        let picked = pick(&live, &mut CoreState::new(0), &mut PickState::new());
        assert_eq!(picked.is_some(), expected, "{threshold} with {out} out");
        assert_eq!(live.current().is_healthy(), expected);
    }
    assert!(!live(Algorithm::RoundRobin, 0.0, &[]).current().is_healthy());
}

#[test]
fn keys_of_addresses_that_stay_in_do_not_move_when_another_goes_out() {
    let addresses = addresses(&[100; 5]);
    let live = live(Algorithm::ConsistentHashing, 0.0, &addresses);
    let mut core = CoreState::new(0);
    let mut all = || -> Vec<String> {
        (0..500_u32)
            .map(|key| {
                let mut request = PickState::hashed(xxhash32(&key.to_le_bytes()));
                pick(&live, &mut core, &mut request).unwrap()
            })
            .collect()
    };
    let before = all();
    addresses[2].health.set(false);
    let during = all();
    addresses[2].health.set(true);
    assert_eq!(all(), before);
    for (before, during) in before.iter().zip(&during) {
        assert_ne!(during, "10.0.0.3");
        assert!(before == during || before == "10.0.0.3");
    }
}

#[test]
fn open_requests_and_scores_outlive_a_new_set_of_addresses() {
    let mut set = addresses(&[1, 1]);
    let live = live(Algorithm::LeastConnections, 0.0, &set);
    let mut core = CoreState::new(0);
    let mut first = PickState::new();
    assert_eq!(
        pick(&live, &mut core, &mut first).as_deref(),
        Some("10.0.0.1")
    );
    set.push(Address::literal(([10, 0, 0, 9], 80).into(), 1));
    set.swap(0, 2);
    let plan = Plan {
        algorithm: Algorithm::LeastConnections,
        slots: 1000,
        salt: 0,
        threshold: 0.0,
        targets: 3,
        extras: Extras::default(),
    };
    live.replace(Balancer::compile(&plan, set));
    let mut seen = BTreeMap::new();
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut request = PickState::new();
        *seen
            .entry(pick(&live, &mut core, &mut request).unwrap())
            .or_insert(0) += 1;
        open.push(request);
    }
    assert_eq!(
        seen.keys().collect::<Vec<_>>(),
        ["10.0.0.2", "10.0.0.9"],
        "the first is busy"
    );
    first.finish();
    let next = pick(&live, &mut core, &mut PickState::new());
    assert_eq!(next.as_deref(), Some("10.0.0.1"));
}

#[test]
fn latency_prefers_the_faster_address_and_gives_an_idle_one_another_chance() {
    const SECOND: u64 = 1_000_000;
    let addresses = addresses(&[1, 1]);
    let live = live(Algorithm::Latency, 0.0, &addresses);
    assert!(live.current().needs_latency());
    let mut core = CoreState::new(0);
    let mut counts = BTreeMap::<String, u32>::new();
    let mut now = SECOND;
    for _ in 0..1000 {
        now += SECOND / 5;
        let mut request = PickState::new();
        let picked = live
            .pick(
                &mut core,
                &mut request,
                Moment {
                    now,
                    ..Moment::default()
                },
            )
            .unwrap();
        let ip = picked.socket.ip().to_string();
        let took = if ip == "10.0.0.1" { 100_000 } else { 1_000 };
        request.current().unwrap().observe(took, now);
        request.finish();
        *counts.entry(ip).or_default() += 1;
    }
    assert!(counts["10.0.0.2"] > 900, "{counts:?}");
    assert!(
        counts["10.0.0.1"] >= 2,
        "its score fades while it is idle: {counts:?}"
    );
}

#[test]
fn the_host_of_a_target_has_its_port_unless_it_is_the_protocols_own() {
    let cases = [
        ("10.0.0.1:80", false, "10.0.0.1"),
        ("10.0.0.1:80", true, "10.0.0.1:80"),
        ("10.0.0.1:443", true, "10.0.0.1"),
        ("[::1]:8080", false, "[::1]:8080"),
        ("[::1]:80", false, "[::1]"),
    ];
    for (socket, is_tls, expected) in cases {
        let address = Address::literal(socket.parse().unwrap(), 1);
        let live = live(Algorithm::RoundRobin, 0.0, &[address]);
        let mut request = PickState::new();
        let picked = live
            .pick(
                &mut CoreState::new(0),
                &mut request,
                Moment {
                    is_tls,
                    ..Moment::default()
                },
            )
            .unwrap();
        assert_eq!(picked.host, expected, "{socket} {is_tls}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is out and whatever failed: a pick finds an address that is neither while there is one, any
    /// healthy one while there is one, and nothing otherwise.
    #[test]
    fn picks_are_sound(
        weights in proptest::collection::vec(0_u32..200, 0..12),
        out in any::<u16>(),
        hash in proptest::option::of(any::<u32>()),
        tries in 1_usize..8,
        number in 0_usize..4,
    ) {
        for algorithm in ALGORITHMS {
            let addresses = addresses(&weights);
            for (bit, address) in addresses.iter().enumerate() {
                address.health.set(out & (1 << bit) == 0);
            }
            let usable: Vec<String> = addresses
                .iter()
                .filter(|address| address.weight > 0 && !address.health.is_out())
                .map(|address| address.socket.ip().to_string())
                .collect();
            let live = live(algorithm, 0.0, &addresses);
            let mut core = CoreState::new(number);
            let mut request = hash.map_or_else(PickState::new, PickState::hashed);
            let mut seen: Vec<String> = Vec::new();
            for _ in 0..tries {
                match pick(&live, &mut core, &mut request) {
                    None => prop_assert!(usable.is_empty()),
                    Some(picked) => {
                        prop_assert!(usable.contains(&picked));
                        prop_assert!(!seen.contains(&picked) || seen.len() >= usable.len());
                        seen.push(picked);
                    }
                }
            }
            request.finish();
            prop_assert!(live.current().is_healthy() != usable.is_empty());
        }
    }

    /// Whole turns of the wheel give every address its share, whatever the weights.
    #[test]
    fn shares_follow_weights(weights in proptest::collection::vec(0_u32..50, 1..8)) {
        let total: u32 = weights.iter().sum();
        prop_assume!(total > 0);
        let live = live(Algorithm::RoundRobin, 0.0, &addresses(&weights));
        let mut core = CoreState::new(1);
        let mut counts = BTreeMap::<String, u32>::new();
        for _ in 0..total {
            let mut request = PickState::new();
            *counts.entry(pick(&live, &mut core, &mut request).unwrap()).or_default() += 1;
            request.finish();
        }
        for (number, weight) in (1_u8..).zip(&weights) {
            let count = counts.get(&format!("10.0.0.{number}")).copied().unwrap_or(0);
            prop_assert_eq!(count, *weight);
        }
    }
}
