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
