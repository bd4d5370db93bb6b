//! Spans and log records in the form of OTLP 1.

use super::protobuf::Message;
use crate::trace::{SpanId, TraceId};

/// A value of an attribute.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Number(u64),
    Flag(bool),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

/// Attributes by name.
pub(super) type Attributes = Vec<(&'static str, Value)>;

/// Who a span speaks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Who answers.
    Server = 2,
    /// Who asks.
    Client = 3,
}

/// A span.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) trace_id: TraceId,
    pub(super) id: SpanId,
    pub(super) parent: Option<SpanId>,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Unix microseconds.
    pub(super) start: u64,
    /// Unix microseconds.
    pub(super) end: u64,
    pub(super) attributes: Attributes,
    /// Whether it failed.
    pub(super) is_error: bool,
}

impl Span {
    /// The span as it stands in a request.
    pub(super) fn encode(&self) -> Vec<u8> {
        let parent = self.parent.as_ref();
        let message = Message::default()
            .bytes(1, self.trace_id.bytes())
            .bytes(2, &self.id.0)
            .bytes(4, parent.map_or(&[][..], |id| &id.0))
            .bytes(5, self.name.as_bytes())
            .number(6, self.kind as u64)
            .fixed64(7, self.start.saturating_mul(1000))
            .fixed64(8, self.end.saturating_mul(1000));
        let message = attributes(message, 9, &self.attributes);
        let status = Message::default().number(3, if self.is_error { 2 } else { 0 });
        message.message(15, status).finish()
    }
}

/// A line of a log that belongs to a request.
#[derive(Clone, Debug)]
pub(super) struct LogRecord {
    /// Unix microseconds.
    pub(super) time: u64,
    pub(super) text: String,
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) is_sampled: bool,
    pub(super) attributes: Attributes,
}

/// Number and name of the severity of errors.
const ERROR: (u64, &str) = (17, "ERROR");

impl LogRecord {
    /// The record as it stands in a request.
    pub(super) fn encode(&self) -> Vec<u8> {
        let time = self.time.saturating_mul(1000);
        let message = Message::default()
            .fixed64(1, time)
            .number(2, ERROR.0)
            .bytes(3, ERROR.1.as_bytes())
            .message(5, any(&Value::Text(self.text.clone())));
        attributes(message, 6, &self.attributes)
            .fixed32(8, u32::from(self.is_sampled))
            .bytes(9, self.trace_id.bytes())
            .bytes(10, &self.span_id.0)
            .fixed64(11, time)
            .finish()
    }
}

/// Who sends: the attributes of the resource, written once.
pub(super) fn resource(all: &[(String, String)]) -> Vec<u8> {
    let resource = all
        .iter()
        .fold(Message::default(), |message, (key, value)| {
            message.message(1, pair(key, &Value::Text(value.clone())))
        });
    resource.finish()
}

/// A request that carries spans or records. Both have the same numbers of fields.
pub(super) fn request(resource: &[u8], entries: &[Vec<u8>]) -> Vec<u8> {
    // Compat: the name and version under which the reference sends.
    let scope = Message::default()
        .bytes(1, b"kong-internal")
        .bytes(2, b"0.1.0");
    let scope = Message::default().message(1, scope);
    let scope = entries
        .iter()
        .fold(scope, |message, entry| message.written(2, entry));
    let of_resource = Message::default().written(1, resource).message(2, scope);
    Message::default().message(1, of_resource).finish()
}

fn attributes(message: Message, field: u64, all: &Attributes) -> Message {
    all.iter().fold(message, |message, (key, value)| {
        message.message(field, pair(key, value))
    })
}

fn pair(key: &str, value: &Value) -> Message {
    Message::default()
        .bytes(1, key.as_bytes())
        .message(2, any(value))
}

fn any(value: &Value) -> Message {
    match value {
        Value::Text(text) => Message::default().text_always(1, text),
        Value::Flag(flag) => Message::default().number_always(2, u64::from(*flag)),
        Value::Number(number) => Message::default().number_always(3, *number),
    }
}
