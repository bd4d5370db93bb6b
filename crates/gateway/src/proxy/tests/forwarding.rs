use serde_json::json;

use super::support::*;

#[test]
fn the_service_receives_the_fields_of_a_proxy_in_the_order_of_the_reference() {
    let origin = Origin::ok("ok");
    let routes = [json!({"paths": ["/p"], "strip_path": true})];
    let gateway = gateway_with(&settings(), &routes, &service(origin.address));
    gateway.ask(
        "POST /p/x?q=1 HTTP/1.1\r\nHost: Example.TEST:80\r\nX-A: 1\r\nTE: trailers, gzip\r\n\
         Connection: x-hop, Content-Length\r\nX-Hop: 1\r\nContent-Length: 2\r\nUser-Agent: u\r\n\r\nhi",
    );
    let port = gateway.address().port();
    let request = origin.requests().remove(0);
    let id = request.find("X-Kong-Request-Id: ").expect("an id") + 19;
    let id = request[id..id + 32].to_owned();
    let expected = format!(
        "POST /x?q=1 HTTP/1.1\r\nTE: trailers\r\nVia: 1.1 kong/3.9.3\r\nHost: {}\r\n\
         Connection: keep-alive\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n\
         X-Forwarded-Host: example.test\r\nX-Forwarded-Port: {port}\r\nX-Forwarded-Path: /p/x\r\n\
         X-Forwarded-Prefix: /p\r\nX-Real-IP: 127.0.0.1\r\nX-Kong-Request-Id: {id}\r\n\
         Content-Length: 2\r\nX-A: 1\r\nUser-Agent: u\r\n\r\nhi",
        origin.address
    );
    assert_eq!(request, expected);
}

#[test]
fn the_client_receives_the_fields_of_a_proxy_in_the_order_of_the_reference() {
    let answer = "HTTP/1.1 299 Odd Reason\r\nX-A: 1\r\nServer: up\r\nContent-Length: 2\r\n\
                  Keep-Alive: timeout=5\r\nContent-Type: t/t\r\nVia: 1.1 up\r\nX-A: 2\r\n\r\nok";
    let origin = Origin::start(|_, _| Act::Send(answer.as_bytes().to_vec()));
    let gateway = gateway(origin.address);
    let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let lines: Vec<&str> = answer.lines().collect();
    assert_eq!(
        lines[..8],
        [
            "HTTP/1.1 299 Odd Reason",
            "Content-Type: t/t",
            "Content-Length: 2",
            "Connection: keep-alive",
            "X-A: 1",
            "Server: up",
            "Via: 1.1 up, 1.1 kong/3.9.3",
            "X-A: 2",
        ][..],
        "{answer}"
    );
    assert!(lines[8].starts_with("X-Kong-Upstream-Latency: "));
    assert!(lines[9].starts_with("X-Kong-Proxy-Latency: "));
    assert!(lines[10].starts_with("X-Kong-Request-Id: "));
}

#[test]
fn forwarded_fields_of_a_stranger_are_replaced_and_its_chain_extended() {
    let origin = Origin::ok("ok");
    let gateway = gateway(origin.address);
    gateway.ask(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n\
         X-Forwarded-Host: h\r\nX-Real-IP: 9.9.9.9\r\n\r\n",
    );
    let request = origin.requests().remove(0);
    for line in [
        "X-Forwarded-For: 1.2.3.4, 127.0.0.1",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: a",
        "X-Real-IP: 127.0.0.1",
    ] {
        assert!(
            request.contains(&format!("\r\n{line}\r\n")),
            "{line}: {request}"
        );
    }
}

#[test]
fn forwarded_fields_of_a_trusted_peer_are_believed() {
    let origin = Origin::ok("ok");
    let mut settings = settings();
    settings.trusted_ips = vec![conf::Cidr {
        address: "127.0.0.0".parse().expect("an address"),
        prefix: 8,
    }];
    let routes = [json!({"paths": ["/"], "protocols": ["https"]})];
    let gateway = gateway_with(&settings, &routes, &service(origin.address));
    let answer = gateway.ask(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: h\r\n\
         X-Forwarded-Port: 1\r\nX-Real-IP: 9.9.9.9\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let request = origin.requests().remove(0);
    for line in [
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: h",
        "X-Forwarded-Port: 1",
        "X-Real-IP: 9.9.9.9",
    ] {
        assert!(
            request.contains(&format!("\r\n{line}\r\n")),
            "{line}: {request}"
        );
    }
    let (records, _) = records(&gateway.telemetry);
    let address: std::net::IpAddr = [9, 9, 9, 9].into();
    assert!(
        records
            .iter()
            .all(|record| record.client_ip == Some(address))
    );
}

#[test]
fn a_route_may_keep_the_host_of_the_client() {
    let origin = Origin::ok("ok");
    let routes = [json!({"paths": ["/"], "preserve_host": true})];
    let gateway = gateway_with(&settings(), &routes, &service(origin.address));
    gateway.ask("GET / HTTP/1.1\r\nHost: Own.test:81\r\n\r\n");
    let request = origin.requests().remove(0);
    assert!(request.contains("\r\nHost: Own.test:81\r\n"), "{request}");
}

#[test]
fn debug_lines_are_given_to_those_who_ask() {
    let origin = Origin::ok("ok");
    let gateway = gateway(origin.address);
    let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\nKong-Debug: 1\r\n\r\n");
    for line in ["Kong-Route-Name: r0", "Kong-Service-Name: s"] {
        assert!(
            answer.contains(&format!("\r\n{line}\r\n")),
            "{line}: {answer}"
        );
    }
    let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(!answer.contains("Kong-Route"), "{answer}");
}

/// What a request is told that asks why; nothing when it is not told.
fn explanation(gateway: &Gateway, path: &str, shown: &str) -> Option<serde_json::Value> {
    let answer = gateway.ask(format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nGatehouse-Explain: {shown}\r\n\r\n"
    ));
    let line = answer
        .lines()
        .find_map(|line| line.strip_prefix("Gatehouse-Explain: "))?;
    Some(serde_json::from_str(line).expect("JSON"))
}

