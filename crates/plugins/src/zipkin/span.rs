//! Spans in the form that Zipkin reads.

use serde_json::{Map, Value, json};

use crate::trace::{SpanId, TraceId};

/// Where a span's other side is.
#[derive(Clone, Debug, Default)]
pub(super) struct Remote {
    pub(super) service_name: Option<String>,
    pub(super) ip: Option<std::net::IpAddr>,
    pub(super) port: Option<u16>,
}

/// A span.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) trace_id: TraceId,
    pub(super) id: SpanId,
    pub(super) parent: Option<SpanId>,
    /// `SERVER` or `CLIENT`.
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// Unix microseconds.
    pub(super) start: u64,
    /// Unix microseconds.
    pub(super) end: u64,
    pub(super) tags: Vec<(String, String)>,
    /// Moments with a name.
    pub(super) annotations: Vec<(u64, &'static str)>,
    pub(super) remote: Remote,
}

impl Span {
    /// Adds a tag.
    pub(super) fn tag(&mut self, name: &str, value: impl Into<String>) {
        self.tags.push((name.to_owned(), value.into()));
    }

    /// As JSON; `local` is this gateway's name.
    pub(super) fn to_json(&self, local: &str, trace_id_bytes: usize) -> Value {
        let mut span = Map::new();
        let mut put = |name: &str, value: Value| span.insert(name.to_owned(), value);
        put(
            "traceId",
            self.trace_id.hex(&[trace_id_bytes, 16, 8]).into(),
        );
        put("name", self.name.as_str().into());
        if let Some(parent) = &self.parent {
            put("parentId", parent.hex().into());
        }
        put("id", self.id.hex().into());
        put("kind", self.kind.into());
        put("timestamp", self.start.into());
        put(
            "duration",
            self.end.saturating_sub(self.start).max(1).into(),
        );
        put("localEndpoint", json!({"serviceName": local}));
        put("remoteEndpoint", self.remote.to_json());
        // Empty tags are not allowed there.
        let tags = self.tags.iter().filter(|(_, value)| !value.is_empty());
        let tags: Map<String, Value> = tags
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        if !tags.is_empty() {
            put("tags", tags.into());
        }
        if !self.annotations.is_empty() {
            let moments = self.annotations.iter();
            let moments = moments.map(|(at, name)| json!({"timestamp": at, "value": name}));
            put("annotations", moments.collect());
        }
        Value::Object(span)
    }
}

impl Remote {
    fn to_json(&self) -> Value {
        if self.service_name.is_none() && self.port.is_none() {
            return Value::Null;
        }
        let mut endpoint = Map::new();
        if let Some(name) = &self.service_name {
            endpoint.insert("serviceName".to_owned(), name.as_str().into());
        }
        if let Some(port) = self.port {
            endpoint.insert("port".to_owned(), port.into());
        }
        if let Some(ip) = self.ip {
            let kind = if ip.is_ipv4() { "ipv4" } else { "ipv6" };
            endpoint.insert(kind.to_owned(), ip.to_string().into());
        }
        Value::Object(endpoint)
    }
}
