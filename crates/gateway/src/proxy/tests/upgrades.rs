use std::io::Read;
use std::sync::Arc;

use super::support::*;

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Key: x\r\n\r\n";

#[test]
fn an_upgraded_connection_becomes_a_tunnel() {
    let switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst";
    let origin = Origin::start(|_, _| Act::Echo(switched.to_vec()));
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    client.send(UPGRADE);
    let head = client.head();
    assert!(
        head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nConnection: upgrade\r\n"), "{head}");
    assert!(head.contains("\r\nUpgrade: websocket\r\n"), "{head}");
    for round in 0..10 {
        client.send(vec![b'a' + round; 10_000]);
    }
    client
        .stream
        .shutdown(std::net::Shutdown::Write)
        .expect("an end");
    let rest = client.rest();
    assert!(rest.starts_with(b"first"));
    assert_eq!(rest.len(), 5 + 100_000);
    let request = origin.requests().remove(0);
    assert!(
        request.contains("\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"),
        "{request}"
    );
    assert!(
        request.contains("\r\nSec-WebSocket-Key: x\r\n"),
        "{request}"
    );
}

#[test]
fn a_service_that_refuses_an_upgrade_answers_as_usual() {
    let origin = Origin::ok("no");
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    assert!(client.ask(UPGRADE).ends_with("no"));
    assert!(client.ask(UPGRADE).ends_with("no"));
}

#[test]
fn a_switch_that_nobody_asked_for_is_a_bad_gateway() {
    let switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n";
    let origin = Origin::start(|_, _| Act::Send(switched.to_vec()));
    let gateway = gateway(origin.address);
    let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
}

#[test]
fn a_tunnel_ends_when_the_service_does() {
    let switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nbye";
    let origin = Origin::start(|_, _| Act::SendAndClose(switched.to_vec()));
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    client.send(UPGRADE);
    client.head();
    let mut first = [0; 3];
    client.stream.read_exact(&mut first).ok();
    drop(client);
    until(|| gateway.handle.counters().active == 0);
}

#[test]
fn a_tunnel_lets_go_of_the_configuration_it_began_with_and_goes_on() {
    let switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    let origin = Origin::start(|_, request| match request.starts_with(b"GET /ws ") {
        true => Act::Echo(switched.to_vec()),
        false => Act::Send(ok("ok")),
    });
    let gateway = gateway(origin.address);
    let before = Arc::downgrade(&gateway.snapshot.load_full());
    let mut client = gateway.client();
    client.send(UPGRADE);
    client.head();

    let next = crate::testing::snapshot("services: []");
    gateway.snapshot.store(Arc::new(next));
    // A core looks for a new configuration when a request comes.
    let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");

    until(|| before.strong_count() == 0);
    client.send("still here");
    let mut echoed = [0; 10];
    client.stream.read_exact(&mut echoed).expect("an echo");
    assert_eq!(&echoed, b"still here");
    drop(client);
    until(|| gateway.handle.counters().active == 0);
    let (records, _) = records(&gateway.telemetry);
    let tunnel = records.iter().find(|record| record.status == 101);
    assert!(tunnel.is_some_and(|record| record.route.is_some()));
}
