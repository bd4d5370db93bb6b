//! What requests report to health checks, and what clients see of it.

use std::net::TcpListener;
use std::sync::Arc;

use super::support::*;
use crate::health::Group;
use crate::testing;

/// An upstream of these ports behind one route.
fn upstream(ports: &[u16], members: &str, service: &str) -> (Gateway, Arc<Group>) {
    let targets: Vec<String> = ports
        .iter()
        .map(|port| format!("{{target: '127.0.0.1:{port}'}}"))
        .collect();
    let yaml = format!(
        "services: [{{name: s, host: u.test, {service} routes: [{{name: r, paths: [/]}}]}}]\n\
         upstreams: [{{name: u.test, {members} targets: [{}]}}]\n",
        targets.join(", ")
    );
    let snapshot = testing::snapshot(&yaml);
    let group = Arc::clone(&snapshot.balancers[0]);
    (gateway_of(&settings(), snapshot), group)
}

fn passive(unhealthy: &str) -> String {
    format!("healthchecks: {{passive: {{unhealthy: {{{unhealthy}}}}}}},")
}

/// A port that refuses.
fn dead() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn available(group: &Group) -> u64 {
    group.balancer().weights().available
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn one_bad_target_of_ten_is_found_out_and_no_client_notices() {
    let origins: Vec<Origin> = (0..9).map(|_| Origin::ok("ok")).collect();
    let mut ports: Vec<u16> = origins.iter().map(|origin| origin.address.port()).collect();
    ports.insert(4, dead());
    let (gateway, group) = upstream(&ports, &passive("tcp_failures: 2"), "retries: 3,");
    for _ in 0..60 {
        let answer = gateway.ask(GET);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert_eq!(available(&group), 900);
    let mut served: Vec<usize> = origins
        .iter()
        .map(|origin| origin.requests().len())
        .collect();
    served.sort_unstable();
    assert_eq!(served.iter().sum::<usize>(), 60);
    assert!(served[0] >= 5, "all of the others take part: {served:?}");
}

#[test]
fn an_upstream_without_a_healthy_target_answers_503_until_one_is_back() {
    let origin = Origin::start(|number, _| match number {
        0 | 1 => Act::Send(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".to_vec()),
        _ => Act::Send(ok("back")),
    });
    let checks = passive("http_failures: 2, http_statuses: [500]");
    let (gateway, group) = upstream(&[origin.address.port()], &checks, "");
    for _ in 0..2 {
        assert!(gateway.ask(GET).starts_with("HTTP/1.1 500"));
    }
    for _ in 0..3 {
        let answer = gateway.ask(GET);
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(
            answer.contains("failure to get a peer from the ring-balancer"),
            "{answer}"
        );
    }
    assert_eq!(origin.requests().len(), 2);
    let health = Arc::clone(&group.balancer().addresses()[0].health);
    let cause = health.cause().map(|cause| cause.to_string());
    let expected = "requests were answered with failures, the last with 500";
    assert_eq!(cause.as_deref(), Some(expected));
    health.set(true);
    assert!(gateway.ask(GET).ends_with("back"));
}

#[test]
fn the_last_try_counts_by_its_status_and_those_before_by_what_went_wrong() {
    let drops = || Origin::start(|_, _| Act::Drop);
    // Compat: recorded of the reference, where a lone 502 is no failure of a connection.
    let origin = drops();
    let port = [origin.address.port()];
    let (gateway, group) = upstream(&port, &passive("tcp_failures: 1"), "retries: 0,");
    for _ in 0..3 {
        assert!(gateway.ask(GET).starts_with("HTTP/1.1 502"));
    }
    assert_eq!(available(&group), 100);
    let origin = drops();
    let port = [origin.address.port()];
    let (gateway, group) = upstream(&port, &passive("tcp_failures: 1"), "retries: 1,");
    let answer = gateway.ask(GET);
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(
        answer.contains("The upstream server is currently unavailable"),
        "{answer}"
    );
    assert_eq!((available(&group), origin.requests().len()), (0, 1));
}

#[test]
fn a_target_that_does_not_answer_in_time_is_out_by_its_timeouts() {
    let origin = Origin::start(|_, _| Act::Hang);
    let port = [origin.address.port()];
    let service = "retries: 0, read_timeout: 50,";
    let (gateway, group) = upstream(&port, &passive("timeouts: 2"), service);
    for left in [100, 0] {
        assert!(gateway.ask(GET).starts_with("HTTP/1.1 504"));
        until(|| available(&group) == left);
    }
    assert!(gateway.ask(GET).starts_with("HTTP/1.1 503"));
}

#[test]
fn too_few_healthy_targets_count_as_none() {
    let origins: Vec<Origin> = (0..4).map(|_| Origin::ok("ok")).collect();
    let ports: Vec<u16> = origins.iter().map(|origin| origin.address.port()).collect();
    let checks = "healthchecks: {threshold: 50, passive: {unhealthy: {tcp_failures: 1}}},";
    let (gateway, group) = upstream(&ports, checks, "");
    let balancer = group.balancer();
    balancer.addresses()[0].health.set(false);
    assert!(gateway.ask(GET).starts_with("HTTP/1.1 200"));
    balancer.addresses()[1].health.set(false);
    assert!(gateway.ask(GET).starts_with("HTTP/1.1 503"));
}

#[test]
fn a_latency_upstream_prefers_the_target_that_answers_at_once() {
    let slow = Origin::start(|_, _| {
        std::thread::park_timeout(std::time::Duration::from_millis(30));
        Act::Send(ok("slow"))
    });
    let quick = Origin::ok("quick");
    let ports = [slow.address.port(), quick.address.port()];
    let (gateway, _) = upstream(&ports, "algorithm: latency,", "");
    for _ in 0..40 {
        assert!(gateway.ask(GET).starts_with("HTTP/1.1 200"));
    }
    assert!(quick.requests().len() >= 30, "{}", quick.requests().len());
    assert!(!slow.requests().is_empty());
}

/// The cookie of sticky sessions in an answer, as a request sends it back.
fn sticky_crumb(answer: &str) -> Option<String> {
    let line = answer
        .lines()
        .find_map(|line| line.strip_prefix("Set-Cookie: "))?;
    line.split(';').next().map(str::to_owned)
}

#[test]
fn a_client_stays_at_the_target_that_its_cookie_names_while_that_takes_requests() {
    let bodies = ["one", "two", "three"];
    // A target that the request says is down closes without an answer.
    let origins = bodies.map(|body| {
        Origin::start(move |_, request| {
            let down = format!("X-Down: {body}\r\n");
            match String::from_utf8_lossy(request).contains(&down) {
                true => Act::Drop,
                false => Act::Send(ok(body)),
            }
        })
    });
    let ports: Vec<u16> = origins.iter().map(|own| own.address.port()).collect();
    let members = "algorithm: sticky-sessions, sticky_sessions_cookie: seat, \
                   sticky_sessions_cookie_path: /here,";
    let (gateway, _) = upstream(&ports, members, "retries: 3,");
    let asked = |crumb: &str| {
        gateway.ask(format!(
            "GET / HTTP/1.1\r\nHost: a\r\nCookie: x=1; {crumb}\r\n\r\n"
        ))
    };
    let first = gateway.ask(GET);
    assert!(
        first.contains("; Path=/here; SameSite=Lax; HttpOnly\r\n"),
        "{first}"
    );
    let crumb = sticky_crumb(&first).expect("a cookie");
    let at = |answer: &str| bodies.iter().position(|body| answer.ends_with(body));
    let home = at(&first).expect("a target");
    for _ in 0..10 {
        let answer = asked(&crumb);
        assert_eq!((at(&answer), sticky_crumb(&answer)), (Some(home), None));
    }
    for wrong in ["seat=", "seat=zzzzzzzz", "seat=+0000001", "seat=00000000"] {
        assert!(sticky_crumb(&asked(wrong)).is_some(), "{wrong}");
    }
    let moved = asked(&format!("{crumb}\r\nX-Down: {}", bodies[home]));
    assert!(moved.starts_with("HTTP/1.1 200"), "{moved}");
    let next = sticky_crumb(&moved).expect("another cookie");
    assert_ne!((at(&moved), &next), (Some(home), &crumb));
    assert_eq!(at(&asked(&next)), at(&moved));
}

/// Which of the targets answered.
fn answered(answer: &str, bodies: &[&str]) -> usize {
    let found = bodies.iter().position(|body| answer.ends_with(body));
    found.unwrap_or_else(|| panic!("no target answered: {answer}"))
}

#[test]
fn every_input_of_a_hash_keeps_requests_together_and_its_fallback_takes_over() {
    let bodies = ["one", "two", "three", "four"];
    let origins = bodies.map(Origin::ok);
    let ports: Vec<u16> = origins.iter().map(|own| own.address.port()).collect();
    // What is hashed, and a request that has the input `{}`.
    let cases = [
        (
            "hash_on: header, hash_on_header: X-Key",
            "GET / HTTP/1.1\r\nHost: a\r\nX-Key: {}\r\n\r\n",
        ),
        (
            "hash_on: cookie, hash_on_cookie: seat",
            "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b; seat={}\r\n\r\n",
        ),
        ("hash_on: path", "GET /{}?x HTTP/1.1\r\nHost: a\r\n\r\n"),
        (
            "hash_on: query_arg, hash_on_query_arg: k",
            "GET /?a=b&k={} HTTP/1.1\r\nHost: a\r\n\r\n",
        ),
        (
            "hash_on: consumer, hash_fallback: header, hash_fallback_header: X-Key",
            "GET / HTTP/1.1\r\nHost: a\r\nX-Key: {}\r\n\r\n",
        ),
        (
            "hash_on: header, hash_on_header: X-No, hash_fallback: query_arg, \
             hash_fallback_query_arg: k",
            "GET /?k={} HTTP/1.1\r\nHost: a\r\n\r\n",
        ),
    ];
    for (hash, request) in cases {
        let members = format!("algorithm: consistent-hashing, {hash},");
        let (gateway, _) = upstream(&ports, &members, "");
        let target = |input: usize| {
            let request = request.replace("{}", &format!("input-{input}"));
            answered(&gateway.ask(request), &bodies)
        };
        let first: Vec<usize> = (0..16).map(target).collect();
        let again: Vec<usize> = (0..16).map(target).collect();
        assert_eq!(first, again, "{hash}");
        assert!(
            first.iter().any(|own| *own != first[0]),
            "{hash}: {first:?}"
        );
    }
    // All requests of this test come from one address.
    let (gateway, _) = upstream(&ports, "algorithm: consistent-hashing, hash_on: ip,", "");
    let first = answered(&gateway.ask(GET), &bodies);
    assert!((0..8).all(|_| answered(&gateway.ask(GET), &bodies) == first));
}

#[test]
fn a_body_that_was_streamed_away_is_never_sent_again() {
    let origins: Vec<Origin> = (0..3).map(|_| Origin::start(|_, _| Act::Drop)).collect();
    let ports: Vec<u16> = origins.iter().map(|own| own.address.port()).collect();
    let (gateway, _) = upstream(&ports, "", "retries: 5,");
    let seen = || {
        origins
            .iter()
            .map(|own| own.requests().len())
            .sum::<usize>()
    };
    let body = "x".repeat(1 << 20);
    let answer = gateway.ask(format!(
        "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert_eq!(seen(), 1);
    // Without a body there is nothing to lose; with side effects there is.
    assert!(gateway.ask(GET).starts_with("HTTP/1.1 502"));
    assert_eq!(seen(), 1 + 6);
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
    assert!(gateway.ask(post).starts_with("HTTP/1.1 502"));
    assert_eq!(seen(), 1 + 6 + 1);
}

#[test]
fn an_address_gets_no_more_requests_at_a_time_than_its_upstream_says() {
    let origin = Origin::start(|_, request| match request.starts_with(b"GET /slow") {
        true => Act::Hang,
        false => Act::Send(ok("ok")),
    });
    let members = "tags: ['gatehouse:max_connections=1'],";
    let (gateway, _) = upstream(&[origin.address.port()], members, "");
    assert!(gateway.ask(GET).ends_with("ok"));
    let mut client = gateway.client();
    client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    until(|| origin.requests().len() == 2);
    assert!(gateway.ask(GET).starts_with("HTTP/1.1 503"));
    drop(client);
    until(|| gateway.ask(GET).ends_with("ok"));
}
