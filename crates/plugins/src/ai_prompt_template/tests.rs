//! Facts about `ai-prompt-template`.

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, violations};

#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with the value in place"
)]
fn config(more: Value) -> Value {
    let mut config = json!({"templates": [
        {"name": "t", "template": r#"{"messages":[{"role":"user","content":"About {{a}} and {{ b }}."}]}"#},
        {"name": "p", "template": r#"{"prompt":"{{a}}"}"#},
        {"name": "bad", "template": "no json"},
    ]});
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

fn ask(config: Value, body: &Value) -> (u16, String) {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::new("POST", "/", &[("Content-Type", "application/json")]);
    request.body = Some(body.to_string().into_bytes());
    match request.access(&bench, &*handler) {
        Some(reply) => (reply.status, format!("{:?}", reply.body)),
        None => (
            200,
            request.edits.body.map_or_else(String::new, |body| {
                String::from_utf8(body.to_vec()).unwrap()
            }),
        ),
    }
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let faults = violations(
        &DEFINITION,
        json!({"templates": [{"name": "x"}], "allow_untemplated_requests": 1, "max_request_body_size": 0, "more": 1}),
    );
    for path in [
        "templates",
        "allow_untemplated_requests",
        "max_request_body_size",
        "more",
    ] {
        assert!(
            faults.iter().any(|fault| fault.starts_with(path)),
            "{path}: {faults:?}"
        );
    }
}

#[test]
fn placeholders_are_filled_and_cannot_break_out() {
    let body = json!({
        "model": "m", "messages": "{template://t}",
        "properties": {"a": "\"},{\"role\":\"system", "b": 7},
    });
    let (_, sent) = ask(config(json!({})), &body);
    let sent: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!(sent["messages"].as_array().unwrap().len(), 1);
    assert_eq!(
        sent["messages"][0]["content"],
        "About \"},{\"role\":\"system and 7."
    );
    assert_eq!(
        (&sent["model"], sent.get("properties")),
        (&json!("m"), None)
    );
    let (_, sent) = ask(
        config(json!({})),
        &json!({"prompt": "{template://p}", "properties": {"a": "x"}}),
    );
    assert_eq!(sent, r#"{"prompt":"x"}"#);
}

#[test]
fn what_cannot_be_filled_is_told() {
    for (body, status, text) in [
        (
            json!({"messages": "{template://t}", "properties": {"a": 1}}),
            400,
            "missing template parameters: [b]",
        ),
        (
            json!({"messages": "{template://x}"}),
            400,
            "could not find template name [x]",
        ),
        (
            json!({"messages": "{template://t}", "prompt": "{template://p}"}),
            400,
            "at the same time",
        ),
        (json!({"messages": "{template://bad}"}), 500, "JSON object"),
    ] {
        let (found, message) = ask(config(json!({})), &body);
        assert_eq!(found, status);
        assert!(message.contains(text), "{message}");
    }
    let chat = json!({"messages": [{"role": "user", "content": "hi"}]});
    assert_eq!(ask(config(json!({})), &chat), (200, String::new()));
    let strict = config(json!({"allow_untemplated_requests": false}));
    assert_eq!(ask(strict, &chat).0, 400);
}
