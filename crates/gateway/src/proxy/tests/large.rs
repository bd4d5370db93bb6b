//! Answers so large that the kernel moves them from socket to socket.

use std::io::Read;
use std::time::Duration;

use serde_json::json;

use super::support::*;

const ASK: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Bytes whose place can be told by their value.
fn pattern(length: usize) -> Vec<u8> {
    (0..length / 8)
        .flat_map(|number| format!("{number:07}\n").into_bytes())
        .collect()
}

fn with_length(length: usize, body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    answer.extend_from_slice(body);
    answer
}

#[test]
fn large_answers_follow_each_other_unchanged_on_kept_connections() {
    let body = pattern(8 * 1024 * 1024);
    let sent = body.clone();
    let origin = Origin::start(move |number, _| match number % 2 {
        0 => Act::Send(with_length(sent.len(), &sent)),
        _ => Act::Send(ok("small")),
    });
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    for _ in 0..3 {
        let answer = client.ask(ASK).into_bytes();
        assert!(answer.ends_with(&body), "the body was changed");
        assert!(client.ask(ASK).ends_with("small"));
    }
    assert_eq!(origin.connections(), 1);
}

#[test]
fn a_slow_reader_gets_all_of_a_large_answer() {
    let body = pattern(4 * 1024 * 1024);
    let sent = body.clone();
    let origin = Origin::start(move |_, _| Act::SendAndClose(with_length(sent.len(), &sent)));
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    client.send(ASK);
    let mut received = Vec::new();
    let mut piece = [0; 3_000];
    while !received.ends_with(&body[body.len() - 8..]) {
        let count = client.stream.read(&mut piece).expect("bytes");
        assert_ne!(count, 0, "the answer was cut short");
        received.extend_from_slice(&piece[..count]);
    }
    assert!(received.ends_with(&body), "the body was changed");
}

#[test]
fn a_client_that_takes_nothing_of_a_large_answer_is_given_up_after_the_send_timeout() {
    let body = pattern(32 * 1024 * 1024);
    let sent = body.clone();
    let origin = Origin::start(move |_, _| Act::Send(with_length(sent.len(), &sent)));
    let mut settings = settings();
    settings.send_timeout = Duration::from_millis(100);
    let routes = [json!({"paths": ["/"], "strip_path": false})];
    // The service waits for the client as long as it takes.
    let mut service = service(origin.address);
    service["read_timeout"] = json!(600_000);
    let gateway = gateway_with(&settings, &routes, &service);
    let mut client = gateway.client();
    client.send(ASK);
    until(|| gateway.handle.counters().requests == 1);
    until(|| gateway.handle.counters().active == 0);
    assert!(client.rest().len() < body.len(), "nothing was left to take");
}

#[test]
fn a_large_answer_cut_short_is_cut_short_for_the_client_too() {
    let body = pattern(1024 * 1024);
    let sent = body.clone();
    let origin = Origin::start(move |number, _| match number {
        0 => Act::SendAndClose(with_length(2 * sent.len(), &sent)),
        _ => Act::Send(ok("next")),
    });
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    client.send(ASK);
    let rest = client.rest();
    let at = rest.windows(4).position(|four| four == b"\r\n\r\n");
    let received = &rest[at.expect("a head") + 4..];
    assert!(received.len() <= body.len() && body.starts_with(received));
    assert!(gateway.ask(ASK).ends_with("next"));
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_large_answer_harms_no_other() {
    let body = pattern(32 * 1024 * 1024);
    let origin = Origin::start(move |number, _| match number {
        0..4 => Act::Send(with_length(body.len(), &body)),
        _ => Act::Send(ok("next")),
    });
    let gateway = gateway(origin.address);
    for _ in 0..4 {
        let mut client = gateway.client();
        client.send(ASK);
        let mut piece = [0; 200_000];
        client.stream.read_exact(&mut piece).expect("bytes");
    }
    until(|| gateway.handle.counters().active == 0);
    assert!(gateway.ask(ASK).ends_with("next"));
}

#[test]
fn a_large_answer_to_http_1_0_ends_with_its_connection() {
    let body = pattern(1024 * 1024);
    let sent = body.clone();
    let origin = Origin::start(move |_, _| Act::Send(with_length(sent.len(), &sent)));
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    assert!(client.rest().ends_with(&body));
}
