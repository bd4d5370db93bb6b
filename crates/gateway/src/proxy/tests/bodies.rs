use serde_json::json;

use super::support::*;

fn post(framing: &str, body: &str) -> String {
    format!("POST /p HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{body}")
}

#[test]
fn a_body_with_a_length_passes() {
    let origin = Origin::ok("ok");
    let gateway = gateway(origin.address);
    assert!(
        gateway
            .ask(post("Content-Length: 5", "hello"))
            .ends_with("ok")
    );
    let request = &origin.requests()[0];
    assert!(request.contains("\r\nContent-Length: 5\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\nhello"), "{request}");
}

#[test]
fn a_chunked_body_that_arrives_at_once_is_sent_with_its_length() {
    let origin = Origin::ok("ok");
    let gateway = gateway(origin.address);
    let body = "5;e=1\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n";
    assert!(
        gateway
            .ask(post("Transfer-Encoding: chunked", body))
            .ends_with("ok")
    );
    let request = &origin.requests()[0];
    assert!(request.contains("\r\nContent-Length: 8\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\nhelloabc"), "{request}");
}

#[test]
fn a_chunked_body_that_arrives_in_pieces_is_streamed_in_chunks_with_trailers() {
    let origin = Origin::ok("ok");
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    client.send(post("Transfer-Encoding: chunked", "5\r\nhel"));
    until(|| origin.connections() == 1);
    client.send("lo\r\n0\r\nX-T: v\r\nContent-Length: 3\r\n\r\n");
    assert!(client.answer().ends_with("ok"));
    let request = &origin.requests()[0];
    assert!(
        request.contains("\r\nTransfer-Encoding: chunked\r\n"),
        "{request}"
    );
    assert!(request.ends_with("0\r\nX-T: v\r\n\r\n"), "{request}");
}

#[test]
fn large_bodies_pass_in_both_directions_unchanged() {
    let origin = Origin::start(|_, request| {
        let at = request
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .expect("a head")
            + 4;
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            request.len() - at
        );
        answer.push_str(&String::from_utf8_lossy(&request[at..]));
        Act::Send(answer.into_bytes())
    });
    let mut settings = settings();
    settings.client_max_body_size = None;
    let gateway = gateway_with(
        &settings,
        &[json!({"paths": ["/"]})],
        &service(origin.address),
    );
    let body = "abcdefghijklmnopqrstuvwxyz".repeat(115_385);
    let request = post(&format!("Content-Length: {}", body.len()), &body);
    let mut client = gateway.client();
    for _ in 0..2 {
        let answer = client.ask(&request);
        assert!(answer.ends_with(&body[body.len() - 100..]));
        let at = answer.find("\r\n\r\n").expect("a head") + 4;
        assert!(answer[at..] == body, "the body was changed");
    }
}

#[test]
fn a_chunked_answer_passes_in_chunks_with_its_trailers() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-T: v\r\n\r\n";
    let origin = Origin::start(|_, _| Act::Send(answer.as_bytes().to_vec()));
    let gateway = gateway(origin.address);
    let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(
        answer.contains("\r\nTransfer-Encoding: chunked\r\n"),
        "{answer}"
    );
    assert!(answer.ends_with("0\r\nX-T: v\r\n\r\n"), "{answer}");
}

#[test]
fn an_answer_that_ends_with_its_connection_is_sent_in_chunks() {
    let origin = Origin::start(|_, _| Act::SendAndClose(b"HTTP/1.1 200 OK\r\n\r\nhello".to_vec()));
    let gateway = gateway(origin.address);
    let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(
        answer.contains("\r\nTransfer-Encoding: chunked\r\n"),
        "{answer}"
    );
    assert!(answer.contains("hello"), "{answer}");
}

#[test]
fn an_answer_cut_short_is_cut_short_for_the_client_too() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello";
    let origin = Origin::start(|_, _| Act::SendAndClose(cut.to_vec()));
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let rest = String::from_utf8(client.rest()).expect("text");
    assert!(
        rest.contains("Content-Length: 50") && rest.ends_with("hello"),
        "{rest}"
    );
}

