//! Clients that do not speak gRPC before a service that does: the plugins between them.

use bytes::Bytes;
use conf::Listen;
use h2::client::SendRequest;
use http::Request;
use test_support::TempDir;

use super::grpc::Service;
use super::http2::{Answer, ask, connect};
use super::support::*;

/// The service sends messages back as they are, so both are of one kind.
const PROTO: &str = r#"syntax = "proto3";
package test;
import "google/api/annotations.proto";
import "google/protobuf/timestamp.proto";

service Things {
  rpc Echo(Thing) returns (Thing) {
    option (google.api.http) = {
      get: "/v1/things/{name}"
      additional_bindings { post: "/v1/things" body: "*" }
      additional_bindings { put: "/v1/{name=shelves/*}/part" body: "part" response_body: "part" }
      additional_bindings { custom { kind: "LINK" path: "/v1/things:link" } }
    };
  }
  rpc Fail(Thing) returns (Thing) {
    option (google.api.http) = { get: "/v1/fail" };
  }
}

enum Color { NONE = 0; RED = 1; }
message Part { int32 count = 1; string end = 2; }
message Thing {
  string name = 1;
  int64 size = 2;
  bool is_on = 3;
  Part part = 4;
  repeated string tags = 5;
  Color color = 6;
  google.protobuf.Timestamp at = 7;
  bytes data = 8;
}
"#;

struct Scene {
    _folder: TempDir,
    _gateway: Gateway,
    client: SendRequest<Bytes>,
}

impl Scene {
    /// A route for all paths with this plugin.
    async fn new(plugin: &str, config: &str) -> Self {
        let service = Service::start(None).await;
        let folder = TempDir::new("grpc");
        let proto = folder.join("things.proto");
        std::fs::write(&proto, PROTO).expect("the file is written");
        let mut settings = settings();
        settings.proxy_listen = vec![Listen {
            http2: true,
            ..Listen::plain("127.0.0.1:0".parse().expect("an address"))
        }];
        let config = config.replace("PROTO", &proto.display().to_string());
        let yaml = format!(
            "services:\n- name: s\n  url: grpc://{}\n  routes:\n  - name: r\n    \
             paths: [/under, /]\n    plugins:\n    - {{name: {plugin}, config: {{{config}}}}}\n",
            service.address
        );
        let gateway = gateway_of(&settings, crate::testing::snapshot(&yaml));
        let client = connect(&gateway).await;
        Self {
            _folder: folder,
            _gateway: gateway,
            client,
        }
    }

    async fn ask(&self, verb: &str, path: &str, kind: &str, body: impl Into<Bytes>) -> Answer {
        let request = Request::builder()
            .method(verb)
            .uri(format!("http://a.test{path}"))
            .header("content-type", kind)
            .body(())
            .expect("a request");
        let body = body.into();
        ask(
            &self.client,
            request,
            Some(body).filter(|body| !body.is_empty()),
        )
        .await
    }

    /// Status and body as text.
    async fn json(&self, verb: &str, path: &str, body: &'static str) -> (u16, String) {
        let (response, body, trailers) = self.ask(verb, path, "application/json", body).await;
        assert!(trailers.is_none());
        let text = String::from_utf8(body.to_vec()).expect("text");
        (response.status().as_u16(), text)
    }
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let value = answer.0.headers().get(name);
    value.map_or("", |value| value.to_str().expect("text"))
}

fn frame(kind: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("short");
    [&[kind], &length.to_be_bytes()[..], message].concat()
}

