//! Which trace a request belongs to: reading it from the headers of a client, and telling the
//! service.
//!
//! Compat: formats, their quirks and their order are those of the reference. Spans are made and
//! sent by the plugins.

mod extract;
mod ids;
mod inject;
mod settings;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use plugin_api::Exchange;
use serde_json::{Map, Value};

pub(crate) use ids::{SpanId, TraceId, is_sampled_by_ratio};
pub(crate) use settings::Propagation;

use crate::record;

/// A way to write a trace into headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `x-b3-…`.
    B3,
    /// `b3`.
    B3Single,
    /// `traceparent`.
    W3c,
    /// `uber-trace-id`.
    Jaeger,
    /// `ot-tracer-…`.
    Ot,
    /// `x-datadog-…`.
    Datadog,
    /// `x-amzn-trace-id`.
    Aws,
    /// `x-cloud-trace-context`.
    Gcp,
}

impl Format {
    /// The format of a name in configuration.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "b3" => Self::B3,
            "b3-single" => Self::B3Single,
            "w3c" => Self::W3c,
            "jaeger" => Self::Jaeger,
            "ot" => Self::Ot,
            "datadog" => Self::Datadog,
            "aws" => Self::Aws,
            "gcp" => Self::Gcp,
            _ => return None,
        })
    }
}

/// What a request says about its trace. Everything may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extracted {
    pub(crate) trace_id: Option<TraceId>,
    /// The span of the caller.
    pub(crate) span_id: Option<SpanId>,
    /// The parent of that span.
    pub(crate) parent_id: Option<SpanId>,
    /// Whether the caller wants the trace collected.
    pub(crate) should_sample: Option<bool>,
    /// Whether both sides of a call share one span in this format.
    pub(crate) reuses_span: bool,
    /// `X-B3-Flags`.
    pub(crate) flags: Option<String>,
    /// Whether it came in the one header of B3.
    pub(crate) is_single: bool,
    /// What travels along.
    pub(crate) baggage: Vec<(String, String)>,
    /// Which format it came in; `None` when nothing was found.
    pub(crate) format: Option<Format>,
}

/// What the service is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Injected {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) parent_id: Option<SpanId>,
    pub(crate) is_sampled: bool,
    /// Whether the one header of B3 says that a trace is not collected.
    pub(crate) tells_refusal: bool,
}

impl Propagation {
    /// Reads the trace of a request: the first format that is found counts.
    pub(crate) fn extract(&self, exchange: &Exchange<'_>) -> Extracted {
        let mut found = self.extract.iter().filter_map(|format| {
            let mut found = extract::read(*format, exchange)?;
            found.format = Some(*format);
            Some(found)
        });
        found.next().unwrap_or_default()
    }

    /// Removes what is to be removed and tells the service its trace.
    pub(crate) fn inject(&self, exchange: &mut Exchange<'_>, found: &Extracted, told: &Injected) {
        for name in &self.clear {
            exchange.request.headers.remove(name.clone());
        }
        let mut ids = Map::new();
        for format in &self.inject {
            let format = format.unwrap_or_else(|| self.preserved(found));
            let lines = inject::lines(format, found, told);
            for (name, value) in lines.headers {
                let name: Bytes = name.into();
                exchange.request.headers.set(name, Bytes::from(value));
            }
            ids.insert(lines.name.to_owned(), Value::String(lines.trace_id));
        }
        if !ids.is_empty() {
            record::add(exchange, "trace_id", Value::Object(ids));
        }
    }

    /// The format to go on with.
    fn preserved(&self, found: &Extracted) -> Format {
        match found.format {
            Some(Format::B3) if found.is_single => Format::B3Single,
            Some(format) => format,
            None => self.default,
        }
    }
}
