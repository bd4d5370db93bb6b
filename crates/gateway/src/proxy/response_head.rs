//! The head of a proxied answer as the client receives it.
//!
//! Compat: fields and their order are those of the reference.

use plugin_api::{HeaderEdits, HeaderSpan, HttpVersion};

use super::config::ProxyConfig;
use super::errors;
use crate::http1::{
    Framing, Known, ResponseHead, as_received, copy_lines, has_list_token, is_lower_case_of,
};

/// What the head says beyond what the service sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerParts<'a> {
    pub(crate) status: u16,
    /// How the payload is framed towards the client.
    pub(crate) framing: AnswerBody,
    pub(crate) is_persistent: bool,
    pub(crate) is_upgrade: bool,
    pub(crate) upstream_latency_ms: u64,
    pub(crate) proxy_latency_ms: u64,
    pub(crate) request_id: &'a [u8; 32],
    pub(crate) edits: Option<&'a HeaderEdits>,
    /// A `Set-Cookie` line of the balancer, complete with CR LF.
    pub(crate) cookie: &'a [u8],
    /// Lines for `Kong-Debug`, complete with CR LF.
    pub(crate) debug: &'a [u8],
}

/// How an answer's end is told to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerBody {
    /// No field about it.
    Nothing,
    Length(u64),
    Chunked,
    /// By the end of the connection.
    Close,
}

impl AnswerBody {
    /// Chooses the framing towards a client. `changes` says that a plugin changes the payload.
    pub(crate) fn choose(
        response: &ResponseHead,
        version: HttpVersion,
        is_head: bool,
        changes: bool,
    ) -> Self {
        if is_head && changes {
            return Self::Nothing;
        }
        if is_head || matches!(response.framing, Framing::None) {
            return match response.named_length {
                Some(length) if response.status() != 204 => Self::Length(length),
                None if response.names_chunked && version == HttpVersion::Http11 => Self::Chunked,
                _ => Self::Nothing,
            };
        }
        match response.framing {
            Framing::Length(length) if !changes => Self::Length(length),
            _ if version == HttpVersion::Http10 => Self::Close,
            _ => Self::Chunked,
        }
    }
}

/// Writes the head to `out`. `bytes` is what the response head's ranges refer to.
pub(crate) fn write(
    out: &mut Vec<u8>,
    response: &ResponseHead,
    bytes: &[u8],
    config: &ProxyConfig,
    parts: &AnswerParts<'_>,
) {
    write_status(out, response, bytes, parts.status);
    let removes = |name: &[u8]| parts.edits.is_some_and(|edits| edits.removes(name));
    if let Some(line) = response.fields.first_line(Known::ContentType)
        && !removes(b"content-type")
    {
        write_content_type(out, line, bytes);
    }
    if let Some(value) = parts.edits.and_then(|edits| edits.value(b"content-type")) {
        content_type(out, value);
    }
    match parts.framing {
        AnswerBody::Length(length) => number(out, b"Content-Length: ", length),
        AnswerBody::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        AnswerBody::Nothing | AnswerBody::Close => {}
    }
    out.extend_from_slice(if parts.is_upgrade {
        b"Connection: upgrade\r\n"
    } else if parts.is_persistent {
        b"Connection: keep-alive\r\n"
    } else {
        &b"Connection: close\r\n"[..]
    });
    let places = write_received(out, response, bytes, config, parts);
    write_own(out, response, config, parts, places);
    out.extend_from_slice(b"\r\n");
}

fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Whether this is a kind of text that gets a character set if it names none.
///
/// Compat: the list of the web server below the reference.
fn is_bare_text(value: &[u8]) -> bool {
    match value.len() {
        8 => is_lower_case_of(value, b"text/xml"),
        9 => is_lower_case_of(value, b"text/html"),
        10 => is_lower_case_of(value, b"text/plain"),
        16 => is_lower_case_of(value, b"text/vnd.wap.wml"),
        19 => is_lower_case_of(value, b"application/rss+xml"),
        22 => is_lower_case_of(value, b"application/javascript"),
        _ => false,
    }
}

pub(crate) fn content_type(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(b"Content-Type: ");
    out.extend_from_slice(value);
    out.extend_from_slice(match is_bare_text(value) {
        true => b"; charset=UTF-8\r\n",
        false => &b"\r\n"[..],
    });
}

