//! Facts about `ai-request-transformer`.

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, Server, violations};

pub(crate) fn config(port: u16, more: &Value) -> Value {
    let mut config = json!({
        "prompt": "translate", "http_timeout": 500,
        "llm": {
            "route_type": "llm/v1/chat",
            "auth": {"header_name": "Authorization", "header_value": "Bearer s3cret"},
            "model": {"provider": "openai", "name": "m", "options": {"upstream_url": format!("http://127.0.0.1:{port}")}},
        },
    });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

pub(crate) fn model(text: &str) -> Server {
    let body = json!({"choices": [{"message": {"content": text}}]}).to_string();
    Server::with(move |_| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    })
}

fn ask(port: u16, more: &Value, body: &[u8]) -> Result<String, u16> {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config(port, more));
    let mut request = Request::new("POST", "/", &[]);
    request.body = Some(body.to_vec());
    match request.access(&bench, &*handler) {
        Some(reply) => Err(reply.status),
        None => Ok(String::from_utf8(request.edits.body.unwrap().to_vec()).unwrap()),
    }
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let faults = violations(
        &DEFINITION,
        json!({"http_timeout": "x", "http_proxy_port": 70_000, "llm": {"route_type": "x", "model": {"provider": "x"}}, "more": 1}),
    );
    for path in [
        "prompt",
        "http_timeout",
        "http_proxy_port",
        "llm.route_type",
        "llm.model.provider",
        "more",
    ] {
        assert!(
            faults.iter().any(|fault| fault.starts_with(path)),
            "{path}: {faults:?}"
        );
    }
    let built = Bench::new().build(
        &DEFINITION,
        config(1, &json!({"transformation_extract_pattern": "("})),
    );
    let error = built.err().expect("a refusal").to_string();
    assert!(
        error.starts_with("`config.transformation_extract_pattern`"),
        "{error}"
    );
}

#[test]
fn request_becomes_what_the_model_makes_of_it() {
    let server = model("well: {\"b\":2} there");
    let more = json!({"transformation_extract_pattern": "\\{.*\\}"});
    assert_eq!(
        ask(server.port, &more, b"{\"a\":1}"),
        Ok("{\"b\":2}".to_owned())
    );
    let seen = server.seen();
    assert!(
        seen.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"),
        "{seen}"
    );
    assert!(
        seen.contains(
            r#"{"role":"system","content":"translate"},{"role":"user","content":"{\"a\":1}"}"#
        ),
        "{seen}"
    );
    assert!(
        seen.to_ascii_lowercase()
            .contains("authorization: bearer s3cret"),
        "{seen}"
    );
    let proxied = json!({"http_proxy_host": "127.0.0.1", "http_proxy_port": server.port});
    assert!(ask(9, &proxied, b"x").is_ok());
    assert!(
        server
            .seen()
            .starts_with("POST http://127.0.0.1:9/v1/chat/completions "),
        "{}",
        server.seen()
    );
}

#[test]
fn a_model_that_is_away_or_lies_fails_the_request() {
    let more = json!({});
    assert_eq!(
        ask(
            Server::start(b"HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n").port,
            &more,
            b"x"
        ),
        Err(500)
    );
    assert_eq!(
        ask(
            Server::start(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]").port,
            &more,
            b"x"
        ),
        Err(500)
    );
    assert_eq!(
        ask(
            model("x").port,
            &json!({"transformation_extract_pattern": "y"}),
            b"x"
        ),
        Err(500)
    );
    assert_eq!(ask(model("x").port, &more, &[0xff]), Err(400));
    assert_eq!(ask(model("x").port, &more, &[b'x'; 8193]), Err(400));
}
