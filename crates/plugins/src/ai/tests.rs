//! Facts about the forms of providers.

use serde_json::{Value, json};

use super::{Kind, Pending, Shape, Target, Usage, convert, piece, read_answer, tune, whole};

#[expect(
    clippy::needless_pass_by_value,
    reason = "calls read better with the value in place"
)]
fn target(provider: &str, route: &str, options: Value) -> Target {
    let config = json!({
        "route_type": route, "model": {"provider": provider, "name": "m", "options": options},
        "auth": {"param_name": "key", "param_value": "k y", "param_location": "query"},
    });
    Target::read(config.as_object().unwrap(), "").unwrap()
}

#[expect(clippy::too_many_lines, reason = "one table of providers")]
#[test]
fn models_are_found_where_their_providers_have_them() {
    let chat = "llm/v1/chat";
    for (provider, route, options, expected) in [
        (
            "openai",
            chat,
            json!({}),
            "api.openai.com /v1/chat/completions",
        ),
        (
            "openai",
            "llm/v1/completions",
            json!({}),
            "api.openai.com /v1/completions",
        ),
        (
            "azure",
            chat,
            json!({"azure_instance": "i", "azure_deployment_id": "d", "azure_api_version": "v"}),
            "i.openai.azure.com /openai/deployments/d/chat/completions?api-version=v",
        ),
        (
            "anthropic",
            chat,
            json!({}),
            "api.anthropic.com /v1/messages",
        ),
        ("cohere", chat, json!({}), "api.cohere.com /v1/chat"),
        (
            "mistral",
            chat,
            json!({"mistral_format": "openai"}),
            "api.mistral.ai /v1/chat/completions",
        ),
        (
            "llama2",
            chat,
            json!({"llama2_format": "ollama", "upstream_url": "https://o.test"}),
            "o.test /api/chat",
        ),
        (
            "llama2",
            chat,
            json!({"llama2_format": "raw", "upstream_url": "https://o.test/gen"}),
            "o.test /gen",
        ),
        (
            "gemini",
            chat,
            json!({}),
            "generativelanguage.googleapis.com /v1beta/models/m:generateContent",
        ),
        (
            "gemini",
            chat,
            json!({"gemini": {"api_endpoint": "e.test", "project_id": "p", "location_id": "l"}}),
            "e.test /v1/projects/p/locations/l/publishers/google/models/m:generateContent",
        ),
        (
            "bedrock",
            chat,
            json!({"bedrock": {"aws_region": "eu-west-1"}}),
            "bedrock-runtime.eu-west-1.amazonaws.com /model/m/converse",
        ),
        (
            "huggingface",
            chat,
            json!({}),
            "api-inference.huggingface.co /models/m/v1/chat/completions",
        ),
    ] {
        let url = target(provider, route, options).url("m", false, "/own");
        let separator = if expected.contains('?') { '&' } else { '?' };
        assert_eq!(
            format!("{} {}", url.host, url.target),
            format!("{expected}{separator}key=k%20y")
        );
    }
    let url = target("gemini", chat, json!({})).url("m", true, "/");
    assert!(
        url.target
            .starts_with("/v1beta/models/m:streamGenerateContent?alt=sse&key=")
    );
    let url = target("bedrock", chat, json!({})).url("m", true, "/");
    assert!(url.target.starts_with("/model/m/converse-stream?"));
    let url = target("openai", "preserve", json!({})).url("m", true, "/v1/files");
    assert!(url.target.starts_with("/v1/files?"));
}

