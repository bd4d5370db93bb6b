//! Reading a trace from the headers of a request. What is malformed counts as not there.

use plugin_api::{Exchange, decode_query};

use super::ids::{from_decimal, from_hex};
use super::{Extracted, Format, SpanId, TraceId};

/// The one value of a header.
enum One<'a> {
    Absent,
    /// Several values, or bytes that are no text.
    Odd,
    Text(&'a str),
}

impl<'a> One<'a> {
    fn of(exchange: &'a Exchange<'_>, name: &str) -> Self {
        let mut values = exchange.header_values(name);
        let (Some(first), second) = (values.next(), values.next()) else {
            return Self::Absent;
        };
        match (std::str::from_utf8(first), second) {
            (Ok(text), None) => Self::Text(text),
            _ => Self::Odd,
        }
    }

    const fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Odd => None,
        }
    }

    const fn is_there(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

/// What a format's headers say; nothing if there is nothing to be read.
pub(super) fn read(format: Format, exchange: &Exchange<'_>) -> Option<Extracted> {
    let found = match format {
        Format::B3 | Format::B3Single => return b3(exchange),
        Format::W3c => return w3c(exchange),
        Format::Jaeger => return jaeger(exchange),
        Format::Gcp => return gcp(exchange),
        Format::Ot => ot(exchange),
        Format::Datadog => datadog(exchange)?,
        Format::Aws => aws(exchange)?,
    };
    (found != Extracted::default()).then_some(found)
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_zero(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'0')
}

fn trace(text: &str) -> Option<TraceId> {
    Some(TraceId::from_bytes(&from_hex(text)?))
}

fn span(text: &str) -> Option<SpanId> {
    Some(SpanId::from_bytes(&from_hex(text)?))
}

/// `1`, `true`, `0` or `false`.
fn yes_or_no(text: Option<&str>) -> Option<bool> {
    match text? {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// Compat: any of its headers, even one that says nothing, makes the request one in this format.
fn b3(exchange: &Exchange<'_>) -> Option<Extracted> {
    const NAMES: [&str; 7] = [
        "b3",
        "tracestate",
        "x-b3-traceid",
        "x-b3-spanid",
        "x-b3-parentspanid",
        "x-b3-sampled",
        "x-b3-flags",
    ];
    if !NAMES.iter().any(|name| One::of(exchange, name).is_there()) {
        return None;
    }
    let single = b3_single(exchange);
    let mut found = Extracted {
        is_single: single.is_some(),
        ..single.unwrap_or_default()
    };
    let several = b3_several(exchange);
    found.should_sample = found.should_sample.or(several.should_sample);
    found.flags = found.flags.or(several.flags);
    found.trace_id = found.trace_id.or(several.trace_id);
    found.span_id = found.span_id.or(several.span_id);
    found.parent_id = found.parent_id.or(several.parent_id);
    if found.trace_id.is_none() {
        (found.span_id, found.parent_id) = (None, None);
    }
    found.reuses_span = true;
    Some(found)
}

/// The header `b3`, or the member of that name in `tracestate`.
fn b3_single(exchange: &Exchange<'_>) -> Option<Extracted> {
    let own = One::of(exchange, "b3");
    let value = match (own.text(), own.is_there()) {
        (Some(text), _) => text,
        (None, true) => return None,
        (None, false) => {
            let states = exchange.header_values("tracestate");
            let mut states = states.filter_map(|state| std::str::from_utf8(state).ok());
            states.find_map(|state| state.strip_prefix("b3="))?
        }
    };
    let mut found = Extracted::default();
    match value {
        "1" => found.should_sample = Some(true),
        "d" => {
            found.should_sample = Some(true);
            found.flags = Some("1".to_owned());
        }
        "0" => found.should_sample = Some(false),
        _ => {
            if let Some(parts) = b3_parts(value) {
                found = parts;
            }
        }
    }
    Some(found)
}

/// `TRACE-SPAN-SAMPLED-PARENT`, where the last two may be missing.
fn b3_parts(value: &str) -> Option<Extracted> {
    let (trace_id, rest) = value.split_once('-')?;
    let (span_id, rest) = rest.split_at_checked(16)?;
    let is_sound = |text: &str, lengths: &[usize]| is_hex(text) && lengths.contains(&text.len());
    if !is_sound(trace_id, &[16, 32]) || !is_sound(span_id, &[16]) {
        return None;
    }
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let (sampled, rest) = match rest.as_bytes().first() {
        // A digit may also begin the id of the parent.
        Some(b'0' | b'1' | b'd') if rest.len() == 1 || !is_sound(rest, &[16]) => rest.split_at(1),
        _ => ("", rest),
    };
    let parent = rest.strip_prefix('-').unwrap_or(rest);
    if !parent.is_empty() && !is_sound(parent, &[16]) {
        return None;
    }
    Some(Extracted {
        trace_id: trace(trace_id),
        span_id: span(span_id),
        parent_id: if parent.is_empty() {
            None
        } else {
            span(parent)
        },
        should_sample: match sampled {
            "1" | "d" => Some(true),
            "0" => Some(false),
            _ => None,
        },
        flags: (sampled == "d").then(|| "1".to_owned()),
        ..Extracted::default()
    })
}

fn b3_several(exchange: &Exchange<'_>) -> Extracted {
    let text = |name: &str| One::of(exchange, name);
    let flags = text("x-b3-flags");
    let sampled = yes_or_no(text("x-b3-sampled").text());
    let mut found = Extracted {
        should_sample: if flags.text() == Some("1") {
            Some(true)
        } else {
            sampled
        },
        flags: flags.text().map(str::to_owned),
        ..Extracted::default()
    };
    let id = |name: &str, lengths: &[usize]| match text(name) {
        One::Absent => Ok(None),
        One::Text(text) if is_hex(text) && lengths.contains(&text.len()) => Ok(Some(text)),
        One::Text(_) | One::Odd => Err(()),
    };
    let ids = (
        id("x-b3-traceid", &[16, 32]),
        id("x-b3-spanid", &[16]),
        id("x-b3-parentspanid", &[16]),
    );
    // One that is malformed spoils all three.
    if let (Ok(trace_id), Ok(span_id), Ok(parent_id)) = ids {
        found.trace_id = trace_id.and_then(trace);
        found.span_id = span_id.and_then(span);
        found.parent_id = parent_id.and_then(span);
    }
    found
}

fn w3c(exchange: &Exchange<'_>) -> Option<Extracted> {
    let value = One::of(exchange, "traceparent").text()?;
    let parts: Vec<&str> = value.split('-').collect();
    let [version, trace_id, parent, flags] = parts.as_slice() else {
        return None;
    };
    let id = |text: &str, length| text.len() == length && is_hex(text) && !is_zero(text);
    if *version != "00" || !id(trace_id, 32) || !id(parent, 16) || flags.len() != 2 {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    Some(Extracted {
        trace_id: trace(trace_id),
        span_id: span(parent),
        should_sample: Some(flags % 2 == 1),
        ..Extracted::default()
    })
}

fn jaeger(exchange: &Exchange<'_>) -> Option<Extracted> {
    let value = One::of(exchange, "uber-trace-id").text()?;
    let parts: Vec<&str> = value.split(':').collect();
    let [trace_id, span_id, parent, flags] = parts.as_slice() else {
        return None;
    };
    let id = |text: &str, most| is_hex(text) && text.len() <= most && !is_zero(text);
    let is_sound =
        id(trace_id, 32) && id(span_id, 16) && is_hex(parent) && is_hex(flags) && flags.len() <= 2;
    if !is_sound {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    Some(Extracted {
        trace_id: trace(trace_id),
        span_id: span(span_id),
        parent_id: span(parent),
        should_sample: Some(flags % 2 == 1),
        reuses_span: true,
        baggage: baggage(exchange, "uberctx-"),
        ..Extracted::default()
    })
}

fn ot(exchange: &Exchange<'_>) -> Extracted {
    let text = |name: &str| One::of(exchange, name);
    let id = |name: &str, lengths: &[usize]| match text(name) {
        One::Absent => Ok(None),
        One::Text(text) if is_hex(text) && lengths.contains(&text.len()) => Ok(Some(text)),
        One::Text(_) | One::Odd => Err(()),
    };
    let is_there = ["ot-tracer-sampled", "ot-tracer-traceid", "ot-tracer-spanid"]
        .iter()
        .any(|name| text(name).is_there());
    if !is_there {
        return Extracted::default();
    }
    let mut found = Extracted {
        should_sample: yes_or_no(text("ot-tracer-sampled").text()),
        baggage: baggage(exchange, "ot-baggage-"),
        ..Extracted::default()
    };
    let ids = (
        id("ot-tracer-traceid", &[16, 32]),
        id("ot-tracer-spanid", &[16]),
    );
    if let (Ok(Some(trace_id)), Ok(span_id)) = ids {
        found.trace_id = trace(trace_id);
        found.span_id = span_id.and_then(span);
    }
    found
}

fn datadog(exchange: &Exchange<'_>) -> Option<Extracted> {
    let priority = One::of(exchange, "x-datadog-sampling-priority");
    let should_sample = match (priority.text(), priority.is_there()) {
        (Some("1" | "2"), _) => Some(true),
        (Some("0" | "-1"), _) => Some(false),
        (None, false) => None,
        _ => return None,
    };
    let number = |name: &str| {
        One::of(exchange, name)
            .text()
            .map(str::trim)
            .and_then(from_decimal)
    };
    let trace_id = number("x-datadog-trace-id");
    let parent = number("x-datadog-parent-id").filter(|_| trace_id.is_some());
    Some(Extracted {
        // Compat: the id is as long as its number, so it is told in the usual length elsewhere.
        trace_id: trace_id.map(|id| TraceId::from_bytes(&id)),
        span_id: parent.map(|id| SpanId::from_bytes(&id)),
        should_sample,
        ..Extracted::default()
    })
}

/// `Root=1-TIME-REST;Parent=SPAN;Sampled=1`, in any order and among others.
fn aws(exchange: &Exchange<'_>) -> Option<Extracted> {
    let value = One::of(exchange, "x-amzn-trace-id").text()?;
    let mut found = Extracted::default();
    for (key, value) in value.split(';').filter_map(|pair| pair.split_once('=')) {
        let value = value.trim();
        match key.trim() {
            "Root" => {
                let mut parts = value.split('-');
                let (version, time, rest) = (parts.next()?, parts.next()?, parts.next()?);
                let is_sound = version == "1" && time.len() == 8 && rest.len() == 24;
                if !is_sound || parts.next().is_some() || !is_hex(time) || !is_hex(rest) {
                    return None;
                }
                found.trace_id = trace(&format!("{time}{rest}"));
            }
            "Parent" if value.len() == 16 && is_hex(value) => found.span_id = span(value),
            "Sampled" if matches!(value, "0" | "1") => found.should_sample = Some(value == "1"),
            "Parent" | "Sampled" => return None,
            _ => {}
        }
    }
    Some(found)
}

/// `TRACE/SPAN;o=1`, the span as a decimal number.
fn gcp(exchange: &Exchange<'_>) -> Option<Extracted> {
    let value = One::of(exchange, "x-cloud-trace-context").text()?;
    let (trace_id, rest) = value.split_once('/')?;
    let (span_id, flags) = match rest.split_once(";o=") {
        Some((span_id, flags)) => (span_id, Some(flags)),
        None => (rest, None),
    };
    let is_small_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let is_sound = trace_id.len() == 32
        && trace_id.bytes().all(is_small_hex)
        && (1..=20).contains(&span_id.len())
        && span_id.bytes().all(is_digit)
        && flags.is_none_or(|flags| flags.len() == 1 && flags.bytes().all(is_digit));
    if !is_sound {
        return None;
    }
    Some(Extracted {
        trace_id: trace(trace_id),
        span_id: from_decimal(span_id).map(|id| SpanId::from_bytes(&id)),
        should_sample: Some(flags == Some("1")),
        ..Extracted::default()
    })
}

/// Limit: items of baggage that travel along.
const BAGGAGE_MAX: usize = 64;

/// The headers with a prefix, names without it.
fn baggage(exchange: &Exchange<'_>, prefix: &str) -> Vec<(String, String)> {
    let items = exchange.head.headers().filter_map(|(name, value)| {
        let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
        let key = name.strip_prefix(prefix)?.to_owned();
        // Compat: a plus is no space here.
        let value = String::from_utf8_lossy(value).replace('+', "%2B");
        let value = decode_query(value.as_bytes());
        Some((key, String::from_utf8_lossy(&value).into_owned()))
    });
    items.take(BAGGAGE_MAX).collect()
}
