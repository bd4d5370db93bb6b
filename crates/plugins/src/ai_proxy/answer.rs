//! Answers on their way to the client.

use bytes::Bytes;
use plugin_api::{BodyChunk, Locals};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::ai::{Kind, Pending, Said, Shape, Target, Usage, piece, read_answer, whole};
use crate::record;

/// Largest answer that is turned into another form as a whole, in bytes.
const ANSWER_MAX: usize = 8 * 1024 * 1024;

/// What is known of a request under way.
pub(super) struct Call {
    pub(super) model: String,
    pub(super) asked_model: Option<String>,
    pub(super) streams: bool,
    pub(super) payload: Option<String>,
    /// What becomes of the body; decided with the head.
    pub(super) way: Way,
    pub(super) started_ms: u64,
    pending: Pending,
    collected: Vec<u8>,
    said: Said,
    is_too_large: bool,
}

/// What becomes of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It passes; what it says is only counted.
    Pass,
    /// It is turned as a whole.
    Whole,
    /// It is turned event by event.
    Events,
}

impl Call {
    pub(super) fn new(model: String, streams: bool, started_ms: u64) -> Self {
        Self {
            model,
            asked_model: None,
            streams,
            payload: None,
            way: Way::Pass,
            started_ms,
            pending: Pending::default(),
            collected: Vec::new(),
            said: Said::default(),
            is_too_large: false,
        }
    }

    /// Takes a piece of the body and puts in its place what is sent.
    pub(super) fn pass(&mut self, target: &Target, chunk: &mut BodyChunk) {
        match self.way {
            Way::Pass => self.count(target, chunk),
            Way::Whole => self.turn(target, chunk),
            Way::Events => self.turn_events(target, chunk),
        }
    }

    fn collect(&mut self, data: &[u8]) {
        if self.collected.len() + data.len() > ANSWER_MAX {
            self.is_too_large = true;
            self.collected = Vec::new();
        }
        if !self.is_too_large {
            self.collected.extend_from_slice(data);
        }
    }

    fn count(&mut self, target: &Target, chunk: &BodyChunk) {
        if self.streams {
            let events = self.pending.push(target.shape, &chunk.data, chunk.is_last);
            for event in &events {
                self.note(target.shape, event);
            }
            return;
        }
        self.collect(&chunk.data);
        if chunk.is_last
            && let Ok(body) = serde_json::from_slice::<Value>(&self.collected)
        {
            self.note(target.shape, &body);
        }
    }

    /// Remembers what a piece of the answer says.
    fn note(&mut self, shape: Shape, event: &Value) -> Option<Said> {
        let said = read_answer(shape, event)?;
        if self.said.text.len() + said.text.len() <= ANSWER_MAX {
            self.said.text.push_str(&said.text);
        }
        if let Some(usage) = said.usage {
            let kept = self.said.usage.get_or_insert_with(Usage::default);
            kept.prompt = kept.prompt.max(usage.prompt);
            kept.completion = kept.completion.max(usage.completion);
        }
        self.said.model = said.model.clone().or_else(|| self.said.model.take());
        self.said.id = said.id.clone().or_else(|| self.said.id.take());
        self.said.reason = said.reason.clone().or_else(|| self.said.reason.take());
        Some(said)
    }

    fn turn(&mut self, target: &Target, chunk: &mut BodyChunk) {
        self.collect(&chunk.data);
        chunk.data = Bytes::new();
        if !chunk.is_last {
            return;
        }
        let body = serde_json::from_slice::<Value>(&self.collected).ok();
        // Some servers of the first llama2 answer with a list of one.
        let body = match body {
            Some(Value::Array(mut list)) if list.len() == 1 => list.pop(),
            body => body,
        };
        let said = body.and_then(|body| self.note(target.shape, &body));
        chunk.data = match said {
            Some(said) => {
                let answer = whole(&said, target.kind, &self.model, self.started_ms / 1000);
                Bytes::from(answer.to_string())
            }
            None => {
                let text = "the model's answer could not be understood";
                Bytes::from(json!({"error": {"message": text}}).to_string())
            }
        };
    }

    fn turn_events(&mut self, target: &Target, chunk: &mut BodyChunk) {
        let events = self.pending.push(target.shape, &chunk.data, chunk.is_last);
        let mut out = String::new();
        for event in events {
            let Some(mut said) = self.note(target.shape, &event) else {
                continue;
            };
            if said.text.is_empty() && said.reason.is_none() {
                continue;
            }
            said.id = self.said.id.clone();
            said.usage = self.said.usage;
            let event = piece(&said, target.kind, &self.model, self.started_ms / 1000);
            out.push_str(&format!("data: {event}\n\n"));
        }
        if chunk.is_last {
            out.push_str("data: [DONE]\n\n");
        }
        chunk.data = Bytes::from(out);
    }

    /// Has the log record tell what the model did.
    pub(super) fn record(&self, target: &Target, plugin: Uuid, now_ms: u64, locals: &mut Locals) {
        let mut put = |name: &str, value: Value| {
            record::add_named(locals, format!("ai.proxy.{name}"), value);
        };
        if target.logs_statistics {
            let usage = self.said.usage.unwrap_or_default();
            let total = usage.prompt.saturating_add(usage.completion);
            let latency = now_ms.saturating_sub(self.started_ms);
            put("meta.plugin_id", plugin.to_string().into());
            put("meta.provider_name", target.provider.name().into());
            put("meta.request_model", self.model.clone().into());
            let model = self.said.model.clone();
            put(
                "meta.response_model",
                model.unwrap_or_else(|| self.model.clone()).into(),
            );
            put("meta.llm_latency", latency.into());
            put("usage.prompt_tokens", usage.prompt.into());
            put("usage.completion_tokens", usage.completion.into());
            put("usage.total_tokens", total.into());
            put("usage.cost", cost(target, usage).into());
            let each = if usage.completion == 0 {
                0.0
            } else {
                ratio(latency, usage.completion)
            };
            put("usage.time_per_token", each.into());
        }
        if target.logs_payloads {
            if let Some(payload) = &self.payload {
                put("payload.request", payload.clone().into());
            }
            put("payload.response", self.said.text.clone().into());
        }
    }

    /// Whether the answer has to be turned.
    pub(super) fn choose(&mut self, target: &Target, is_native: bool) {
        let is_same = target.shape == Shape::Openai || target.kind == Kind::Preserve || is_native;
        self.way = match (is_same, self.streams) {
            (true, _) => Way::Pass,
            (false, true) => Way::Events,
            (false, false) => Way::Whole,
        };
    }
}

fn number(value: u64) -> f64 {
    value.to_string().parse().unwrap_or(0.0)
}

fn ratio(value: u64, by: u64) -> f64 {
    number(value) / number(by)
}

/// What the tokens cost, with prices for a million of them.
fn cost(target: &Target, usage: Usage) -> f64 {
    let price = |name: &str| {
        target
            .options
            .get(name)
            .and_then(Value::as_f64)
            .unwrap_or(0.0)
    };
    let tokens = number(usage.prompt) * price("input_cost")
        + number(usage.completion) * price("output_cost");
    tokens / 1_000_000.0
}
