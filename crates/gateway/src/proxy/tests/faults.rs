//! Services and clients that break what they began: no answer goes to somebody else, and the next
//! request is served.

use std::io::Write;
use std::net::TcpListener;

use socket2::SockRef;

use super::support::*;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn is_served(gateway: &Gateway) -> bool {
    gateway.ask(GET).ends_with("next")
}

/// A service whose first answer is this, and which closes then or not; later ones are good.
fn first_then_good(first: &'static str, closes: bool) -> Origin {
    Origin::start(move |number, _| match (number, closes) {
        (0, true) => Act::SendAndClose(first.into()),
        (0, false) => Act::Send(first.into()),
        _ => Act::Send(ok("next")),
    })
}

#[test]
fn what_a_service_sends_behind_its_answer_reaches_nobody() {
    let twice = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst\
                 HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond";
    let origin = first_then_good(twice, false);
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    assert!(client.ask(GET).ends_with("first"));
    // The connection with the rest on it is not used again.
    assert!(client.ask(GET).ends_with("next"));
    assert!(is_served(&gateway));
    assert!(origin.connections() >= 2);
}

#[test]
fn a_service_that_announces_more_than_it_sends_cuts_its_answer_short_and_no_other() {
    let origin = first_then_good("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", true);
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    client.send(GET);
    let answer = client.rest();
    assert!(answer.ends_with(b"\r\n\r\nshort"));
    assert!(is_served(&gateway));
}

#[test]
fn a_service_that_announces_less_than_it_sends_is_believed() {
    let origin = first_then_good("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nwhole", false);
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    assert!(client.ask(GET).ends_with("\r\n\r\nwho"));
    assert!(client.ask(GET).ends_with("next"));
    assert!(is_served(&gateway));
}

#[test]
fn a_service_that_resets_in_the_middle_of_its_answer_harms_no_other() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let mut stream = stream;
            let _ = read_message(&mut stream, &mut Vec::new());
            if number == 0 {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
                let _ = SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO));
            } else {
                let _ = stream.write_all(&ok("next"));
            }
        }
    });
    let gateway = gateway(address);
    let mut client = gateway.client();
    client.send(GET);
    // The head may have been on its way already, or not.
    let answer = client.rest();
    assert!(answer.starts_with(b"HTTP/1.1 200 ") || answer.starts_with(b"HTTP/1.1 502 "));
    assert!(is_served(&gateway));
    until(|| gateway.handle.counters().active <= 1);
}

#[test]
fn a_client_that_resets_in_the_middle_of_its_body_harms_no_other() {
    let origin = Origin::ok("next");
    let gateway = gateway(origin.address);
    for framing in ["Content-Length: 100000", "Transfer-Encoding: chunked"] {
        let mut client = gateway.client();
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n5\r\nhalf"
        ));
        until(|| gateway.handle.counters().writing == 1);
        let _ = SockRef::from(&client.stream).set_linger(Some(std::time::Duration::ZERO));
        drop(client);
        until(|| gateway.handle.counters().active == 0);
        assert!(is_served(&gateway));
        until(|| gateway.handle.counters().active == 0);
    }
    assert_eq!(gateway.handle.counters().panics, 0);
}

#[test]
fn services_that_close_at_once_or_never_answer_are_named_as_the_side_that_failed() {
    let closing = Origin::start(|_, _| Act::Drop);
    let answer = gateway(closing.address).ask(GET);
    let text = "An invalid response was received from the upstream server";
    assert!(
        answer.starts_with("HTTP/1.1 502 ") && answer.contains(text),
        "{answer}"
    );

    let silent = Origin::start(|_, _| Act::Hang);
    let mut slow = service(silent.address);
    slow["read_timeout"] = 50.into();
    slow["retries"] = 0.into();
    let routes = [serde_json::json!({"paths": ["/"]})];
    let answer = gateway_with(&settings(), &routes, &slow).ask(GET);
    let text = "The upstream server is timing out";
    assert!(
        answer.starts_with("HTTP/1.1 504 ") && answer.contains(text),
        "{answer}"
    );
}
