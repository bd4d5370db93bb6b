//! Facts about `ai-proxy`.

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, violations};

#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with the value in place"
)]
fn config(provider: &str, options: Value, more: Value) -> Value {
    let mut config = json!({
        "route_type": "llm/v1/chat", "model": {"provider": provider, "name": "m", "options": options},
        "auth": {"header_name": "Authorization", "header_value": "Bearer s3cret"},
        "logging": {"log_statistics": true, "log_payloads": true},
    });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

fn chat(more: &str) -> Request {
    let headers = [
        ("Content-Type", "application/json"),
        ("Accept-Encoding", "gzip"),
        ("Authorization", "Bearer own"),
    ];
    let mut request = Request::new("POST", "/chat", &headers);
    request.body =
        Some(format!(r#"{{"messages":[{{"role":"user","content":"hi"}}]{more}}}"#).into_bytes());
    request
}

fn status(config: Value, mut request: Request) -> u16 {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    request
        .access(&bench, &*handler)
        .map_or(200, |reply| reply.status)
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let faults = violations(
        &DEFINITION,
        json!({
            "route_type": "odd", "model": {"provider": "nobody", "options": {"temperature": 6, "upstream_url": "x"}},
            "response_streaming": "x", "max_request_body_size": 0, "llm_format": "x", "more": 1,
        }),
    );
    for path in [
        "route_type",
        "model.provider",
        "model.options.temperature",
        "model.options.upstream_url",
        "response_streaming",
        "max_request_body_size",
        "llm_format",
        "more",
    ] {
        assert!(
            faults.iter().any(|fault| fault.starts_with(path)),
            "{path}: {faults:?}"
        );
    }
    let gcp = json!({"auth": {"gcp_use_service_account": true}});
    let built = Bench::new().build(&DEFINITION, config("gemini", json!({}), gcp));
    let error = built.err().expect("a refusal").to_string();
    assert!(
        error.starts_with("`config.auth.gcp_use_service_account`"),
        "{error}"
    );
}

#[test]
fn request_goes_to_the_model_with_the_proof_of_the_gateway() {
    let mut bench = Bench::new();
    let handler = bench.handler(
        &DEFINITION,
        config(
            "anthropic",
            json!({"anthropic_version": "2023-06-01", "max_tokens": 5}),
            json!({}),
        ),
    );
    let mut request = chat("");

    assert_eq!(request.access(&bench, &*handler), None);

    let edits = &request.edits;
    assert_eq!(edits.destination, Some(("api.anthropic.com".into(), 443)));
    assert_eq!(edits.scheme, Some(plugin_api::Scheme::Https));
    assert_eq!(edits.host.as_deref(), Some(&b"api.anthropic.com"[..]));
    assert_eq!(edits.path.as_deref(), Some(&b"/v1/messages"[..]));
    let sent = request.sent_headers();
    assert_eq!(
        sent,
        [
            "Content-Type: application/json",
            "Authorization: Bearer s3cret",
            "anthropic-version: 2023-06-01"
        ]
    );
    let body: Value = serde_json::from_slice(edits.body.as_ref().unwrap()).unwrap();
    assert_eq!(body["max_tokens"], 5);
    let allowing = json!({"auth": {"header_name": "Authorization", "header_value": "x", "allow_override": true}});
    let handler = bench.handler(&DEFINITION, config("openai", json!({}), allowing));
    let mut request = chat("");
    assert_eq!(request.access(&bench, &*handler), None);
    assert!(request.sends("Authorization: Bearer own"));
}

#[test]
fn answers_are_turned_as_a_whole_or_event_by_event() {
    let mut bench = Bench::new();
    let handler = bench.handler(
        &DEFINITION,
        config(
            "anthropic",
            json!({"anthropic_version": "1", "input_cost": 10.0}),
            json!({}),
        ),
    );
    let mut request = chat("");
    assert_eq!(request.access(&bench, &*handler), None);
    let head = request.filter_head(&bench, &*handler, 200, &[("Content-Type", "x")]);
    assert!(head.changes_body);
    assert_eq!(
        head.headers,
        [
            "Content-Type: application/json",
            "X-Kong-LLM-Model: anthropic/m"
        ]
    );
    let body = r#"{"content":[{"text":"yes"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":1}}"#;
    let sent = request.body_filter(&bench, &*handler, &[&body[..9], &body[9..]]);
    assert_eq!(sent[0], "");
    let answer: Value = serde_json::from_str(&sent[1]).unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "yes");
    assert_eq!(answer["usage"]["total_tokens"], 4);

    let mut request = chat(r#","stream":true"#);
    assert_eq!(request.access(&bench, &*handler), None);
    let head = request.filter_head(&bench, &*handler, 200, &[]);
    let kind = "Content-Type: text/event-stream".to_owned();
    assert!(head.headers.contains(&kind), "{:?}", head.headers);
    let events = [
        "data: {\"message\":{\"id\":\"i\",\"usage\":{\"input_tokens\":3}}}\n\ndata: {\"delta\":{\"te",
        "xt\":\"a\"}}\n\n",
        "data: {\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\n",
        "",
    ];
    let sent = request.body_filter(&bench, &*handler, &events);
    assert_eq!(sent[0], "");
    assert!(
        sent[1].contains(r#""delta":{"content":"a"}"#),
        "{}",
        sent[1]
    );
    assert!(sent[2].contains(r#""total_tokens":5"#), "{}", sent[2]);
    assert_eq!(sent[3], "data: [DONE]\n\n");
}

#[test]
fn tokens_and_texts_are_told_to_the_log() {
    let mut bench = Bench::new();
    let handler = bench.handler(
        &DEFINITION,
        config(
            "openai",
            json!({"input_cost": 1e6, "output_cost": 1e6}),
            json!({}),
        ),
    );
    let mut request = chat("");
    assert_eq!(request.access(&bench, &*handler), None);
    request.filter_head(&bench, &*handler, 200, &[]);
    let body = r#"{"model":"m-1","choices":[{"message":{"content":"yes"}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#;
    assert_eq!(request.body_filter(&bench, &*handler, &[body]), [body]);

    request.log(&bench, &*handler, &crate::testing::outcome());
    let record = request.with_exchange(&bench, |exchange| {
        let custom = crate::record::CustomFields::default();
        crate::record::render(exchange, &crate::testing::outcome(), &custom)
    });

    let record: Value = serde_json::from_slice(&record).unwrap();
    let proxy = &record["ai"]["proxy"];
    assert_eq!(proxy["usage"]["total_tokens"], 4);
    assert_eq!(proxy["usage"]["cost"], 4.0);
    assert_eq!(
        (
            &proxy["meta"]["provider_name"],
            &proxy["meta"]["response_model"]
        ),
        (&json!("openai"), &json!("m-1"))
    );
    assert_eq!(proxy["payload"]["response"], "yes");
    assert!(!record.to_string().contains("s3cret"));
}

#[test]
fn errors_of_the_provider_pass_and_lies_are_told() {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config("cohere", json!({}), json!({})));
    let mut request = chat("");
    assert_eq!(request.access(&bench, &*handler), None);
    assert!(
        !request
            .filter_head(&bench, &*handler, 429, &[])
            .changes_body
    );
    assert_eq!(
        request.body_filter(&bench, &*handler, &["slow down"]),
        ["slow down"]
    );
    let mut request = chat("");
    assert_eq!(request.access(&bench, &*handler), None);
    request.filter_head(&bench, &*handler, 200, &[]);
    let sent = request.body_filter(&bench, &*handler, &["<html>"]);
    assert!(sent[0].contains("could not be understood"), "{}", sent[0]);
}

#[test]
fn what_is_not_allowed_is_refused() {
    let openai = |more: Value| config("openai", json!({}), more);
    assert_eq!(status(openai(json!({})), chat(r#","model":"other""#)), 400);
    assert_eq!(status(openai(json!({})), chat(r#","model":"m""#)), 200);
    assert_eq!(
        status(
            openai(json!({"response_streaming": "deny"})),
            chat(r#","stream":true"#)
        ),
        400
    );
    assert_eq!(
        status(openai(json!({"max_request_body_size": 10})), chat("")),
        400
    );
    assert_eq!(
        status(
            openai(json!({"route_type": "llm/v1/completions"})),
            chat("")
        ),
        400
    );
    let mut broken = chat("");
    broken.body = Some(b"{".to_vec());
    assert_eq!(status(openai(json!({})), broken), 400);
}

#[test]
fn bedrock_is_asked_with_a_signature() {
    let mut bench = Bench::new();
    let auth = json!({"auth": {"aws_access_key_id": "AKID", "aws_secret_access_key": "s3cret"}, "response_streaming": "always"});
    let handler = bench.handler(
        &DEFINITION,
        config(
            "bedrock",
            json!({"bedrock": {"aws_region": "eu-west-1"}}),
            auth,
        ),
    );
    let mut request = chat("");
    assert_eq!(request.access(&bench, &*handler), None);
    let sent = request.sent_headers().join("\n");
    assert!(
        sent.contains("AWS4-HMAC-SHA256 Credential=AKID/20260131/eu-west-1/bedrock/aws4_request"),
        "{sent}"
    );
    assert!(!sent.contains("s3cret"));
    assert_eq!(
        request.edits.path.as_deref(),
        Some(&b"/model/m/converse-stream"[..])
    );
}
