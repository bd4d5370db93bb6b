//! Facts about `ai-prompt-decorator`.

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, violations};

fn ask(config: Value, kind: &str, body: &str) -> (u16, Value) {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::new("POST", "/", &[("Content-Type", kind)]);
    request.body = Some(body.as_bytes().to_vec());
    match request.access(&bench, &*handler) {
        Some(reply) => (reply.status, Value::Null),
        None => (
            200,
            serde_json::from_slice(&request.edits.body.unwrap()).unwrap(),
        ),
    }
}

fn config(format: &str) -> Value {
    json!({
        "prompts": {
            "prepend": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}],
            "append": [{"role": "assistant", "content": "yes"}],
        },
        "llm_format": format,
    })
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let faults = violations(
        &DEFINITION,
        json!({
            "prompts": {"prepend": [{"role": "odd", "content": ""}]}, "llm_format": "x",
            "max_request_body_size": 0, "more": 1,
        }),
    );
    for path in [
        "prompts.prepend",
        "llm_format",
        "max_request_body_size",
        "more",
    ] {
        assert!(
            faults.iter().any(|fault| fault.starts_with(path)),
            "{path}: {faults:?}"
        );
    }
    assert!(
        violations(&DEFINITION, json!({}))
            .concat()
            .contains("at least one of")
    );
}

#[test]
fn messages_stand_before_and_after_the_chat() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"q"}]}"#;
    let (_, sent) = ask(config("openai"), "application/json", body);
    let roles: Vec<_> = sent["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["role"])
        .collect();
    assert_eq!(roles, ["system", "user", "user", "assistant"]);
    assert_eq!(
        (&sent["model"], &sent["messages"][0]["content"]),
        (&json!("m"), &json!("be kind"))
    );
}

#[test]
fn dialects_of_providers_keep_their_form() {
    let body = r#"{"messages":[{"role":"user","content":[{"text":"q"}]}]}"#;
    let (_, sent) = ask(config("bedrock"), "application/json", body);
    assert_eq!(sent["system"], json!([{"text": "be kind"}]));
    assert_eq!(
        sent["messages"][0],
        json!({"role": "user", "content": [{"text": "hi"}]})
    );
    let body = r#"{"contents":[{"role":"user","parts":[{"text":"q"}]}]}"#;
    let (_, sent) = ask(config("gemini"), "application/json", body);
    assert_eq!(
        sent["system_instruction"]["parts"],
        json!([{"text": "be kind"}])
    );
    assert_eq!(
        sent["contents"][2],
        json!({"role": "model", "parts": [{"text": "yes"}]})
    );
}

#[test]
fn bodies_that_are_no_chat_are_refused() {
    for (kind, body) in [
        ("text/plain", r#"{"messages":[]}"#),
        ("application/json", "no json"),
        ("application/json", "[]"),
        ("application/json", r#"{"prompt":"x"}"#),
        ("application/json", r#"{"messages":"x"}"#),
        ("application/json", ""),
    ] {
        assert_eq!(ask(config("openai"), kind, body).0, 400, "{kind} {body}");
    }
    let large = json!({"messages": ["x".repeat(9000)]}).to_string();
    assert_eq!(ask(config("openai"), "application/json", &large).0, 400);
}
