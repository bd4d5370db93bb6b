//! What the reference does not have: limits of connections, slow starts, trials.

use std::collections::BTreeMap;

use balancer::{
    Address, Balancer, Change, Check, CoreState, Extras, Health, Live, Moment, Outcome, PickState,
    Plan, Source, StatusSet,
};
use entities::Algorithm;
use gatehouse_balancer as balancer;

fn live(algorithm: Algorithm, extras: Extras, count: u8) -> Live {
    let addresses: Vec<Address> = (1..=count)
        .map(|number| Address::literal(([10, 0, 0, number], 80).into(), 100))
        .collect();
    let plan = Plan {
        algorithm,
        slots: 1000,
        salt: 0,
        threshold: 0.0,
        targets: addresses.len(),
        extras,
    };
    Live::new(Balancer::compile(&plan, addresses))
}

#[test]
fn no_address_gets_more_requests_at_a_time_than_it_may() {
    let extras = Extras {
        max_connections: 3,
        ..Extras::default()
    };
    for algorithm in [
        Algorithm::RoundRobin,
        Algorithm::ConsistentHashing,
        Algorithm::LeastConnections,
        Algorithm::Latency,
    ] {
        let live = live(algorithm, extras, 2);
        let mut cores = [CoreState::new(0), CoreState::new(1)];
        let mut open: Vec<PickState> = Vec::new();
        let mut counts = BTreeMap::new();
        for number in 0..6 {
            let mut request = PickState::hashed(7);
            let core = &mut cores[number % 2];
            let picked = live.pick(core, &mut request, Moment::default()).unwrap();
            *counts.entry(picked.socket).or_insert(0) += 1;
            open.push(request);
        }
        assert_eq!(
            counts.into_values().collect::<Vec<_>>(),
            [3, 3],
            "{algorithm:?}"
        );
        let mut late = PickState::new();
        assert_eq!(live.pick(&mut cores[0], &mut late, Moment::default()), None);
        late.finish();
        open[4].finish();
        open[4].finish();
        assert!(
            live.pick(&mut cores[1], &mut late, Moment::default())
                .is_some()
        );
        let mut more = PickState::new();
        assert_eq!(live.pick(&mut cores[0], &mut more, Moment::default()), None);
    }
}

#[test]
fn the_limit_holds_when_many_cores_pick_at_a_time() {
    let extras = Extras {
        max_connections: 50,
        ..Extras::default()
    };
    let live = live(Algorithm::RoundRobin, extras, 3);
    let picked: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let live = &live;
                scope.spawn(move || {
                    let mut core = CoreState::new(number);
                    let mut kept = Vec::new();
                    for _ in 0..100 {
                        let mut request = PickState::new();
                        if live
                            .pick(&mut core, &mut request, Moment::default())
                            .is_some()
                        {
                            kept.push(request);
                        }
                    }
                    kept.len()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(picked, 150);
}

#[test]
fn the_share_of_an_address_that_is_back_grows_to_its_weight() {
    let extras = Extras {
        slow_start: 10_000,
        ..Extras::default()
    };
    let live = live(Algorithm::RoundRobin, extras, 2);
    let returned = live.current().addresses()[1].socket;
    live.current().addresses()[1].health.stamp(1_000_000);
    let mut core = CoreState::new(0);
    let mut share = |unix_ms: u64| {
        let moment = Moment {
            unix_ms,
            ..Moment::default()
        };
        let picks = (0..2000).filter(|_| {
            let mut request = PickState::new();
            let picked = live.pick(&mut core, &mut request, moment).unwrap();
            request.finish();
            picked.socket == returned
        });
        picks.count()
    };
    let (first, middle, last) = (share(1_000_000), share(1_005_000), share(1_010_000));
    assert!((40..300).contains(&first), "{first}");
    assert!((450..850).contains(&middle), "{middle}");
    assert_eq!(last, 1000);
}

#[test]
fn addresses_that_all_start_slowly_share_all_traffic() {
    let extras = Extras {
        slow_start: 10_000,
        ..Extras::default()
    };
    let live = live(Algorithm::RoundRobin, extras, 3);
    for address in live.current().addresses() {
        address.health.stamp(1);
    }
    let mut core = CoreState::new(0);
    for _ in 0..100 {
        let mut request = PickState::new();
        assert!(
            live.pick(&mut core, &mut request, Moment::default())
                .is_some()
        );
        request.finish();
    }
}

#[test]
fn an_address_on_trial_is_judged_by_its_next_result() {
    let check = Check {
        source: Source::Requests,
        healthy: StatusSet::from_iter(&[200]),
        unhealthy: StatusSet::from_iter(&[500]),
        successes: 0,
        http_failures: 5,
        tcp_failures: 5,
        timeouts: 0,
    };
    let health = Health::default();
    assert_eq!(health.try_again(), None, "it is not out");
    health.set(false);
    for relapses in 1..4 {
        assert_eq!(health.try_again(), Some(Change::Healthy));
        assert!(!health.is_out());
        let failed = health.report(&check, Outcome::ConnectionFailure);
        assert!(
            matches!(failed, Some(Change::Unhealthy(_))),
            "one failure is enough"
        );
        assert_eq!(health.relapses(), relapses);
    }
    health.try_again();
    assert_eq!(
        health.report(&check, Outcome::Status(502)),
        None,
        "the gateway's own"
    );
    assert!(health.report(&check, Outcome::ConnectionFailure).is_some());
    health.try_again();
    assert_eq!(health.report(&check, Outcome::Status(404)), None);
    assert_eq!((health.is_out(), health.relapses()), (false, 0));
    for _ in 0..4 {
        assert_eq!(
            health.report(&check, Outcome::Status(500)),
            None,
            "as any other now"
        );
    }
}
