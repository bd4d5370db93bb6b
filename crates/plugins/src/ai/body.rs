//! Requests to language models.

use bytes::Bytes;
use plugin_api::{Exchange, Reply, ReplyBody};
use serde_json::{Map, Value, json};

/// An error as the reference tells it.
pub(crate) fn error(status: u16, message: &str) -> Reply {
    let body = json!({"error": {"message": message}}).to_string();
    Reply::with_body(status, ReplyBody::Raw(Bytes::from(body)))
        .header("Content-Type", "application/json; charset=utf-8")
}

/// The dialect of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Openai,
    Bedrock,
    Gemini,
}

impl Dialect {
    /// The dialect that a configuration names.
    pub(crate) fn named(name: Option<&str>) -> Self {
        match name {
            Some("bedrock") => Self::Bedrock,
            Some("gemini") => Self::Gemini,
            _ => Self::Openai,
        }
    }

    /// The member that holds the messages.
    pub(crate) const fn messages(self) -> &'static str {
        match self {
            Self::Openai | Self::Bedrock => "messages",
            Self::Gemini => "contents",
        }
    }

    /// A message.
    pub(crate) fn message(self, role: &str, text: &str) -> Value {
        match self {
            Self::Openai => json!({"role": role, "content": text}),
            Self::Bedrock => json!({"role": role, "content": [{"text": text}]}),
            Self::Gemini => {
                let role = if role == "assistant" { "model" } else { role };
                json!({"role": role, "parts": [{"text": text}]})
            }
        }
    }
}

/// The body of a request, which must be a JSON object within the limit.
pub(crate) fn read(exchange: &Exchange<'_>, limit: u64) -> Result<Map<String, Value>, Reply> {
    let body = match &exchange.request.body {
        Some(body) => body,
        None => exchange.body.unwrap_or_default(),
    };
    if body.len() as u64 > limit {
        return Err(error(
            400,
            "request body is larger than max_request_body_size",
        ));
    }
    let bad = || {
        let text = "content-type header does not match request body, or bad JSON formatting";
        error(400, text)
    };
    let kind = exchange.header("content-type").unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with(b"application/json") {
        return Err(bad());
    }
    serde_json::from_slice(body).map_err(|_| bad())
}

/// Replaces the body of a request.
pub(crate) fn write(exchange: &mut Exchange<'_>, body: Map<String, Value>) {
    exchange.request.body = Some(Bytes::from(Value::Object(body).to_string()));
}

/// The text of a message, of whatever form.
pub(super) fn text_of(message: &Value) -> String {
    match message.get("content").or_else(|| message.get("parts")) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

/// Role and text of each message of a chat.
pub(crate) fn texts(body: &Map<String, Value>, dialect: Dialect) -> Option<Vec<(String, String)>> {
    let messages = body.get(dialect.messages())?.as_array()?;
    let one = |message: &Value| {
        let role = message["role"].as_str().unwrap_or("user");
        (role.to_owned(), text_of(message))
    };
    Some(messages.iter().map(one).collect())
}
