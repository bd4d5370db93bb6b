use std::time::Duration;

use serde_json::json;

use super::support::*;

const GET: &str = "GET /a?b=c HTTP/1.1\r\nHost: example.test\r\nX-A: 1\r\n\r\n";

#[test]
fn a_request_goes_to_the_service_and_its_answer_comes_back() {
    let origin = Origin::ok("hello");
    let gateway = gateway(origin.address);
    let answer = gateway.ask(GET);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    let request = &origin.requests()[0];
    assert!(request.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nX-A: 1\r\n"), "{request}");
}

#[test]
fn a_connection_serves_many_requests_over_one_connection_to_the_service() {
    let origin = Origin::ok("hello");
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    for _ in 0..50 {
        assert!(client.ask(GET).ends_with("hello"));
    }
    assert_eq!(origin.connections(), 1);
    assert_eq!(gateway.handle.counters().requests, 50);
    assert_eq!(gateway.handle.counters().active, 1);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let origin = Origin::start(|number, _| Act::Send(ok(&format!("answer {number}"))));
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    client.send(GET.repeat(5));
    for number in 0..5 {
        assert!(client.answer().ends_with(&format!("answer {number}")));
    }
}

#[test]
fn a_head_may_arrive_byte_by_byte() {
    let origin = Origin::ok("hello");
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    client.stream.set_nodelay(true).expect("an option");
    for byte in GET.bytes() {
        client.send([byte]);
    }
    assert!(client.answer().ends_with("hello"));
}

#[test]
fn a_client_that_asks_for_it_is_closed_after_the_answer() {
    let origin = Origin::ok("hello");
    let gateway = gateway(origin.address);
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ] {
        let mut client = gateway.client();
        client.send(request);
        let answer = String::from_utf8(client.rest()).expect("text");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
        assert!(answer.ends_with("hello"), "{answer}");
    }
}

#[test]
fn http_1_0_with_keep_alive_keeps_the_connection() {
    let origin = Origin::ok("hello");
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    for _ in 0..2 {
        let answer = client.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert!(
            answer.contains("\r\nConnection: keep-alive\r\n"),
            "{answer}"
        );
    }
}

#[test]
fn a_chunked_answer_reaches_an_http_1_0_client_without_chunks() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let origin = Origin::start(|_, _| Act::Send(chunked.to_vec()));
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let answer = String::from_utf8(client.rest()).expect("text");
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    assert!(!answer.contains("Transfer-Encoding"), "{answer}");
}

#[test]
fn a_kept_connection_that_the_service_closed_costs_one_more_attempt_and_no_error() {
    let origin = Origin::start(|number, _| match number {
        1 => Act::Drop,
        _ => Act::Send(ok("hello")),
    });
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    assert!(client.ask(GET).ends_with("hello"));
    assert!(client.ask(GET).ends_with("hello"));
    assert_eq!(origin.requests().len(), 3);
}

#[test]
fn a_request_with_side_effects_is_not_sent_twice() {
    let origin = Origin::start(|_, _| Act::Drop);
    let gateway = gateway(origin.address);
    let answer = gateway.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    assert_eq!(origin.requests().len(), 1);
}

#[test]
fn an_idempotent_request_is_tried_as_often_as_the_service_says() {
    let origin = Origin::start(|_, _| Act::Drop);
    let mut service = service(origin.address);
    service["retries"] = json!(2);
    let gateway = gateway_with(&settings(), &[json!({"paths": ["/"]})], &service);
    let answer = gateway.ask("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    let requests = origin.requests();
    assert_eq!(requests.len(), 3);
    assert!(
        requests
            .iter()
            .all(|request| request.ends_with("\r\n\r\nhi"))
    );
}

#[test]
fn a_service_that_is_too_slow_is_answered_for() {
    let origin = Origin::start(|_, _| Act::Hang);
    let mut service = service(origin.address);
    service["retries"] = json!(1);
    service["read_timeout"] = json!(60);
    let gateway = gateway_with(&settings(), &[json!({"paths": ["/"]})], &service);
    let answer = gateway.ask(GET);
    assert!(
        answer.starts_with("HTTP/1.1 504 Gateway Time-out\r\n"),
        "{answer}"
    );
    assert_eq!(origin.requests().len(), 2);
}

#[test]
fn a_client_that_never_finishes_its_head_is_sent_away() {
    let origin = Origin::ok("hello");
    let mut settings = settings();
    settings.client_header_timeout = Duration::from_millis(60);
    let gateway = gateway_with(
        &settings,
        &[json!({"paths": ["/"]})],
        &service(origin.address),
    );
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost:");
    let answer = String::from_utf8(client.rest()).expect("text");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let mut silent = gateway.client();
    assert_eq!(silent.rest(), b"");
}

#[test]
fn draining_lets_a_request_end_and_closes_idle_connections() {
    let origin = Origin::start(|_, _| {
        std::thread::park_timeout(Duration::from_millis(150));
        Act::Send(ok("late"))
    });
    let gateway = gateway(origin.address);
    let mut idle = gateway.client();
    let mut busy = gateway.client();
    busy.send(GET);
    until(|| !origin.requests().is_empty());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(gateway.handle.drain(PATIENCE));
    assert!(busy.answer().ends_with("late"));
    assert_eq!(idle.rest(), b"");
    assert!(std::net::TcpStream::connect(gateway.address()).is_err());
}

#[test]
fn every_answer_leaves_a_telemetry_record() {
    let origin = Origin::ok("hello");
    let gateway = gateway(origin.address);
    let answer = gateway.ask(GET);
    until(|| gateway.handle.counters().writing == 0);
    let (records, dropped) = records(&gateway.telemetry);
    assert_eq!((records.len(), dropped), (1, 0));
    let record = &records[0];
    assert_eq!((record.status, record.upstream_status), (200, Some(200)));
    assert_eq!(record.method, "GET");
    assert_eq!(record.path.as_deref(), Some("/a"));
    assert_eq!(record.host, "example.test");
    assert_eq!(record.request_bytes, GET.len() as u64);
    assert_eq!(record.response_bytes, answer.len() as u64);
    assert!(record.route.is_some() && record.service.is_some());
}
