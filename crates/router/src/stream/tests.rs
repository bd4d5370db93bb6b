//! Connections of layer 4 go to the routes that the order names, and protocols are kept apart.

use std::net::{IpAddr, Ipv4Addr};

use entities::{AddressRule, Protocol, Route};

use super::{StreamProtocol, StreamQuery};
use crate::{
    Flavor,
    tests::{compile, query, route, strings},
};

const FLAVORS: [Flavor; 2] = [Flavor::Traditional, Flavor::TraditionalCompatible];

fn stream(number: u64, protocols: &[Protocol]) -> Route {
    let mut stream = route(number);
    stream.protocols = protocols.to_vec();
    stream
}

fn rule(ip: &str, port: u16) -> AddressRule {
    AddressRule {
        ip: (!ip.is_empty()).then(|| ip.to_owned()),
        port: (port != 0).then_some(port),
    }
}

fn connection(protocol: StreamProtocol, sni: Option<&str>, port: u16) -> StreamQuery<'_> {
    StreamQuery {
        protocol,
        sni,
        source: (IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3)), 40000),
        destination: (IpAddr::V4(Ipv4Addr::LOCALHOST), port),
    }
}

fn find(routes: &[Route], flavor: Flavor, query: &StreamQuery<'_>) -> Option<usize> {
    compile(routes, flavor).match_stream(query)
}

#[test]
fn a_server_name_goes_before_an_end_and_both_ends_before_one() {
    let mut source = stream(1, &[Protocol::Tls]);
    source.sources = vec![rule("10.1.2.3", 0)];
    let mut named = stream(2, &[Protocol::Tls]);
    named.snis = strings(&["a.test"]);
    let mut both = stream(3, &[Protocol::Tls]);
    both.sources = vec![rule("10.0.0.0/8", 0)];
    both.destinations = vec![rule("", 9000)];
    let routes = [source, named, both];
    for flavor in FLAVORS {
        let ask = |sni, port| find(&routes, flavor, &connection(StreamProtocol::Tls, sni, port));
        assert_eq!(ask(Some("a.test"), 1), Some(1));
        assert_eq!(ask(Some("b.test"), 1), Some(0));
        assert_eq!(ask(Some("a.test"), 9000), Some(2), "{flavor:?}");
        assert_eq!(ask(None, 9000), Some(2));
    }
}

#[test]
fn addresses_count_more_than_ports_and_those_more_than_blocks() {
    let make = |number, ip, port| {
        let mut one = stream(number, &[Protocol::Tcp]);
        one.destinations = vec![rule(ip, port)];
        one
    };
    let block = make(4, "127.0.0.0/8", 0);
    let port = make(3, "", 9000);
    let address = make(2, "127.0.0.1", 0);
    let full = make(1, "127.0.0.1", 9000);
    let query = connection(StreamProtocol::Tcp, None, 9000);
    let flavor = Flavor::TraditionalCompatible;
    let mut routes = vec![block, port, address, full];
    for winner in (0..4).rev() {
        assert_eq!(find(&routes, flavor, &query), Some(winner));
        routes.truncate(winner);
    }
    assert_eq!(find(&routes, flavor, &query), None);
}

#[test]
fn protocols_are_kept_apart() {
    let all = [
        Protocol::Tcp,
        Protocol::Tls,
        Protocol::Udp,
        Protocol::TlsPassthrough,
    ];
    let mut routes: Vec<Route> = (1..).zip(all).map(|(n, one)| stream(n, &[one])).collect();
    for one in &mut routes {
        one.snis = strings(&["a.test"]);
    }
    for flavor in FLAVORS {
        let router = compile(&routes, flavor);
        for (number, protocol) in StreamProtocol::ALL.into_iter().enumerate() {
            let query = connection(protocol, Some("a.test"), 9000);
            assert_eq!(router.match_stream(&query), Some(number), "{protocol:?}");
        }
        // None of them takes a request.
        let mut request = query("a.test", "/", &());
        request.scheme = crate::Scheme::Https;
        request.sni = Some("a.test");
        assert_eq!(router.find(&request), None);
        assert!(!router.is_empty());
    }
}

#[test]
fn server_names_are_not_looked_at_without_tls() {
    let mut both = stream(1, &[Protocol::Tcp, Protocol::Tls]);
    both.snis = strings(&["a.test"]);
    for flavor in FLAVORS {
        let routes = std::slice::from_ref(&both);
        let ask = |protocol, sni| find(routes, flavor, &connection(protocol, sni, 1));
        assert_eq!(ask(StreamProtocol::Tcp, None), Some(0));
        assert_eq!(ask(StreamProtocol::Tls, Some("a.test")), Some(0));
        assert_eq!(ask(StreamProtocol::Tls, Some("b.test")), None);
        assert_eq!(ask(StreamProtocol::Tls, None), None);
    }
}

#[test]
fn wildcards_of_server_names_are_for_the_compatible_flavor() {
    let mut wild = stream(1, &[Protocol::TlsPassthrough]);
    wild.snis = strings(&["*.a.test"]);
    let routes = [wild];
    let query = connection(StreamProtocol::TlsPassthrough, Some("x.a.test"), 1);
    let compatible = find(&routes, Flavor::TraditionalCompatible, &query);
    assert_eq!(compatible, Some(0));
    assert_eq!(find(&routes, Flavor::Traditional, &query), None);
}

#[test]
fn a_route_without_conditions_takes_no_connection() {
    let routes = [stream(1, &[Protocol::Tcp])];
    let query = connection(StreamProtocol::Tcp, None, 1);
    for flavor in FLAVORS {
        assert_eq!(find(&routes, flavor, &query), None);
    }
}

#[test]
fn among_equals_the_greatest_id_or_the_oldest_wins() {
    let make = |number| {
        let mut one = stream(number, &[Protocol::Udp]);
        one.destinations = vec![rule("", 53)];
        one
    };
    let routes = [make(1), make(3), make(2)];
    let query = connection(StreamProtocol::Udp, None, 53);
    let compatible = find(&routes, Flavor::TraditionalCompatible, &query);
    assert_eq!(compatible, Some(1));
    assert_eq!(find(&routes, Flavor::Traditional, &query), Some(0));
}
