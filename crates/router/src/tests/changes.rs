//! A router brought up to date with changes answers as one that is compiled from all routes.

use std::net::{IpAddr, Ipv4Addr};

use entities::{AddressRule, Protocol, Route};
use proptest::{
    collection::vec,
    option,
    prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest},
    prop_assert_eq,
    sample::{Index, select},
};
use uuid::Uuid;

use super::{agreement, compile, naive, oracle, query, route, strings};
use crate::{Flavor, RouteChange, RouteInput, Router, StreamProtocol, StreamQuery};

const PORTS: [u16; 3] = [9000, 9001, 9002];

fn stream() -> impl Strategy<Value = Route> {
    (
        any::<u8>(),
        select(&PORTS[..]),
        option::of(select(&["a.test", "*.test"][..])),
    )
        .prop_map(|(id, port, sni)| {
            let mut own = route(1);
            own.id = Uuid::from_u128(u128::from(id) << 64 | 9);
            own.protocols = vec![Protocol::Tcp, Protocol::Tls];
            own.snis = sni.into_iter().map(str::to_owned).collect();
            own.destinations = vec![AddressRule {
                ip: None,
                port: Some(port),
            }];
            own
        })
}

fn any_route() -> impl Strategy<Value = Route> {
    prop_oneof![
        4 => agreement::one_route(),
        2 => oracle::expression_route(),
        1 => stream(),
    ]
}

/// Which route, and what it becomes.
fn change() -> impl Strategy<Value = (Index, Option<Route>)> {
    (any::<Index>(), option::weighted(0.7, any_route()))
}

/// The routes that are there, with their numbers.
type Numbered = Vec<(usize, Route)>;

fn same_answers(router: &Router, all: &Numbered, requests: &[agreement::Request]) {
    let inputs: Vec<_> = all.iter().map(|(_, route)| RouteInput { route }).collect();
    let whole = Router::compile(&inputs, router.flavor()).expect("compiles");
    for request in requests {
        let fields = request.fields();
        let query = request.query(&fields);
        let expected = whole.find(&query);
        assert_eq!(expected, naive::find(&whole, &query));
        let found = router.find(&query);
        let number = expected.map(|own| all[own.route].0);
        assert_eq!(found.map(|own| own.route), number, "{request:?}");
        let length = |own: crate::Match| own.stripped_len();
        assert_eq!(found.map(length), expected.map(length));
        let groups = |router: &Router, own: Option<crate::Match>| {
            let captures = router.captures(&own?, query.path)?;
            Some(
                captures
                    .iter()
                    .map(|group| group.map(|own| own.range()))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(groups(router, found), groups(&whole, expected));
    }
    for (port, protocol) in PORTS
        .iter()
        .flat_map(|port| [(port, StreamProtocol::Tcp), (port, StreamProtocol::Tls)])
    {
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let query = StreamQuery {
            protocol,
            sni: Some("a.test"),
            source: (local, 40000),
            destination: (local, *port),
        };
        let expected = whole.match_stream(&query).map(|own| all[own].0);
        assert_eq!(router.match_stream(&query), expected);
    }
    assert_eq!(router.is_empty(), whole.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn changes_one_by_one_end_where_a_full_compilation_does(
        routes in vec(any_route(), 1..12),
        steps in vec(vec(change(), 1..4), 1..6),
        requests in vec(agreement::request(), 1..24),
        flavor in prop_oneof![Just(Flavor::TraditionalCompatible), Just(Flavor::Expressions)],
    ) {
        // Equal ids would be ordered by their place, which a change does not keep.
        let mut known = std::collections::HashSet::new();
        let mut all: Numbered = routes.into_iter().filter(|own| known.insert(own.id)).enumerate().collect();
        let inputs: Vec<_> = all.iter().map(|(_, route)| RouteInput { route }).collect();
        let mut router = Router::compile(&inputs, flavor).expect("compiles");
        let mut next = all.len();
        for step in steps {
            for (index, now) in step {
                let number = index.index(next + 1);
                next = next.max(number + 1);
                let now = now.filter(|now| {
                    !all.iter().any(|(other, own)| *other != number && own.id == now.id)
                });
                all.retain(|(own, _)| *own != number);
                all.extend(now.clone().map(|now| (number, now)));
                let change = RouteChange { number, route: now.as_ref() };
                router = router.changed(&[change]).expect("compiles").expect("few changes");
            }
            all.sort_by_key(|(number, _)| *number);
            same_answers(&router, &all, &requests);
        }
        let inputs: Vec<_> = all.iter().map(|(_, route)| RouteInput { route }).collect();
        let anew = router.compile_anew(&inputs).expect("compiles");
        let numbered = all.iter().enumerate().map(|(number, (_, own))| (number, own.clone()));
        same_answers(&anew, &numbered.collect(), &requests);
        prop_assert_eq!(anew.flavor(), flavor);
    }
}

#[test]
fn many_changes_and_the_traditional_flavor_ask_for_a_full_compilation() {
    let mut one = route(1);
    one.paths = strings(&["/a"]);
    let change = |number| RouteChange {
        number,
        route: Some(&one),
    };
    let traditional = compile(std::slice::from_ref(&one), Flavor::Traditional);
    assert!(traditional.changed(&[change(0)]).unwrap().is_none());
    let mut router = compile(std::slice::from_ref(&one), Flavor::default());
    for number in 0..512 {
        router = router.changed(&[change(number)]).unwrap().unwrap();
    }
    assert!(router.changed(&[change(512)]).unwrap().is_none());
    assert!(router.changed(&[change(511)]).unwrap().is_some());
}

#[test]
fn a_change_that_does_not_compile_is_refused_and_changes_nothing() {
    let mut one = route(1);
    one.paths = strings(&["/a"]);
    let router = compile(std::slice::from_ref(&one), Flavor::default());
    one.paths = strings(&["~/("]);
    let change = RouteChange {
        number: 0,
        route: Some(&one),
    };
    let errors = router.changed(&[change]).unwrap_err();
    assert_eq!(errors[0].route, 0);
    assert!(router.find(&query("h", "/a", &())).is_some());
}
