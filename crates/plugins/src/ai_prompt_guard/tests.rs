//! Facts about `ai-prompt-guard`.

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, violations};

fn status(config: Value, body: &Value) -> u16 {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let mut request = Request::new("POST", "/", &[("Content-Type", "application/json")]);
    request.body = Some(body.to_string().into_bytes());
    request
        .access(&bench, &*handler)
        .map_or(200, |reply| reply.status)
}

fn chat(messages: &[(&str, &str)]) -> Value {
    let one = |(role, text): &(&str, &str)| json!({"role": role, "content": text});
    json!({"messages": messages.iter().map(one).collect::<Vec<_>>()})
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let faults = violations(
        &DEFINITION,
        json!({"allow_patterns": [""], "deny_patterns": vec!["a"; 11], "max_request_body_size": 0, "more": 1}),
    );
    for path in ["allow_patterns", "max_request_body_size", "more"] {
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
    let built = Bench::new().build(&DEFINITION, json!({"deny_patterns": ["a", "("]}));
    let error = built.err().expect("a refusal").to_string();
    assert!(error.starts_with("`config.deny_patterns[2]`"), "{error}");
}

#[test]
fn denied_prompts_and_those_that_are_not_allowed_are_refused() {
    let deny = json!({"deny_patterns": [".*secret.*"]});
    let allow = json!({"allow_patterns": ["^tell"]});
    for (text, denied, allowed) in [
        ("tell me", 200, 200),
        ("a secret", 400, 400),
        ("do", 200, 400),
    ] {
        let body = chat(&[("user", text)]);
        assert_eq!(status(deny.clone(), &body), denied, "{text}");
        assert_eq!(status(allow.clone(), &body), allowed, "{text}");
        let body = json!({"prompt": text});
        assert_eq!(status(deny.clone(), &body), denied, "{text}");
    }
    assert_eq!(status(deny.clone(), &json!({"x": 1})), 400);
    let parts =
        json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "secret"}]}]});
    assert_eq!(status(deny, &parts), 400);
    let gemini = json!({"deny_patterns": ["secret"], "llm_format": "gemini"});
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "secret"}]}]});
    assert_eq!(status(gemini, &body), 400);
}

#[test]
fn roles_and_history_are_looked_at_as_wanted() {
    let body = chat(&[("system", "secret"), ("user", "secret"), ("user", "fine")]);
    let deny = |more: Value| {
        let mut config = json!({"deny_patterns": ["secret"]});
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        config
    };
    assert_eq!(status(deny(json!({})), &body), 400);
    assert_eq!(
        status(deny(json!({"allow_all_conversation_history": true})), &body),
        200
    );
    let body = chat(&[("system", "secret"), ("user", "fine")]);
    assert_eq!(status(deny(json!({})), &body), 200);
    assert_eq!(status(deny(json!({"match_all_roles": true})), &body), 400);
}
