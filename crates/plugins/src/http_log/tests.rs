//! Facts about `http-log`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, outcome, violations};

/// Reads a request; gives its head in small letters and its body.
fn receive(stream: &mut TcpStream) -> (String, Value) {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head.split("Content-Length: ").nth(1).unwrap();
    let length = length.split("\r\n").next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}

fn answer(stream: &mut TcpStream, status: u16) {
    let text = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok");
    stream.write_all(text.as_bytes()).unwrap();
}

fn server() -> (TcpListener, u16) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    (server, port)
}

#[test]
fn each_request_becomes_a_post_on_one_connection() {
    let (server, port) = server();
    let mut bench = Bench::new();
    let config = json!({
        "http_endpoint": format!("http://user:pass@127.0.0.1:{port}/in?x=1"),
        "headers": {"X-One": "1"},
    });
    let handler = bench.handler(&DEFINITION, config);
    for target in ["/one", "/two"] {
        Request::get(target).log(&bench, &*handler, &outcome());
    }
    let (mut stream, _) = server.accept().unwrap();
    for target in ["/one", "/two"] {
        let (head, body) = receive(&mut stream);
        assert!(head.starts_with("POST /in?x=1 HTTP/1.1\r\n"), "{head}");
        for line in [
            format!("Host: 127.0.0.1:{port}\r\n"),
            "Content-Type: application/json\r\n".to_owned(),
            "Authorization: Basic dXNlcjpwYXNz\r\n".to_owned(),
            "X-One: 1\r\n".to_owned(),
        ] {
            assert!(head.contains(&line), "{head}");
        }
        assert_eq!(body["request"]["uri"], target);
        answer(&mut stream, 200);
    }
}

#[test]
fn a_batch_is_a_list() {
    let (server, port) = server();
    let mut bench = Bench::new();
    let config = json!({
        "http_endpoint": format!("http://127.0.0.1:{port}"),
        "queue": {"max_batch_size": 2, "max_coalescing_delay": 3600},
    });
    let handler = bench.handler(&DEFINITION, config);
    for target in ["/one", "/two"] {
        Request::get(target).log(&bench, &*handler, &outcome());
    }
    let (mut stream, _) = server.accept().unwrap();
    let (head, body) = receive(&mut stream);
    assert!(head.starts_with("POST / HTTP/1.1\r\n"), "{head}");
    assert_eq!(body.as_array().map(Vec::len), Some(2));
    answer(&mut stream, 204);
}

#[test]
fn what_the_endpoint_refuses_is_sent_again() {
    let (server, port) = server();
    let mut bench = Bench::new();
    let config = json!({
        "http_endpoint": format!("http://127.0.0.1:{port}/"),
        "queue": {"initial_retry_delay": 0.001},
    });
    let handler = bench.handler(&DEFINITION, config);
    Request::get("/again").log(&bench, &*handler, &outcome());
    let (mut stream, _) = server.accept().unwrap();
    for status in [500, 200] {
        assert_eq!(receive(&mut stream).1["request"]["uri"], "/again");
        answer(&mut stream, status);
    }
}

#[test]
fn an_endpoint_that_cannot_be_used_is_refused() {
    let mut bench = Bench::new();
    let config = json!({"http_endpoint": "ftp://a.test"});
    let Err(error) = bench.build(&DEFINITION, config) else {
        panic!("it was built")
    };
    assert!(
        error.to_string().starts_with("`config.http_endpoint`"),
        "{error}"
    );
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let both = json!({
        "http_endpoint": "http://u:p@a.test", "headers": {"authorization": "x"},
    });
    let found = violations(&DEFINITION, both);
    assert!(found[0].contains("specifying both"), "{found:?}");
    let host = json!({"http_endpoint": "http://a.test", "headers": {"Host": "x"}});
    assert_eq!(
        violations(&DEFINITION, host),
        ["headers: cannot contain 'Host' header"]
    );
}
