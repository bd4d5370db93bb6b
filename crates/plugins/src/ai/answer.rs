//! Answers of a provider in the form of OpenAI.

use serde_json::{Value, json};

use super::target::{Kind, Shape};

/// Tokens that a request took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) prompt: u64,
    pub(crate) completion: u64,
}

/// What an answer, or a piece of one, says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// Why the model ended.
    pub(crate) reason: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) id: Option<String>,
    /// Members that are not told stay zero.
    pub(crate) usage: Option<Usage>,
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The texts of parts, joined.
fn parts(list: &Value) -> String {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .filter_map(|part| part["text"].as_str())
        .collect()
}

fn usage(prompt: &Value, completion: &Value) -> Option<Usage> {
    if prompt.is_null() && completion.is_null() {
        return None;
    }
    // Some providers tell whole numbers with a fraction.
    let number = |value: &Value| match (value.as_u64(), value.as_f64()) {
        (Some(number), _) => number,
        (None, Some(number)) => format!("{number:.0}").parse().unwrap_or(0),
        (None, None) => 0,
    };
    Some(Usage {
        prompt: number(prompt),
        completion: number(completion),
    })
}

/// A reason in the words of OpenAI.
fn reason(value: &Value) -> Option<String> {
    let word = value.as_str()?.to_ascii_lowercase();
    Some(match word.as_str() {
        "end_turn" | "stop_sequence" | "complete" | "stop" => "stop".to_owned(),
        "max_tokens" | "length" => "length".to_owned(),
        "safety" | "recitation" | "content_filtered" | "guardrail_intervened" => {
            "content_filter".to_owned()
        }
        _ => word,
    })
}

/// Reads an answer, or a piece of a stream; nothing for one that is of no provider's form.
pub(crate) fn read(shape: Shape, body: &Value) -> Option<Said> {
    if !body.is_object() {
        return None;
    }
    let said = match shape {
        Shape::Openai => openai(body),
        Shape::Anthropic => anthropic(body),
        Shape::Cohere => cohere(body),
        Shape::Gemini => {
            let candidate = &body["candidates"][0];
            let meta = &body["usageMetadata"];
            Said {
                text: parts(&candidate["content"]["parts"]),
                reason: reason(&candidate["finishReason"]),
                model: text(&body["modelVersion"]),
                id: text(&body["responseId"]),
                usage: usage(&meta["promptTokenCount"], &meta["candidatesTokenCount"]),
            }
        }
        Shape::Bedrock => {
            let delta = text(&body["delta"]["text"]);
            Said {
                text: delta.unwrap_or_else(|| parts(&body["output"]["message"]["content"])),
                reason: reason(&body["stopReason"]),
                model: None,
                id: None,
                usage: usage(
                    &body["usage"]["inputTokens"],
                    &body["usage"]["outputTokens"],
                ),
            }
        }
        Shape::Ollama => Said {
            text: text(&body["message"]["content"])
                .or_else(|| text(&body["response"]))
                .unwrap_or_default(),
            reason: reason(&body["done_reason"])
                .or_else(|| (body["done"] == true).then(|| "stop".to_owned())),
            model: text(&body["model"]),
            id: None,
            usage: usage(&body["prompt_eval_count"], &body["eval_count"]),
        },
        Shape::Raw => {
            let found =
                text(&body["generated_text"]).or_else(|| text(&body["data"][0]["generated_text"]));
            Said {
                text: found.unwrap_or_default(),
                reason: Some("stop".to_owned()),
                ..Said::default()
            }
        }
    };
    Some(said)
}

fn openai(body: &Value) -> Said {
    let choice = &body["choices"][0];
    let message = [
        &choice["delta"]["content"],
        &choice["message"]["content"],
        &choice["text"],
    ];
    let found = message.into_iter().find_map(text);
    Said {
        text: found.unwrap_or_default(),
        reason: reason(&choice["finish_reason"]),
        model: text(&body["model"]),
        id: text(&body["id"]),
        usage: usage(
            &body["usage"]["prompt_tokens"],
            &body["usage"]["completion_tokens"],
        ),
    }
}

fn cohere(body: &Value) -> Said {
    let end = if body["response"].is_object() {
        &body["response"]
    } else {
        body
    };
    let units = &end["meta"]["billed_units"];
    let is_end = body["event_type"] == "stream-end";
    let found = text(&body["text"]).or_else(|| text(&body["generations"][0]["text"]));
    Said {
        text: found.filter(|_| !is_end).unwrap_or_default(),
        reason: reason(&body["finish_reason"]),
        model: text(&body["model"]),
        id: text(&body["generation_id"]),
        usage: usage(&units["input_tokens"], &units["output_tokens"]),
    }
}

fn anthropic(body: &Value) -> Said {
    let (message, delta) = (&body["message"], &body["delta"]);
    let whole = if message.is_object() { message } else { body };
    let found = text(&delta["text"]).or_else(|| text(&body["completion"]));
    let ended = reason(&body["stop_reason"]).or_else(|| reason(&delta["stop_reason"]));
    let used = &whole["usage"];
    Said {
        text: found.unwrap_or_else(|| parts(&body["content"])),
        reason: ended,
        model: text(&whole["model"]),
        id: text(&whole["id"]),
        usage: usage(&used["input_tokens"], &used["output_tokens"]),
    }
}

/// An answer as a whole.
pub(crate) fn whole(said: &Said, kind: Kind, model: &str, now_s: u64) -> Value {
    let reason = said.reason.as_deref().unwrap_or("stop");
    let model = said.model.as_deref().unwrap_or(model);
    let mut body = match kind {
        Kind::Completions => json!({
            "object": "text_completion", "model": model, "created": now_s,
            "choices": [{"index": 0, "text": said.text, "finish_reason": reason}],
        }),
        _ => json!({
            "object": "chat.completion", "model": model, "created": now_s,
            "choices": [{
                "index": 0, "finish_reason": reason,
                "message": {"role": "assistant", "content": said.text},
            }],
        }),
    };
    if let Some(id) = &said.id {
        body["id"] = id.clone().into();
    }
    if let Some(usage) = said.usage {
        body["usage"] = usage_of(usage);
    }
    body
}

fn usage_of(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt, "completion_tokens": usage.completion,
        "total_tokens": usage.prompt.saturating_add(usage.completion),
    })
}

/// A piece of a streamed answer.
pub(crate) fn piece(said: &Said, kind: Kind, model: &str, now_s: u64) -> Value {
    let model = said.model.as_deref().unwrap_or(model);
    let mut body = match kind {
        Kind::Completions => json!({
            "object": "text_completion", "model": model, "created": now_s,
            "choices": [{"index": 0, "text": said.text, "finish_reason": said.reason}],
        }),
        _ => json!({
            "object": "chat.completion.chunk", "model": model, "created": now_s,
            "choices": [{
                "index": 0, "finish_reason": said.reason, "delta": {"content": said.text},
            }],
        }),
    };
    if let Some(id) = &said.id {
        body["id"] = id.clone().into();
    }
    if let Some(usage) = said.usage.filter(|_| said.reason.is_some()) {
        body["usage"] = usage_of(usage);
    }
    body
}
