//! Writing a trace into headers for a service.

use super::{Extracted, Format, Injected, SpanId};
use crate::outcall::escape;

/// What a format adds.
pub(super) struct Lines {
    /// Headers, in the order in which new ones are appended.
    pub(super) headers: Vec<(String, String)>,
    /// What records call the format.
    pub(super) name: &'static str,
    /// The id of the trace as the format writes it.
    pub(super) trace_id: String,
}

/// The headers of a format.
pub(super) fn lines(format: Format, found: &Extracted, told: &Injected) -> Lines {
    let sampled = if told.is_sampled { "1" } else { "0" };
    let span = told.span_id.hex();
    let long = || told.trace_id.hex(&[16]);
    let kept = || told.trace_id.hex(&[16, 8]);
    let (name, trace_id, headers) = match format {
        Format::B3 => {
            let id = kept();
            ("b3", id.clone(), b3(found, told, id))
        }
        Format::B3Single => {
            let id = kept();
            let value = b3_single(found, told, &id);
            ("b3", id, vec![line("b3", value)])
        }
        Format::W3c => {
            let id = long();
            let value = format!("00-{id}-{span}-0{sampled}");
            ("w3c", id, vec![line("traceparent", value)])
        }
        Format::Jaeger => {
            let id = kept();
            let parent = told.parent_id.as_ref().map(SpanId::hex);
            let parent = parent.as_deref().unwrap_or("0");
            let value = format!("{id}:{span}:{parent}:0{sampled}");
            let mut headers = vec![line("uber-trace-id", value)];
            headers.extend(baggage("uberctx-", found));
            ("jaeger", id, headers)
        }
        Format::Ot => {
            let id = told.trace_id.hex(&[8, 16]);
            let mut headers = vec![
                line("ot-tracer-spanid", span),
                line("ot-tracer-sampled", sampled),
                line("ot-tracer-traceid", id.as_str()),
            ];
            headers.extend(baggage("ot-baggage-", found));
            ("ot", id, headers)
        }
        Format::Datadog => {
            let id = told.trace_id.low().to_string();
            let headers = vec![
                line("x-datadog-trace-id", id.as_str()),
                line("x-datadog-parent-id", told.span_id.number().to_string()),
                line("x-datadog-sampling-priority", sampled),
            ];
            ("datadog", id, headers)
        }
        Format::Aws => {
            let id = long();
            let (time, rest) = id.split_at(8);
            let value = format!("Root=1-{time}-{rest};Parent={span};Sampled={sampled}");
            ("aws", id.clone(), vec![line("x-amzn-trace-id", value)])
        }
        Format::Gcp => {
            let id = long();
            let value = format!("{id}/{};o={sampled}", told.span_id.number());
            ("gcp", id, vec![line("x-cloud-trace-context", value)])
        }
    };
    Lines {
        headers,
        name,
        trace_id,
    }
}

fn line(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

fn b3(found: &Extracted, told: &Injected, trace_id: String) -> Vec<(String, String)> {
    let mut headers = Vec::with_capacity(4);
    if let Some(parent) = &told.parent_id {
        headers.push(line("x-b3-parentspanid", parent.hex()));
    }
    headers.push(match &found.flags {
        Some(flags) => line("x-b3-flags", flags.as_str()),
        None => line("x-b3-sampled", if told.is_sampled { "1" } else { "0" }),
    });
    headers.push(line("x-b3-traceid", trace_id));
    headers.push(line("x-b3-spanid", told.span_id.hex()));
    headers
}

fn b3_single(found: &Extracted, told: &Injected, trace_id: &str) -> String {
    let mut value = format!("{trace_id}-{}", told.span_id.hex());
    if found.flags.as_deref() == Some("1") {
        value.push_str("-d");
    } else if told.is_sampled {
        value.push_str("-1");
    } else if told.tells_refusal {
        value.push_str("-0");
    }
    if let Some(parent) = &told.parent_id {
        value.push('-');
        value.push_str(&parent.hex());
    }
    value
}

fn baggage<'a>(
    prefix: &'a str,
    found: &'a Extracted,
) -> impl Iterator<Item = (String, String)> + use<'a> {
    let items = found.baggage.iter();
    items.map(move |(key, value)| (format!("{prefix}{key}"), escape(value)))
}
