//! Facts about `aws-lambda`, against a server of the API's published shape.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plugin_api::{Reply, ReplyBody};
use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, Server, violations};

#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with the value in place"
)]
fn settings(port: u16, more: Value) -> Value {
    let mut config = json!({
        "aws_key": "AKID", "aws_secret": "s3cret", "function_name": "fun", "host": "127.0.0.1",
        "port": port, "disable_https": true, "aws_region": "eu-west-1", "timeout": 2000,
    });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// The request that the function got, and the answer.
fn ask(more: Value, result: Vec<u8>, mut request: Request) -> (String, Reply) {
    let server = Server::with(move |_| result.clone());
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, settings(server.port, more));
    let reply = request.access(&bench, &*handler).expect("an answer");
    (server.seen(), reply)
}

fn payload(seen: &str) -> Value {
    let (_, body) = seen.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

fn raw(reply: &Reply) -> &str {
    match &reply.body {
        ReplyBody::Raw(body) => std::str::from_utf8(body).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn integrated(result: &Value) -> Reply {
    let more = json!({"is_proxy_integration": true});
    let result = http("200 OK", "", &result.to_string());
    ask(more, result, Request::get("/")).1
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let faults = violations(
        &DEFINITION,
        json!({
            "timeout": "x", "aws_region": "a b", "invocation_type": "Odd", "log_type": "Odd",
            "port": 70_000, "unhandled_status": 99, "aws_imds_protocol_version": "v3",
            "empty_arrays_mode": "x", "more": 1,
        }),
    );
    for path in [
        "timeout",
        "aws_region",
        "invocation_type",
        "log_type",
        "port",
        "unhandled_status",
        "aws_imds_protocol_version",
        "empty_arrays_mode",
        "more",
    ] {
        assert!(
            faults.iter().any(|fault| fault.starts_with(path)),
            "{path}: {faults:?}"
        );
    }
    for (config, text) in [
        (json!({"aws_key": "a"}), "aws_secret"),
        (
            json!({"proxy_url": "https://p:1"}),
            "proxy_url scheme must be http",
        ),
    ] {
        let faults = violations(&DEFINITION, config);
        assert!(
            faults.iter().any(|fault| fault.contains(text)),
            "{faults:?}"
        );
    }
    let built = Bench::new().build(&DEFINITION, json!({"function_name": "f"}));
    let error = built.err().expect("a refusal").to_string();
    assert!(error.starts_with("`config.aws_region`"), "{error}");
}

#[test]
fn function_is_invoked_with_a_signature_and_arguments_as_payload() {
    let more = json!({"qualifier": "live", "log_type": "None"});
    let mut request = Request::new(
        "POST",
        "/x?a=1&b=2&b=3",
        &[("Content-Type", "application/json")],
    );
    request.body = Some(br#"{"c":{"d":1},"a":"body"}"#.to_vec());

    let (seen, reply) = ask(
        more,
        http("200 OK", "X-Amzn-RequestId: r1\r\n", "[]"),
        request,
    );

    assert!(
        seen.starts_with("POST /2015-03-31/functions/fun/invocations?Qualifier=live HTTP/1.1\r\n"),
        "{seen}"
    );
    let lower = seen.to_ascii_lowercase();
    assert!(lower.contains("\r\nx-amz-log-type: none\r\n"), "{seen}");
    assert!(
        lower.contains("\r\nx-amz-invocation-type: requestresponse\r\n"),
        "{seen}"
    );
    let scope = "credential=akid/20260131/eu-west-1/lambda/aws4_request, signedheaders=\
                 content-type;host;x-amz-content-sha256;x-amz-date;x-amz-invocation-type;\
                 x-amz-log-type;x-amz-target, signature=";
    assert!(lower.contains(scope), "{seen}");
    assert!(!seen.contains("s3cret"));
    assert_eq!(
        payload(&seen),
        json!({"a": "body", "b": ["2", "3"], "c": {"d": 1}})
    );
    // The usual mode writes lists without members as objects.
    assert_eq!((reply.status, raw(&reply)), (200, "{}"));
    assert_eq!(reply.headers[0].0.as_ref(), b"x-amzn-requestid");
}

#[test]
fn what_is_forwarded_is_what_was_asked_for() {
    let more = json!({
        "forward_request_method": true, "forward_request_uri": true,
        "forward_request_headers": true, "forward_request_body": true,
    });
    let ask_with = |more: &Value, kind: &str, body: &[u8]| {
        let mut request = Request::new("PUT", "/p?q=1", &[("Content-Type", kind), ("X-A", "1")]);
        request.body = Some(body.to_vec());
        payload(&ask(more.clone(), http("200 OK", "", "1"), request).0)
    };

    let event = ask_with(&more, "application/octet-stream", b"\xff\x00");
    assert_eq!(event["request_method"], "PUT");
    assert_eq!(event["request_uri"], "/p?q=1");
    assert_eq!(event["request_uri_args"], json!({"q": "1"}));
    assert_eq!(event["request_headers"]["x-a"], "1");
    assert_eq!(event["request_body"], STANDARD.encode(b"\xff\x00"));
    assert_eq!(event["request_body_base64"], true);
    let event = ask_with(&more, "text/plain; charset=utf-8", b"hi");
    assert_eq!(event["request_body"], "hi");
    let event = ask_with(&more, "application/x-www-form-urlencoded", b"a=1");
    assert_eq!(
        (&event["request_body"], &event["request_body_args"]),
        (&json!("a=1"), &json!({"a": "1"}))
    );
    let large = vec![b'x'; 9000];
    assert_eq!(ask_with(&more, "text/plain", &large)["request_body"], "");
    let mut more = more;
    more["skip_large_bodies"] = false.into();
    assert_eq!(
        ask_with(&more, "text/plain", &large)["request_body"]
            .as_str()
            .unwrap()
            .len(),
        9000
    );
}

#[test]
fn event_of_the_api_gateway_has_its_published_members() {
    let more = json!({"awsgateway_compatible": true});
    let headers = [
        ("Host", "api.a.test:80"),
        ("User-Agent", "u"),
        ("X-A", "1"),
        ("X-A", "2"),
    ];
    let mut request = Request::new("POST", "/p?q=1&q=2", &headers);
    request.body = Some(b"hi".to_vec());

    let event = payload(&ask(more, http("200 OK", "", "1"), request).0);

    assert_eq!(
        (&event["httpMethod"], &event["path"]),
        (&json!("POST"), &json!("/p"))
    );
    assert_eq!(event["headers"]["x-a"], "2");
    assert_eq!(event["multiValueHeaders"]["x-a"], json!(["1", "2"]));
    assert_eq!(event["queryStringParameters"], json!({"q": "2"}));
    assert_eq!(
        (&event["body"], &event["isBase64Encoded"]),
        (&json!("aGk="), &json!(true))
    );
    let context = &event["requestContext"];
    assert_eq!(
        context["identity"],
        json!({"sourceIp": "127.0.0.1", "userAgent": "u"})
    );
    assert_eq!(
        (&context["domainName"], &context["domainPrefix"]),
        (&json!("api.a.test"), &json!("api"))
    );
}

#[test]
fn result_may_name_status_headers_and_body() {
    let reply = integrated(&json!({
        "statusCode": 201, "headers": {"X-A": 1, "Set-Cookie": "no", "Content-Length": "9"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "body": STANDARD.encode("hello"), "isBase64Encoded": true,
    }));

    assert_eq!((reply.status, raw(&reply)), (201, "hello"));
    let lines: Vec<_> = reply
        .headers
        .iter()
        .map(|(n, v)| (&n[..], &v[..]))
        .collect();
    assert_eq!(
        lines,
        [
            (&b"X-A"[..], &b"1"[..]),
            (b"Set-Cookie", b"a=1"),
            (b"Set-Cookie", b"b=2")
        ]
    );
}

#[test]
fn results_of_another_form_are_502() {
    for result in [
        json!("text"),
        json!([]),
        json!({}),
        json!({"statusCode": 99}),
        json!({"statusCode": "x"}),
        json!({"statusCode": 200, "body": 7}),
        json!({"statusCode": 200, "headers": "x"}),
        json!({"statusCode": 200, "headers": {"X": {}}}),
        json!({"statusCode": 200, "headers": {"X\r\nY": "1"}}),
        json!({"statusCode": 200, "headers": {"X": "1\r\nY: 2"}}),
        json!({"statusCode": 200, "multiValueHeaders": {"X": "1"}}),
        json!({"statusCode": 200, "isBase64Encoded": "yes"}),
        json!({"statusCode": 200, "isBase64Encoded": true, "body": "*"}),
    ] {
        let reply = integrated(&result);
        assert_eq!(
            (reply.status, raw(&reply)),
            (502, r#"{"message":"Bad Gateway"}"#),
            "{result}"
        );
    }
}

#[test]
fn failure_of_the_function_takes_the_status_that_is_set() {
    let failed = || {
        http(
            "200 OK",
            "X-Amz-Function-Error: Unhandled\r\n",
            r#"{"errorMessage":"x"}"#,
        )
    };
    let more = json!({"unhandled_status": 412, "empty_arrays_mode": "correct"});
    assert_eq!(ask(more, failed(), Request::get("/")).1.status, 412);
    assert_eq!(ask(json!({}), failed(), Request::get("/")).1.status, 200);
    let correct = json!({"empty_arrays_mode": "correct"});
    assert_eq!(
        raw(&ask(correct, http("200 OK", "", "[]"), Request::get("/")).1),
        "[]"
    );
}

#[test]
fn role_is_taken_on_and_its_keys_are_kept() {
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&calls);
    let sts = Server::with(move |_| {
        counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        http(
            "200 OK",
            "",
            "<AssumeRoleResponse><Credentials><AccessKeyId>TEMP</AccessKeyId>\
            <SecretAccessKey>x</SecretAccessKey><SessionToken>tok</SessionToken>\
            <Expiration>2026-02-01T01:00:00Z</Expiration></Credentials></AssumeRoleResponse>",
        )
    });
    let lambda = Server::with(|_| http("200 OK", "", "1"));
    let mut bench = Bench::new();
    let more = json!({
        "aws_assume_role_arn": "arn:aws:iam::1:role/r", "aws_role_session_name": "s n",
        "aws_sts_endpoint_url": format!("http://127.0.0.1:{}", sts.port),
    });
    let handler = bench.handler(&DEFINITION, settings(lambda.port, more));

    for _ in 0..2 {
        assert_eq!(
            Request::get("/").access(&bench, &*handler).unwrap().status,
            200
        );
    }

    let asked = sts.seen();
    assert!(
        asked.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=s%20n&"),
        "{asked}"
    );
    let seen = lambda.seen();
    assert!(
        seen.contains("Credential=TEMP/")
            && seen
                .to_ascii_lowercase()
                .contains("x-amz-security-token: tok"),
        "{seen}"
    );
    assert_eq!(calls.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn forward_proxy_is_asked_with_the_whole_url() {
    let proxy = Server::with(|_| http("200 OK", "", "1"));
    let more =
        json!({"proxy_url": format!("http://127.0.0.1:{}", proxy.port), "host": "lambda.test"});
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, settings(81, more));

    assert_eq!(
        Request::get("/").access(&bench, &*handler).unwrap().status,
        200
    );
    let seen = proxy.seen();
    assert!(
        seen.starts_with("POST http://lambda.test:81/2015-03-31/functions/fun/invocations "),
        "{seen}"
    );
}

#[test]
fn a_function_that_is_away_fails_the_request() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, settings(port, json!({})));
    assert_eq!(
        Request::get("/").access(&bench, &*handler).unwrap().status,
        500
    );
}