#[test]
fn a_permitted_request_is_told_why_it_went_where_it_went() {
    let origin = Origin::ok("ok");
    let mut settings = settings();
    settings.explain_trusted_ips = vec![conf::Cidr::parse("127.0.0.0/8").expect("a network")];
    settings.explain_token = Some(conf::Secret::new("open sesame"));
    let routes = [json!({"paths": ["/a"], "name": "r\u{e9}"})];
    let gateway = gateway_with(&settings, &routes, &service(origin.address));
    let told = explanation(&gateway, "/a/b?c", "open sesame").expect("an explanation");
    assert_eq!(told["route"]["name"], "r\u{e9}");
    assert_eq!(told["considered"][0]["verdict"], "wins");
    for phase in ["rewrite", "route", "access", "balancer", "service"] {
        assert!(told["microseconds"][phase].is_u64(), "{phase}: {told}");
    }
    let told = explanation(&gateway, "/b", "open sesame").expect("an explanation");
    assert_eq!(told["route"], serde_json::Value::Null);
    assert_eq!(told["considered"][0]["unmet"][0]["field"], "paths");
    for wrong in ["", "1", "open sesamf", "open sesame "] {
        let is_right = wrong.trim() == "open sesame";
        assert_eq!(explanation(&gateway, "/a", wrong).is_some(), is_right);
    }
    // The token stays here.
    let requests = origin.requests();
    assert!(!requests.is_empty());
    for request in requests {
        assert!(!request.contains("sesam"), "{request}");
    }
}

#[test]
fn nobody_is_told_why_unless_permitted() {
    let origin = Origin::ok("ok");
    let routes = [json!({"paths": ["/a"]})];
    let mut settings = settings();
    let closed = gateway_with(&settings, &routes, &service(origin.address));
    assert_eq!(explanation(&closed, "/a", "1"), None);
    settings.explain_trusted_ips = vec![conf::Cidr::parse("10.0.0.0/8").expect("a network")];
    let far = gateway_with(&settings, &routes, &service(origin.address));
    assert_eq!(explanation(&far, "/a", "1"), None);
    settings.explain_trusted_ips = vec![conf::Cidr::parse("127.0.0.1").expect("an address")];
    let near = gateway_with(&settings, &routes, &service(origin.address));
    assert!(explanation(&near, "/a", "1").is_some());
}

#[test]
fn a_name_under_localhost_leads_to_this_machine() {
    let origin = Origin::ok("ok");
    let mut service = service(origin.address);
    service["host"] = json!("echo.localhost");
    let gateway = gateway_with(&settings(), &[json!({"paths": ["/"]})], &service);
    assert!(
        gateway
            .ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .ends_with("ok")
    );
}

#[test]
fn headers_can_be_turned_off() {
    let origin = Origin::ok("ok");
    let mut settings = settings();
    settings.headers = conf::HeaderTokens::default();
    settings.headers_upstream.request_id = false;
    let gateway = gateway_with(
        &settings,
        &[json!({"paths": ["/"]})],
        &service(origin.address),
    );
    let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\nServer: origin\r\n\r\nok"
    );
    assert!(!origin.requests()[0].contains("Request-Id"));
}

#[test]
fn a_listener_with_the_proxy_protocol_takes_the_address_from_a_trusted_peer() {
    let origin = Origin::ok("ok");
    let mut settings = settings();
    settings.proxy_listen[0].proxy_protocol = true;
    settings.real_ip_header = conf::RealIpHeader::ProxyProtocol;
    settings.trusted_ips = vec![conf::Cidr {
        address: "127.0.0.0".parse().expect("an address"),
        prefix: 8,
    }];
    let routes = [json!({"paths": ["/"]})];
    let gateway = gateway_with(&settings, &routes, &service(origin.address));
    let mut client = gateway.client();
    client.send("PROXY TCP4 1.2.3.4 5.6.7.8 10");
    client.send("00 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(client.answer().ends_with("ok"));
    let request = origin.requests().remove(0);
    assert!(request.contains("\r\nX-Real-IP: 1.2.3.4\r\n"), "{request}");
    let mut stranger = gateway.client();
    stranger.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(!stranger.rest().starts_with(b"HTTP"));
}
