//! Requests in the form of a provider, made of those in the form of OpenAI.

use serde_json::{Map, Value, json};

use super::body::text_of;
use super::target::{Kind, Provider, Shape, Target};

/// Tokens of an answer where Anthropic wants to be told and nobody says.
const USUAL_TOKENS: u64 = 256;

/// Options that replace what a request says.
const TUNED: [&str; 4] = ["max_tokens", "temperature", "top_p", "top_k"];

/// The request with the options of the configuration.
pub(crate) fn tune(target: &Target, body: &mut Map<String, Value>) {
    for name in TUNED {
        if let Some(value) = target.options.get(name).filter(|value| !value.is_null()) {
            body.insert(name.to_owned(), value.clone());
        }
    }
}

/// The request as the provider wants it; an error tells what it lacks.
pub(crate) fn convert(
    target: &Target,
    model: &str,
    mut body: Map<String, Value>,
    streams: bool,
) -> Result<Map<String, Value>, &'static str> {
    let is_whole = match target.kind {
        Kind::Chat => body.get("messages").is_some_and(Value::is_array),
        Kind::Completions => body.get("prompt").is_some_and(Value::is_string),
        Kind::Preserve => return Ok(body),
    };
    if !is_whole {
        return Err(match target.kind {
            Kind::Chat => "request body has no list of messages",
            _ => "request body has no prompt",
        });
    }
    if target.shape == Shape::Openai {
        body.insert("model".to_owned(), model.into());
        if streams {
            body.insert("stream".to_owned(), true.into());
            // Without it the end of a stream does not tell what was used.
            let tells = matches!(target.provider, Provider::Openai | Provider::Azure);
            if tells && target.logs_statistics {
                body.insert("stream_options".to_owned(), json!({"include_usage": true}));
            }
        }
        return Ok(body);
    }
    let chat = Chat::of(&body);
    let mut made = match (target.shape, target.kind) {
        (Shape::Anthropic, Kind::Chat) => anthropic(&chat, &body),
        (Shape::Anthropic, _) => json!({
            "prompt": format!("\n\nHuman: {}\n\nAssistant:", chat.prompt),
            "max_tokens_to_sample": body.get("max_tokens").cloned().unwrap_or_else(|| USUAL_TOKENS.into()),
        }),
        (Shape::Cohere, Kind::Chat) => cohere(&chat),
        (Shape::Cohere, _) | (Shape::Ollama, Kind::Completions) => json!({"prompt": chat.prompt}),
        (Shape::Ollama, _) => json!({"messages": chat.messages_as("content")}),
        (Shape::Gemini, _) => gemini(&chat, &body),
        (Shape::Bedrock, _) => bedrock(&chat, &body),
        (Shape::Raw, _) => json!({"inputs": chat.as_llama(), "parameters": limits(&body, &[
            ("max_tokens", "max_new_tokens"), ("temperature", "temperature"),
            ("top_p", "top_p"), ("top_k", "top_k"),
        ])}),
        (Shape::Openai, _) => json!({}),
    };
    finish(target.shape, &mut made, &body, model, streams);
    match made {
        Value::Object(made) => Ok(made),
        _ => Err("request body is no object"),
    }
}

/// Adds what the provider wants told beside the text.
fn finish(shape: Shape, made: &mut Value, body: &Map<String, Value>, model: &str, streams: bool) {
    let mut put = |pairs: &[(&str, &str)]| {
        for (name, value) in limits(body, pairs) {
            made[name] = value;
        }
    };
    match shape {
        Shape::Anthropic => put(&[
            ("temperature", "temperature"),
            ("top_p", "top_p"),
            ("top_k", "top_k"),
            ("stop", "stop_sequences"),
        ]),
        Shape::Cohere => put(&[
            ("max_tokens", "max_tokens"),
            ("temperature", "temperature"),
            ("top_p", "p"),
            ("top_k", "k"),
        ]),
        Shape::Ollama => {
            let options = limits(
                body,
                &[
                    ("max_tokens", "num_predict"),
                    ("temperature", "temperature"),
                    ("top_p", "top_p"),
                    ("top_k", "top_k"),
                ],
            );
            made["options"] = Value::Object(options);
        }
        Shape::Gemini | Shape::Bedrock | Shape::Raw | Shape::Openai => {}
    }
    if matches!(shape, Shape::Anthropic | Shape::Cohere | Shape::Ollama) {
        made["model"] = model.into();
        made["stream"] = streams.into();
    }
}

