//! Every limit of what clients send: below it, at it, above it.

use std::io::{Read, Write};
use std::time::Duration;

use conf::{HeaderBuffers, Settings};
use serde_json::json;

use super::support::*;

fn limited(origin: &Origin, limit: impl FnOnce(&mut Settings)) -> Gateway {
    let mut settings = settings();
    limit(&mut settings);
    let routes = [json!({"paths": ["/"], "strip_path": false})];
    gateway_with(&settings, &routes, &service(origin.address))
}

fn small_heads(settings: &mut Settings) {
    settings.large_client_header_buffers = HeaderBuffers {
        count: 2,
        size_bytes: 1024,
    };
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

#[test]
fn a_first_line_may_be_as_long_as_one_buffer() {
    let origin = Origin::ok("ok");
    let gateway = limited(&origin, small_heads);
    for (length, expected) in [(1023, "200"), (1024, "200"), (1025, "414")] {
        let frame = "GET / HTTP/1.1".len();
        let line = format!("GET /{} HTTP/1.1", "a".repeat(length - frame));
        let answer = gateway.ask(format!("{line}\r\nHost: a\r\n\r\n"));
        assert_eq!(status(&answer), expected, "{length}: {answer}");
    }
}

#[test]
fn a_field_may_be_as_long_as_one_buffer() {
    let origin = Origin::ok("ok");
    let gateway = limited(&origin, small_heads);
    for (length, is_taken) in [(1023, true), (1024, true), (1025, false)] {
        let field = format!("X: {}", "a".repeat(length - 3));
        let answer = gateway.ask(format!("GET / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n"));
        assert_eq!(
            status(&answer),
            if is_taken { "200" } else { "400" },
            "{length}"
        );
        let says_why = answer.contains("Request header or cookie too large");
        assert_eq!(says_why, !is_taken, "{answer}");
    }
}

#[test]
fn a_head_may_be_as_long_as_all_buffers() {
    let origin = Origin::ok("ok");
    let gateway = limited(&origin, small_heads);
    for (length, expected) in [(2047, "200"), (2048, "200"), (2049, "400")] {
        // With the empty line at the end.
        let front = "GET / HTTP/1.1\r\nHost: a\r\nA: ";
        let first = format!("{}\r\nB: ", "x".repeat(1000));
        let rest = length - front.len() - first.len() - 4;
        let answer = gateway.ask(format!("{front}{first}{}\r\n\r\n", "x".repeat(rest)));
        assert_eq!(status(&answer), expected, "{length}: {answer}");
    }
}

#[test]
fn a_head_may_have_as_many_fields_as_allowed() {
    let origin = Origin::ok("ok");
    let gateway = limited(&origin, |_| ());
    for (count, expected) in [(511, "200"), (512, "200"), (513, "400")] {
        // With `Host`.
        let fields = "X:y\r\n".repeat(count - 1);
        let answer = gateway.ask(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
        assert_eq!(status(&answer), expected, "{count}");
    }
}

#[test]
fn a_body_may_be_as_long_as_allowed_whatever_its_framing() {
    let origin = Origin::ok("ok");
    let gateway = limited(&origin, |settings| {
        settings.client_max_body_size = Some(100)
    });
    for (length, expected) in [(99, "200"), (100, "200"), (101, "413")] {
        let body = "x".repeat(length);
        let sized = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}");
        assert_eq!(status(&gateway.ask(sized)), expected, "{length}");
        let chunked = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
        );
        assert_eq!(
            status(&gateway.ask(chunked)),
            expected,
            "{length} in chunks"
        );
    }
}

#[test]
fn as_many_connections_are_served_as_allowed_and_one_more_is_closed() {
    let origin = Origin::ok("ok");
    let gateway = limited(&origin, |settings| settings.worker_connections = Some(2));
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let (mut first, mut second) = (gateway.client(), gateway.client());
    assert_eq!(status(&first.ask(request)), "200");
    assert_eq!(status(&second.ask(request)), "200");
    let mut third = gateway.client();
    let _ = third.stream.write_all(request.as_bytes());
    assert!(third.rest().is_empty());
    assert_eq!(gateway.handle.counters().connections_refused, 1);
    drop(first);
    until(|| gateway.handle.counters().active == 1);
    assert_eq!(status(&gateway.ask(request)), "200");
}

#[test]
fn a_connection_serves_as_many_requests_as_allowed() {
    let origin = Origin::ok("ok");
    let gateway = limited(&origin, |settings| settings.keepalive_requests = 3);
    let mut client = gateway.client();
    for number in 1..=3 {
        let answer = client.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let closes = answer.contains("\r\nConnection: close\r\n");
        assert_eq!(closes, number == 3, "{answer}");
    }
    assert!(client.rest().is_empty());
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let origin = Origin::ok("ok");
    let gateway = limited(&origin, |settings| {
        settings.keepalive_timeout = Duration::from_millis(100);
    });
    let mut client = gateway.client();
    assert_eq!(
        status(&client.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n")),
        "200"
    );
    assert!(client.rest().is_empty());
    until(|| gateway.handle.counters().active == 0);
}

#[test]
fn a_head_that_drips_does_not_gain_time() {
    let origin = Origin::ok("ok");
    let gateway = limited(&origin, |settings| {
        settings.client_header_timeout = Duration::from_millis(300);
    });
    let mut client = gateway.client();
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "a".repeat(1000));
    let pause = Duration::from_millis(20);
    let is_cut_off = head.bytes().any(|byte| {
        std::thread::park_timeout(pause);
        client.stream.write_all(&[byte]).is_err()
    });
    // Twenty seconds of dripping would have been needed to get to the end.
    assert!(is_cut_off);
    assert!(origin.requests().is_empty());
    until(|| gateway.handle.counters().active == 0);
}

#[test]
fn a_body_that_stops_is_not_waited_for() {
    let origin = Origin::ok("ok");
    let gateway = limited(&origin, |settings| {
        settings.client_body_timeout = Duration::from_millis(100);
    });
    let mut client = gateway.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nbegun");
    let answer = String::from_utf8_lossy(&client.rest()).into_owned();
    assert_eq!(status(&answer), "408", "{answer}");
    until(|| gateway.handle.counters().active == 0);
}

/// Reads so many bytes, a few at a time, with pauses shorter than the limit that add up to more.
fn sips(client: &mut Client, length: usize) -> usize {
    let mut taken = 0;
    let mut piece = vec![0; 64 * 1024];
    while taken < length {
        std::thread::park_timeout(Duration::from_millis(5));
        match client.stream.read(&mut piece) {
            Ok(count @ 1..) => taken += count,
            _ => return taken,
        }
    }
    taken
}

fn patient_for_half_a_second(settings: &mut Settings) {
    settings.send_timeout = Duration::from_millis(500);
}

#[test]
fn a_client_that_reads_slowly_and_goes_on_reading_gets_all_of_an_answer() {
    const LENGTH: usize = 24 * 1024 * 1024;
    let origin = Origin::start(|_, _| Act::Send(ok(&"x".repeat(LENGTH))));
    let gateway = limited(&origin, patient_for_half_a_second);
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(sips(&mut client, LENGTH) >= LENGTH);
}

#[test]
fn a_client_that_stops_reading_is_cut_off() {
    let origin = Origin::start(|_, _| Act::Send(ok(&"x".repeat(12 * 1024 * 1024))));
    let gateway = limited(&origin, patient_for_half_a_second);
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    until(|| gateway.handle.counters().requests == 1);
    until(|| gateway.handle.counters().active == 0);
    assert!(client.rest().len() < 12 * 1024 * 1024);
}