#[test]
fn answers_without_a_body_have_none() {
    for (method, answer) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n",
        ),
    ] {
        let origin = Origin::start(|_, _| Act::Send(answer.as_bytes().to_vec()));
        let gateway = gateway(origin.address);
        let mut client = gateway.client();
        for _ in 0..2 {
            client.send(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
            let head = client.head();
            assert_eq!(
                head.contains("Content-Length: 50"),
                answer.contains("50"),
                "{head}"
            );
        }
        assert_eq!(origin.connections(), 1);
    }
}

#[test]
fn a_client_that_waits_for_100_continue_gets_it_and_the_service_does_not_see_it() {
    let origin = Origin::ok("ok");
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    client.send(post("Expect: 100-continue\r\nContent-Length: 5", ""));
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    assert!(client.answer().ends_with("ok"));
    assert!(!origin.requests()[0].contains("Expect"));
}

#[test]
fn interim_answers_of_the_service_pass_but_its_100_does_not() {
    let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n\
                  HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let origin = Origin::start(|_, _| Act::Send(answer.as_bytes().to_vec()));
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(
        client.head(),
        "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
    );
    assert!(client.answer().ends_with("ok"));
}

#[test]
fn an_answer_to_head_has_no_body_behind_an_interim_answer_either() {
    let answer = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n";
    let origin = Origin::start(|_, _| Act::Send(answer.as_bytes().to_vec()));
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    for _ in 0..2 {
        client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.head(), "HTTP/1.1 103 Early Hints\r\n\r\n");
        assert!(client.head().contains("\r\nContent-Length: 50\r\n"));
    }
    assert_eq!(origin.connections(), 1);
}

#[test]
fn an_empty_chunked_body_that_is_sent_again_leaves_nothing_before_the_next_request() {
    let origin = Origin::start(|number, _| match number {
        0 => Act::Drop,
        _ => Act::Send(ok("again")),
    });
    let gateway = gateway(origin.address);
    let mut client = gateway.client();
    let empty = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    client.send(format!("{empty}GET /next HTTP/1.1\r\nHost: a\r\n\r\n"));
    for _ in 0..2 {
        assert!(client.answer().ends_with("again"));
    }
    assert!(origin.requests()[2].starts_with("GET /next "));
}

#[test]
fn an_early_answer_passes_while_the_body_is_still_to_come() {
    let origin = Origin::start(|_, _| Act::Hang);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut piece = [0; 1024];
        let _ = stream.read(&mut piece);
        let _ = stream.write_all(b"HTTP/1.1 413 Too Much\r\nContent-Length: 4\r\n\r\nstop");
    });
    drop(origin);
    let gateway = gateway(address);
    let mut client = gateway.client();
    client.send(post("Content-Length: 1000000", "begin"));
    let answer = client.answer();
    assert!(answer.starts_with("HTTP/1.1 413 Too Much\r\n"), "{answer}");
    assert!(answer.ends_with("stop"), "{answer}");
}

#[test]
fn bodies_larger_than_allowed_are_refused_before_or_while_they_come() {
    let origin = Origin::ok("ok");
    let mut settings = settings();
    settings.client_max_body_size = Some(10);
    let gateway = gateway_with(
        &settings,
        &[json!({"paths": ["/"]})],
        &service(origin.address),
    );
    let fits = gateway.ask(post("Content-Length: 10", "0123456789"));
    assert!(fits.ends_with("ok"), "{fits}");
    let answer = gateway.ask(post("Content-Length: 11", ""));
    assert!(
        answer.starts_with("HTTP/1.1 413 Request Entity Too Large\r\n"),
        "{answer}"
    );
    let at_once = gateway.ask(post(
        "Transfer-Encoding: chunked",
        "c\r\nhello, world\r\n0\r\n\r\n",
    ));
    assert!(at_once.starts_with("HTTP/1.1 413 "), "{at_once}");
    let origin = Origin::ok("ok");
    let routes = [json!({"paths": ["/"]})];
    let gateway = gateway_with(&settings, &routes, &service(origin.address));
    let mut client = gateway.client();
    client.send(post("Transfer-Encoding: chunked", "5\r\nhello\r\n"));
    until(|| origin.connections() == 1);
    client.send("7\r\nhello!!\r\n0\r\n\r\n");
    let answer = client.answer();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}
