//! Facts about `http-log`.

use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, outcome, take_request, violations};

/// Takes a request and answers it; gives its head and its body.
fn receive(stream: &mut TcpStream, status: u16) -> (String, Value) {
    let (head, body) = take_request(stream, status);
    (head, serde_json::from_slice(&body).unwrap())
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
        let (head, body) = receive(&mut stream, 200);
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
    let (head, body) = receive(&mut stream, 204);
    assert!(head.starts_with("POST / HTTP/1.1\r\n"), "{head}");
    assert_eq!(body.as_array().map(Vec::len), Some(2));
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
        assert_eq!(receive(&mut stream, status).1["request"]["uri"], "/again");
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
