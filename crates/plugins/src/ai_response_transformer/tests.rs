//! Facts about `ai-response-transformer`.

use bytes::Bytes;
use plugin_api::{HeaderEdits, ResponseSource, ResponseView, Step, Verdict};
use serde_json::{Value, json};

use super::DEFINITION;
use crate::ai_request_transformer::tests::{config, model};
use crate::testing::{Bench, Request, Server, core, violations};

/// Status, header lines and body of the answer.
fn answer(port: u16, more: &Value) -> (u16, Vec<String>, String) {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config(port, more));
    let mut request = Request::get("/");
    let mut headers = HeaderEdits::default();
    let mut body = Bytes::from_static(b"service");
    let status = request.with_exchange(&bench, |exchange| {
        let mut view = ResponseView {
            status: 200,
            head: None,
            headers: &mut headers,
            source: ResponseSource::Service,
            changes_body: false,
            drops_body: false,
            own: &[],
        };
        let Step::Wait(future) = handler.response(exchange, &mut view, &mut body) else {
            panic!("it asks a model");
        };
        let verdict = core().block_on(future);
        match verdict {
            Verdict::Respond(reply) => reply.status,
            Verdict::Continue => view.status,
        }
    });
    let line = |(name, value): (&[u8], &[u8])| {
        format!(
            "{}: {}",
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(value)
        )
    };
    let lines = headers.added().map(line).collect();
    (status, lines, String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let faults = violations(
        &DEFINITION,
        json!({"parse_llm_response_json_instructions": 1, "https_verify": 1, "more": 1}),
    );
    for path in [
        "prompt",
        "parse_llm_response_json_instructions",
        "https_verify",
        "llm",
        "more",
    ] {
        assert!(
            faults.iter().any(|fault| fault.starts_with(path)),
            "{path}: {faults:?}"
        );
    }
}

#[test]
fn answer_becomes_what_the_model_makes_of_it() {
    let (status, _, body) = answer(model("made").port, &json!({}));
    assert_eq!((status, body.as_str()), (200, "made"));
}

#[test]
fn model_may_name_status_headers_and_body() {
    let more = json!({"parse_llm_response_json_instructions": true});
    let told = json!({"status": 201, "headers": {"X-A": "1", "Content-Length": "9", "b\r\nc": "x"}, "body": "made"});
    let (status, lines, body) = answer(model(&told.to_string()).port, &more);
    assert_eq!((status, body.as_str()), (201, "made"));
    assert_eq!(lines, ["X-A: 1"]);
    for told in ["no json", r#"{"status": 7}"#] {
        assert_eq!(answer(model(told).port, &more).0, 500);
    }
}

#[test]
fn a_model_that_is_away_fails_the_answer() {
    let broken = Server::start(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(answer(broken.port, &json!({})).0, 500);
}