fn sent(provider: &str, options: Value) -> Value {
    let target = target(provider, "llm/v1/chat", options);
    let body = json!({
        "messages": [
            {"role": "system", "content": "S"}, {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"}, {"role": "user", "content": [{"type": "text", "text": "c"}]},
        ],
        "temperature": 0.5, "max_tokens": 9, "stop": ["x"],
    });
    let Value::Object(mut body) = body else {
        panic!()
    };
    tune(&target, &mut body);
    Value::Object(convert(&target, "m", body, false).unwrap())
}

#[test]
fn requests_take_the_form_of_the_provider() {
    let body = sent("openai", json!({"max_tokens": 7}));
    assert_eq!(
        (&body["model"], &body["max_tokens"]),
        (&json!("m"), &json!(7))
    );
    let body = sent("anthropic", json!({}));
    assert_eq!(
        body,
        json!({
            "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}],
            "max_tokens": 9, "system": "S", "temperature": 0.5, "stop_sequences": ["x"], "model": "m", "stream": false,
        })
    );
    let body = sent("cohere", json!({}));
    assert_eq!(
        body,
        json!({
            "message": "c", "chat_history": [{"role": "USER", "message": "a"}, {"role": "CHATBOT", "message": "b"}],
            "preamble": "S", "max_tokens": 9, "temperature": 0.5, "model": "m", "stream": false,
        })
    );
    let body = sent("gemini", json!({"top_k": 3}));
    assert_eq!(
        body["contents"][1],
        json!({"role": "model", "parts": [{"text": "b"}]})
    );
    assert_eq!(
        body["generationConfig"],
        json!({"maxOutputTokens": 9, "temperature": 0.5, "topK": 3, "stopSequences": ["x"]})
    );
    assert_eq!(body["systemInstruction"], json!({"parts": [{"text": "S"}]}));
    let body = sent("bedrock", json!({}));
    assert_eq!(body["system"], json!([{"text": "S"}]));
    assert_eq!(
        body["inferenceConfig"],
        json!({"maxTokens": 9, "temperature": 0.5, "stopSequences": ["x"]})
    );
    let ollama = json!({"llama2_format": "ollama", "upstream_url": "http://o"});
    let body = sent("llama2", ollama);
    assert_eq!(
        body["messages"][0],
        json!({"role": "system", "content": "S"})
    );
    assert_eq!(
        body["options"],
        json!({"num_predict": 9, "temperature": 0.5})
    );
    let body = sent(
        "llama2",
        json!({"llama2_format": "raw", "upstream_url": "http://o"}),
    );
    assert_eq!(
        body["inputs"],
        "<s>[INST] <<SYS>>\nS\n<</SYS>>\n\na [/INST] b </s><s>[INST] c [/INST]"
    );
}

#[test]
fn requests_that_lack_something_are_refused() {
    let chat = target("openai", "llm/v1/chat", json!({}));
    let completions = target("cohere", "llm/v1/completions", json!({}));
    for body in [json!({}), json!({"messages": "x"}), json!({"prompt": "x"})] {
        assert!(convert(&chat, "m", body.as_object().unwrap().clone(), false).is_err());
    }
    let body = json!({"prompt": "x"});
    let sent = convert(&completions, "m", body.as_object().unwrap().clone(), false).unwrap();
    assert_eq!(sent["prompt"], "x");
    assert!(
        convert(
            &completions,
            "m",
            json!({"messages": []}).as_object().unwrap().clone(),
            false
        )
        .is_err()
    );
}

#[test]
fn answers_take_the_form_of_openai() {
    for (shape, body) in [
        (
            Shape::Openai,
            json!({"choices": [{"message": {"content": "T"}, "finish_reason": "length"}], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}),
        ),
        (
            Shape::Anthropic,
            json!({"content": [{"type": "text", "text": "T"}], "stop_reason": "max_tokens", "usage": {"input_tokens": 1, "output_tokens": 2}}),
        ),
        (
            Shape::Cohere,
            json!({"text": "T", "finish_reason": "MAX_TOKENS", "meta": {"billed_units": {"input_tokens": 1.0, "output_tokens": 2}}}),
        ),
        (
            Shape::Gemini,
            json!({"candidates": [{"content": {"parts": [{"text": "T"}]}, "finishReason": "MAX_TOKENS"}], "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2}}),
        ),
        (
            Shape::Bedrock,
            json!({"output": {"message": {"content": [{"text": "T"}]}}, "stopReason": "max_tokens", "usage": {"inputTokens": 1, "outputTokens": 2}}),
        ),
        (
            Shape::Ollama,
            json!({"message": {"content": "T"}, "done": true, "done_reason": "length", "prompt_eval_count": 1, "eval_count": 2}),
        ),
    ] {
        let said = read_answer(shape, &body).unwrap();
        assert_eq!(
            said.usage,
            Some(Usage {
                prompt: 1,
                completion: 2
            }),
            "{shape:?}"
        );
        let answer = whole(&said, Kind::Chat, "m", 7);
        assert_eq!(
            answer["choices"][0],
            json!({"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "T"}}),
            "{shape:?}"
        );
        assert_eq!(
            (&answer["model"], &answer["usage"]["total_tokens"]),
            (&json!("m"), &json!(3))
        );
    }
    assert_eq!(read_answer(Shape::Gemini, &json!([])), None);
    let said = read_answer(Shape::Raw, &json!({"data": [{"generated_text": "T"}]})).unwrap();
    assert_eq!(
        whole(&said, Kind::Completions, "m", 7)["choices"][0]["text"],
        "T"
    );
}

/// A message of AWS without headers.
fn message(payload: &Value) -> Vec<u8> {
    let payload = payload.to_string().into_bytes();
    let length = u32::try_from(payload.len() + 16).unwrap().to_be_bytes();
    [&length[..], &[0; 8], &payload, &[0; 4]].concat()
}

#[test]
fn streams_are_taken_apart_wherever_they_are_cut() {
    let lines = b"event: x\ndata: {\"delta\":{\"text\":\"a\"}}\n\ndata: {\"delta\":{\"text\":\"b\"}}\r\n\ndata: [DONE]\n";
    let aws = [
        message(&json!({"delta": {"text": "a"}})),
        message(&json!({"delta": {"text": "b"}})),
    ]
    .concat();
    for (shape, bytes) in [(Shape::Anthropic, lines.to_vec()), (Shape::Bedrock, aws)] {
        for cut in 0..bytes.len() {
            let mut pending = Pending::default();
            let mut events = pending.push(shape, &bytes[..cut], false);
            events.extend(pending.push(shape, &bytes[cut..], true));
            let texts: Vec<String> = events
                .iter()
                .map(|event| read_answer(shape, event).unwrap().text)
                .collect();
            assert_eq!(texts, ["a", "b"], "{shape:?} {cut}");
        }
    }
    let mut pending = Pending::default();
    assert!(pending.push(Shape::Bedrock, &[0xff; 64], false).is_empty());
    assert!(
        pending
            .push(Shape::Bedrock, &message(&json!({})), true)
            .is_empty(),
        "it is broken"
    );
    let said = read_answer(
        Shape::Anthropic,
        &json!({"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}}),
    )
    .unwrap();
    let event = piece(&said, Kind::Chat, "m", 7);
    assert_eq!(
        (
            &event["choices"][0]["finish_reason"],
            &event["usage"]["completion_tokens"]
        ),
        (&json!("stop"), &json!(4))
    );
}