/// Members of the request under the names of the provider.
fn limits(body: &Map<String, Value>, names: &[(&str, &str)]) -> Map<String, Value> {
    let pair = |(own, new): &(&str, &str)| Some(((*new).to_owned(), body.get(*own)?.clone()));
    names.iter().filter_map(pair).collect()
}

/// A chat taken apart.
struct Chat {
    /// What the system says.
    system: String,
    /// Role and text of the others.
    messages: Vec<(String, String)>,
    prompt: String,
}

impl Chat {
    fn of(body: &Map<String, Value>) -> Self {
        let mut chat = Self {
            system: String::new(),
            messages: Vec::new(),
            prompt: body
                .get("prompt")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
        };
        let messages = body.get("messages").and_then(Value::as_array);
        for message in messages.into_iter().flatten() {
            let text = text_of(message);
            match message["role"].as_str() {
                Some("system" | "developer") => {
                    if !chat.system.is_empty() {
                        chat.system.push('\n');
                    }
                    chat.system.push_str(&text);
                }
                role => chat
                    .messages
                    .push((role.unwrap_or("user").to_owned(), text)),
            }
        }
        chat
    }

    /// The messages with the system's first.
    fn messages_as(&self, member: &str) -> Value {
        let system = ("system".to_owned(), self.system.clone());
        let system = Some(&system).filter(|(_, text)| !text.is_empty());
        let all = system.into_iter().chain(&self.messages);
        all.map(|(role, text)| json!({"role": role, member: text}))
            .collect()
    }

    /// The chat as the first llama2 was trained on it.
    fn as_llama(&self) -> String {
        if self.messages.is_empty() {
            return self.prompt.clone();
        }
        let mut out = String::new();
        let mut system = self.system.as_str();
        for (role, text) in &self.messages {
            if role == "assistant" {
                out.push_str(&format!(" {text} </s>"));
            } else {
                let front = match std::mem::take(&mut system) {
                    "" => String::new(),
                    system => format!("<<SYS>>\n{system}\n<</SYS>>\n\n"),
                };
                out.push_str(&format!("<s>[INST] {front}{text} [/INST]"));
            }
        }
        out
    }
}

fn anthropic(chat: &Chat, body: &Map<String, Value>) -> Value {
    let messages: Value = chat
        .messages
        .iter()
        .map(|(role, text)| json!({"role": role, "content": text}))
        .collect();
    let tokens = body
        .get("max_tokens")
        .cloned()
        .unwrap_or_else(|| USUAL_TOKENS.into());
    let mut made = json!({"messages": messages, "max_tokens": tokens});
    if !chat.system.is_empty() {
        made["system"] = chat.system.clone().into();
    }
    made
}

fn cohere(chat: &Chat) -> Value {
    let (last, history) = match chat.messages.split_last() {
        Some(((_, last), history)) => (last.clone(), history),
        None => (String::new(), &[][..]),
    };
    let history: Value = history
        .iter()
        .map(|(role, text)| {
            let role = if role == "assistant" {
                "CHATBOT"
            } else {
                "USER"
            };
            json!({"role": role, "message": text})
        })
        .collect();
    let mut made = json!({"message": last, "chat_history": history});
    if !chat.system.is_empty() {
        made["preamble"] = chat.system.clone().into();
    }
    made
}

fn gemini(chat: &Chat, body: &Map<String, Value>) -> Value {
    let contents: Value = chat
        .messages
        .iter()
        .map(|(role, text)| {
            let role = if role == "assistant" { "model" } else { "user" };
            json!({"role": role, "parts": [{"text": text}]})
        })
        .collect();
    let settings = limits(
        body,
        &[
            ("max_tokens", "maxOutputTokens"),
            ("temperature", "temperature"),
            ("top_p", "topP"),
            ("top_k", "topK"),
            ("stop", "stopSequences"),
        ],
    );
    let mut made = json!({"contents": contents, "generationConfig": settings});
    if !chat.system.is_empty() {
        made["systemInstruction"] = json!({"parts": [{"text": chat.system}]});
    }
    made
}

fn bedrock(chat: &Chat, body: &Map<String, Value>) -> Value {
    let messages: Value = chat
        .messages
        .iter()
        .map(|(role, text)| json!({"role": role, "content": [{"text": text}]}))
        .collect();
    let settings = limits(
        body,
        &[
            ("max_tokens", "maxTokens"),
            ("temperature", "temperature"),
            ("top_p", "topP"),
            ("stop", "stopSequences"),
        ],
    );
    let mut made = json!({"messages": messages, "inferenceConfig": settings});
    if !chat.system.is_empty() {
        made["system"] = json!([{"text": chat.system}]);
    }
    made
}