const END: &[u8] = b"grpc-status:0\r\ngrpc-message:fine\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn trailers_of_a_service_are_the_last_frame_for_grpc_web() {
    let scene = Scene::new("grpc-web", "").await;
    let message = frame(0, b"anything");
    let kind = "application/grpc-web+proto";
    let answer = scene.ask("POST", "/any", kind, message.clone()).await;
    assert_eq!(answer.0.status(), 200);
    assert_eq!(header(&answer, "content-type"), kind);
    assert_eq!(header(&answer, "access-control-allow-origin"), "*");
    assert_eq!(header(&answer, "seen-te"), "trailers");
    assert_eq!(header(&answer, "content-length"), "");
    assert_eq!(answer.1, [message, frame(0x80, END)].concat());
    assert!(answer.2.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_web_text_is_base64_both_ways() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let scene = Scene::new("grpc-web", "allow_origin_header: \"http://b.test\"").await;
    let message = frame(0, b"four");
    // Padded in the middle, as a client may that sends pieces.
    let body = STANDARD.encode(&message[..4]) + &STANDARD.encode(&message[4..]);
    let answer = scene
        .ask("POST", "/whole", "application/grpc-web-text", body)
        .await;
    assert_eq!(
        header(&answer, "access-control-allow-origin"),
        "http://b.test"
    );
    let text = String::from_utf8(answer.1.to_vec()).expect("text");
    let end = STANDARD.encode(frame(0x80, END));
    let text = text.strip_suffix(&end).expect("trailers");
    assert_eq!(STANDARD.decode(text).expect("base64"), message);
    let kind = "application/grpc-web-text";
    let answer = scene.ask("POST", "/whole", kind, "*").await;
    assert_eq!(
        (answer.0.status().as_u16(), &*answer.1),
        (400, &b"the body is no base64"[..])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_is_nothing_but_a_head_stands_in_the_last_frame_too() {
    let scene = Scene::new("grpc-web", "").await;
    let kind = "application/grpc-web";
    let answer = scene.ask("POST", "/failure", kind, frame(0, b"m")).await;
    assert_eq!(answer.1, frame(0x80, b"grpc-status:5\r\ngrpc-message:\r\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_web_speaks_json_with_a_proto_and_refuses_what_does_not_fit() {
    let scene = Scene::new("grpc-web", "proto: PROTO, pass_stripped_path: true").await;
    let path = "/under/test.Things/Echo";
    let json = scene
        .json("POST", path, r#"{"name":"a","size":"7","other":1}"#)
        .await;
    let all = r#"{"name":"a","size":7,"is_on":false,"tags":[],"color":"NONE","data":""}"#;
    assert_eq!(json, (200, all.to_owned()));
    let kind = "application/grpc-web+json";
    let body = frame(0, br#"{"name":"a","size":7}"#);
    let answer = scene.ask("POST", path, kind, body).await;
    let expected = [frame(0, all.as_bytes()), frame(0x80, END)].concat();
    assert_eq!(
        (header(&answer, "content-type"), &*answer.1),
        (kind, &*expected)
    );
    for (path, body, reason) in [
        (
            "/under/test.Things/No",
            "{}",
            "Unkown path \"/test.Things/No\"",
        ),
        (path, "{", "the body is no JSON"),
        (path, r#"{"name":null}"#, "`name` is null"),
        (path, r#"{"size":"x"}"#, ""),
    ] {
        let (status, text) = scene.json("POST", path, body).await;
        assert!(
            status == 400 && text.starts_with(reason),
            "{body}: {status} {text}"
        );
    }
    let answer = scene.ask("POST", path, "text/plain", "x").await;
    assert_eq!(answer.0.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_web_without_a_proto_refuses_json_and_answers_browsers() {
    let scene = Scene::new("grpc-web", "").await;
    let reason = "transcoding requests require a .proto file defining the service";
    assert_eq!(
        scene.json("POST", "/test.Things/Echo", "{}").await,
        (400, reason.to_owned())
    );
    let answer = scene.ask("OPTIONS", "/test.Things/Echo", "", "").await;
    assert_eq!((answer.0.status().as_u16(), &*answer.1), (200, &b"OK"[..]));
    for (name, value) in [
        ("access-control-allow-methods", "POST"),
        ("grpc-status", "0"),
        ("grpc-message", "OK"),
        (
            "access-control-allow-headers",
            "content-type,x-grpc-web,x-user-agent",
        ),
        ("content-type", "application/grpc-web-text+proto"),
    ] {
        assert_eq!(header(&answer, name), value);
    }
    // A call is a POST; of all else the content type alone is changed.
    let kind = "application/grpc-web";
    let answer = scene.ask("GET", "/whole", kind, "").await;
    assert_eq!(
        (header(&answer, "content-type"), &*answer.1),
        (kind, &b""[..])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_gateway_finds_the_call_by_its_bindings() {
    let scene = Scene::new("grpc-gateway", "proto: PROTO").await;
    let thing = |name: &str, rest: &str| {
        format!(
            r#"{{"name":"{name}","size":0,"is_on":false{rest},"tags":[],"color":"NONE","data":""}}"#
        )
    };
    for (verb, path, body, expected) in [
        ("GET", "/v1/things/a%20b?other=1", "", thing("a b", "")),
        (
            "GET",
            "/v1/things/n?size=4&is_on=1&part.count=2&part.no=3&tags=x&tags=y&color=RED\
             &at=2026-01-02T03:04:05&name=other",
            "",
            r#"{"name":"n","size":4,"is_on":true,"part":{"count":2,"end":""},"tags":["x","y"],"color":"RED","at":"2026-01-02T03:04:05Z","data":""}"#
                .to_owned(),
        ),
        ("POST", "/v1/things", r#"{"name":"p","is_on":false}"#, thing("p", "")),
        ("LINK", "/v1/things:link?name=l", "", thing("l", "")),
        (
            "PUT",
            "/v1/shelves/9/part",
            r#"{"count":3,"end":"e"}"#,
            r#"{"count":3,"end":"e"}"#.to_owned(),
        ),
    ] {
        assert_eq!(scene.json(verb, path, body).await, (200, expected), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_gateway_maps_statuses_and_refuses_what_it_does_not_know() {
    let scene = Scene::new("grpc-gateway", "proto: PROTO").await;
    let answer = scene.ask("GET", "/v1/fail", "", "").await;
    assert_eq!((answer.0.status().as_u16(), &*answer.1), (404, &b""[..]));
    assert_eq!(header(&answer, "grpc-status"), "5");
    assert_eq!(header(&answer, "content-type"), "application/json");
    for (verb, path, body, reason) in [
        (
            "GET",
            "/v1/other",
            "",
            "failed to transcode .proto file Unknown path \"/v1/other\"",
        ),
        (
            "DELETE",
            "/v1/things",
            "",
            "failed to transcode .proto file Unknown method \"delete\"",
        ),
        ("POST", "/v1/things", "[1]", "body must be a table"),
        ("POST", "/v1/things", r#"{"name":null}"#, "`name` is null"),
        (
            "GET",
            "/v1/things/n?is_on=perhaps",
            "",
            "`is_on` is no boolean",
        ),
    ] {
        assert_eq!(scene.json(verb, path, body).await, (400, reason.to_owned()));
    }
    let answer = scene.ask("OPTIONS", "/v1/things", "", "").await;
    assert_eq!(
        header(&answer, "access-control-allow-methods"),
        "GET,POST,PATCH,DELETE"
    );
    let bare = Scene::new("grpc-gateway", "").await;
    let reason = "transcoding requests require a .proto file defining the service";
    assert_eq!(
        bare.json("GET", "/v1/things/n", "").await,
        (400, reason.to_owned())
    );
}