/// Lengths of names are known when this is compiled, so that they are written without a call.
#[inline]
fn number<const N: usize>(out: &mut Vec<u8>, name_and_colon: &[u8; N], value: u64) {
    out.extend_from_slice(name_and_colon);
    match u8::try_from(value) {
        Ok(digit @ 0..=9) => out.extend_from_slice(&[b'0' + digit, b'\r', b'\n']),
        _ => {
            out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn write_content_type(out: &mut Vec<u8>, line: HeaderSpan, bytes: &[u8]) {
    let value = line.value.of(bytes);
    let received = as_received(line, bytes);
    match received.filter(|line| line.starts_with(b"Content-Type") && !is_bare_text(value)) {
        Some(line) => out.extend_from_slice(line),
        None => content_type(out, value),
    }
}

fn write_status(out: &mut Vec<u8>, response: &ResponseHead, bytes: &[u8], status: u16) {
    if response.usual_line > 0 && status == response.status() {
        out.extend_from_slice(&bytes[..response.usual_line]);
        return;
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
    out.push(b' ');
    if status == response.status() {
        out.extend_from_slice(response.fields.index.reason.of(bytes));
    } else {
        out.extend_from_slice(errors::reason(status).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Fields of the gateway that stood in the service's answer and were replaced at their place.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    server: bool,
    via: bool,
    request_id: bool,
    upstream_latency: bool,
    proxy_latency: bool,
    upstream_status: bool,
}

/// Fields of an answer that are looked at one by one.
const REPLACED: &[Known] = &[
    Known::Upgrade,
    Known::Trailer,
    Known::Via,
    Known::RequestId,
    Known::UpstreamLatency,
    Known::ProxyLatency,
    Known::UpstreamStatus,
];

/// Whether a field is written elsewhere, or was meant for the gateway.
fn is_left_out(kind: Known) -> bool {
    matches!(
        kind,
        Known::ContentType
            | Known::ContentLength
            | Known::TransferEncoding
            | Known::Connection
            | Known::KeepAlive
            | Known::AccelBuffering
            | Known::AccelCharset
            | Known::AccelExpires
            | Known::AccelLimitRate
            | Known::AccelRedirect
    )
}

fn write_received(
    out: &mut Vec<u8>,
    response: &ResponseHead,
    bytes: &[u8],
    config: &ProxyConfig,
    parts: &AnswerParts<'_>,
) -> Places {
    let mut places = Places::default();
    if parts.edits.is_none_or(HeaderEdits::is_empty) && !response.names_hop_fields {
        if !response.fields.has_any(REPLACED) {
            places.server = response.fields.has_any(&[Known::Server]);
            let lines = response
                .fields
                .iter()
                .filter(|(kind, _)| !is_left_out(*kind));
            copy_lines(out, lines.map(|(_, line)| line), bytes);
            return places;
        }
        for (kind, line) in response.fields.iter() {
            let (name, value) = (line.name.of(bytes), line.value.of(bytes));
            write_line(out, (kind, name, value), config, parts, &mut places);
        }
        return places;
    }
    let lines = response
        .fields
        .iter()
        .filter(|(kind, line)| {
            *kind != Known::Other || !is_hop(response, bytes, line.name.of(bytes))
        })
        .map(|(_, line)| (line.name.of(bytes), line.value.of(bytes)));
    match parts.edits {
        Some(edits) => edits.apply(lines, |name, value| {
            write_line(
                out,
                (Known::of(name), name, value),
                config,
                parts,
                &mut places,
            );
        }),
        None => lines.for_each(|(name, value)| {
            write_line(
                out,
                (Known::of(name), name, value),
                config,
                parts,
                &mut places,
            );
        }),
    }
    places
}

fn write_line(
    out: &mut Vec<u8>,
    (kind, name, value): (Known, &[u8], &[u8]),
    config: &ProxyConfig,
    parts: &AnswerParts<'_>,
    places: &mut Places,
) {
    let headers = &config.headers;
    match kind {
        kind if is_left_out(kind) => return,
        Known::Upgrade if !parts.is_upgrade => return,
        Known::Trailer if parts.framing != AnswerBody::Chunked => return,
        Known::Via if headers.via && !places.via => {
            places.via = true;
            out.extend_from_slice(name);
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b", ");
            out.extend_from_slice(&config.via_line[5..]);
            return;
        }
        Known::RequestId if headers.request_id => {
            if !std::mem::replace(&mut places.request_id, true) {
                field(out, b"X-Kong-Request-Id", parts.request_id);
            }
            return;
        }
        Known::UpstreamLatency if headers.upstream_latency => {
            if !std::mem::replace(&mut places.upstream_latency, true) {
                number(out, b"X-Kong-Upstream-Latency: ", parts.upstream_latency_ms);
            }
            return;
        }
        Known::ProxyLatency if headers.proxy_latency => {
            if !std::mem::replace(&mut places.proxy_latency, true) {
                number(out, b"X-Kong-Proxy-Latency: ", parts.proxy_latency_ms);
            }
            return;
        }
        Known::UpstreamStatus if headers.upstream_status => {
            if !std::mem::replace(&mut places.upstream_status, true) {
                number(out, b"X-Kong-Upstream-Status: ", u64::from(parts.status));
            }
            return;
        }
        Known::Server => places.server = true,
        _ => {}
    }
    field(out, name, value);
}

fn write_own(
    out: &mut Vec<u8>,
    response: &ResponseHead,
    config: &ProxyConfig,
    parts: &AnswerParts<'_>,
    places: Places,
) {
    let headers = &config.headers;
    out.extend_from_slice(parts.cookie);
    if headers.server && !places.server {
        out.extend_from_slice(&config.server_line);
    }
    if headers.upstream_status && !places.upstream_status {
        number(
            out,
            b"X-Kong-Upstream-Status: ",
            u64::from(response.status()),
        );
    }
    if headers.upstream_latency && !places.upstream_latency {
        number(out, b"X-Kong-Upstream-Latency: ", parts.upstream_latency_ms);
    }
    if headers.proxy_latency && !places.proxy_latency {
        number(out, b"X-Kong-Proxy-Latency: ", parts.proxy_latency_ms);
    }
    let has_via = headers.via && !places.via;
    let has_id = headers.request_id && !places.request_id;
    if has_via && has_id && parts.debug.is_empty() {
        out.extend_from_slice(&config.answer_end);
        out.extend_from_slice(parts.request_id);
        out.extend_from_slice(b"\r\n");
        return;
    }
    if has_via {
        out.extend_from_slice(&config.via_line);
    }
    out.extend_from_slice(parts.debug);
    if has_id {
        field(out, b"X-Kong-Request-Id", parts.request_id);
    }
}

fn is_hop(response: &ResponseHead, bytes: &[u8], name: &[u8]) -> bool {
    response.names_hop_fields
        && response
            .fields
            .iter()
            .filter(|(kind, _)| *kind == Known::Connection)
            .any(|(_, line)| has_list_token(line.value.of(bytes), name))
}
