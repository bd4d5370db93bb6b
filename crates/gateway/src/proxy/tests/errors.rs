use serde_json::json;

use super::support::*;

#[test]
fn heads_that_two_readers_could_read_in_two_ways_are_refused_and_the_connection_closed() {
    let origin = Origin::ok("ok");
    let gateway = gateway(origin.address);
    for fields in [
        "Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
        "Host: a\r\nContent-Length: 5\r\nContent-Length: 5",
        "Host: a\r\nContent-Length: +5",
        "Host: a\r\nTransfer-Encoding : chunked",
        "Host: a\r\nX: 1\r\n folded",
        "Host: a\r\nHost: b",
        "X: no host",
    ] {
        let mut client = gateway.client();
        client.send(format!("POST / HTTP/1.1\r\n{fields}\r\n\r\nhello"));
        let answer = String::from_utf8(client.rest()).expect("text");
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{fields}: {answer}"
        );
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
        assert!(
            answer.contains("\r\n\r\nBad request\nrequest_id: "),
            "{answer}"
        );
    }
    assert!(origin.requests().is_empty());
}

#[test]
fn refusals_name_their_status() {
    let origin = Origin::ok("ok");
    let gateway = gateway(origin.address);
    let long = "a".repeat(9000);
    for (request, line) in [
        (
            format!("GET /{long} HTTP/1.1\r\n"),
            "414 Request-URI Too Large",
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n"),
            "400 Bad Request",
        ),
        ("TRACE / HTTP/1.1\r\n\r\n".to_owned(), "405 Not Allowed"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n".to_owned(),
            "501 Not Implemented",
        ),
        (
            "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "400 Bad Request",
        ),
    ] {
        let answer = gateway.ask(&request);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {line}\r\n")),
            "{answer}"
        );
    }
}

#[test]
fn a_request_that_no_route_takes_is_answered_in_the_form_the_client_accepts() {
    let origin = Origin::ok("ok");
    let routes = [json!({"hosts": ["only.test"]})];
    let gateway = gateway_with(&settings(), &routes, &service(origin.address));
    for (accept, kind, body) in [
        (
            "",
            "application/json",
            "{\n  \"message\":\"no Route matched with those values\",\n",
        ),
        ("Accept: text/html\r\n", "text/html", "<!doctype html>\n"),
        (
            "Accept: text/plain\r\n",
            "text/plain",
            "no Route matched with those values\n",
        ),
        (
            "Accept: application/xml\r\n",
            "application/xml",
            "<?xml version=",
        ),
    ] {
        let answer = gateway.ask(format!("GET / HTTP/1.1\r\nHost: a\r\n{accept}\r\n"));
        assert!(
            answer.starts_with("HTTP/1.1 404 Not Found\r\nDate: "),
            "{answer}"
        );
        assert!(
            answer.contains(&format!("\r\nContent-Type: {kind}; charset=utf-8\r\n")),
            "{answer}"
        );
        assert!(answer.contains(&format!("\r\n\r\n{body}")), "{answer}");
        assert!(answer.contains("\r\nX-Kong-Response-Latency: "), "{answer}");
    }
}

#[test]
fn a_service_that_cannot_be_reached_is_a_bad_gateway() {
    let refused = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = refused.local_addr().expect("an address");
    drop(refused);
    let gateway = gateway(address);
    let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(
        answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"),
        "{answer}"
    );
    assert!(answer.contains("\r\nX-Kong-Upstream-Latency: "), "{answer}");
    assert!(
        answer.contains("\r\nVia: 1.1 kong/3.9.3\r\nServer: kong/3.9.3\r\n"),
        "{answer}"
    );
}

#[test]
fn a_malformed_answer_is_a_bad_gateway_and_not_passed_on() {
    for answer in [
        "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
    ] {
        let origin = Origin::start(|_, _| Act::SendAndClose(answer.as_bytes().to_vec()));
        let gateway = gateway(origin.address);
        let got = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(
            got.starts_with("HTTP/1.1 502 Bad Gateway\r\n"),
            "{answer}: {got}"
        );
    }
}

#[test]
fn a_name_that_does_not_resolve_is_unavailable() {
    let mut service = service("127.0.0.1:80".parse().expect("an address"));
    service["host"] = json!("nope.invalid");
    let gateway = gateway_with(&settings(), &[json!({"paths": ["/"]})], &service);
    let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(
        answer.starts_with("HTTP/1.1 503 Service Temporarily Unavailable\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains("\"message\":\"name resolution failed\""),
        "{answer}"
    );
}

#[test]
fn a_route_for_https_sends_plain_clients_there() {
    let origin = Origin::ok("ok");
    let routes = [
        json!({"paths": ["/upgrade"], "protocols": ["https"]}),
        json!({"paths": ["/moved"], "protocols": ["https"], "https_redirect_status_code": 301}),
    ];
    let gateway = gateway_with(&settings(), &routes, &service(origin.address));
    let answer = gateway.ask("GET /upgrade HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 426 \r\n"), "{answer}");
    assert!(
        answer.contains("\r\nUpgrade: TLS/1.2, HTTP/1.1\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains("\"message\":\"Please use HTTPS protocol\""),
        "{answer}"
    );
    let answer = gateway.ask("GET /moved?x=1 HTTP/1.1\r\nHost: a:80\r\n\r\n");
    assert!(
        answer.starts_with("HTTP/1.1 301 Moved Permanently\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains("\r\nLocation: https://a/moved?x=1\r\n"),
        "{answer}"
    );
}
