//! Answers that the gateway makes itself: its own errors, redirects and what plugins answer.
//!
//! Compat: fields, their order, texts and forms are those of the reference.

use bytes::Bytes;
use plugin_api::{HeaderEdits, HttpVersion, Reply, ReplyBody, ResponseSource};

use super::core::Core;
use super::errors::{self, Form};
use super::response_head;
use super::work::Work;
use crate::http1::Known;

/// What stands around a reply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplyParts<'a> {
    pub(crate) is_persistent: bool,
    /// Whether a service was tried: the answer then bears the fields of a proxied one.
    pub(crate) is_after_attempt: bool,
    /// Whether the length is not told; the body is then not written here.
    pub(crate) is_chunked: bool,
    pub(crate) edits: Option<&'a HeaderEdits>,
    /// Lines for `Kong-Debug`, complete with CR LF.
    pub(crate) debug: &'a [u8],
}

/// The gateway's own error with a status, in the form the client accepts.
pub(crate) fn error(status: u16) -> Reply {
    let sent = if status == 494 { 400 } else { status };
    let body = ReplyBody::GatewayError(Bytes::from_static(errors::message(status).as_bytes()));
    Reply {
        source: ResponseSource::Error,
        ..Reply::with_body(sent, body)
    }
}

/// A message of the router or the balancer.
pub(crate) fn message(status: u16, text: impl Into<Bytes>) -> Reply {
    Reply {
        source: ResponseSource::Error,
        ..Reply::message(status, text)
    }
}

/// A page as the web server below the reference makes it.
pub(crate) fn page(status: u16) -> Reply {
    // Compat: the status line says `Moved Temporarily`, the page does not.
    let title = match status {
        302 => "Found",
        status => errors::reason(status),
    };
    let body = errors::server_page(status, title);
    Reply {
        source: ResponseSource::Error,
        ..Reply::with_body(status, ReplyBody::Raw(Bytes::from(body)))
    }
}

/// The body of a reply in the form the client accepts.
#[derive(Clone, Debug)]
pub(crate) struct Rendered {
    form: Option<Form>,
    pub(crate) body: Bytes,
}

impl Rendered {
    /// The header lines of the reply, the kind of its content included.
    pub(crate) fn lines(&self, reply: &Reply) -> Vec<(Bytes, Bytes)> {
        let mut lines = reply.headers.clone();
        let names_kind = lines
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(b"content-type"));
        if let (Some(form), false) = (self.form, names_kind) {
            let kind = Bytes::from_static(form.content_type().as_bytes());
            lines.push((Bytes::from_static(b"Content-Type"), kind));
        }
        lines
    }
}

/// Renders the body of a reply.
pub(crate) fn render(core: &Core, work: &Work, body: &ReplyBody) -> Rendered {
    let (form, body) = rendered(core, work, body);
    Rendered { form, body }
}

/// Writes head and body of a reply to the request's output.
pub(crate) fn write(
    core: &Core,
    work: &mut Work,
    (reply, rendered): (&Reply, &Rendered),
    parts: &ReplyParts<'_>,
) {
    let Rendered { form, body } = rendered;
    let form = *form;
    let has_body = work.method() != b"HEAD";
    let mut out = std::mem::take(&mut work.out);
    out.clear();
    write_status_and_date(core, &mut out, reply.status);
    let length = match (parts.is_chunked, has_body) {
        (false, _) => Length::Known(body.len()),
        (true, true) => Length::Chunked,
        (true, false) => Length::Untold,
    };
    write_content(&mut out, reply, form, length, parts);
    write_lines(&mut out, parts.edits);
    if form == Some(Form::Grpc) && work.head.fields.index.version == HttpVersion::Http2 {
        write_grpc(&mut out, reply);
    }
    write_own(core, &mut out, work, (reply, parts));
    out.extend_from_slice(b"\r\n");
    if has_body && !parts.is_chunked {
        out.extend_from_slice(body);
    }
    work.out = out;
}

fn rendered(core: &Core, work: &Work, body: &ReplyBody) -> (Option<Form>, Bytes) {
    let fields = &work.head.fields;
    let accept = fields
        .first(Known::Accept, &work.bytes)
        .or_else(|| unread_accept(work));
    let (form, text) = match body {
        ReplyBody::Empty => return (None, Bytes::new()),
        ReplyBody::Raw(bytes) => return (None, bytes.clone()),
        ReplyBody::Message(text) => (accept.map_or(Form::Json, Form::of_accept), text),
        ReplyBody::GatewayError(text) => {
            let wanted = accept.or_else(|| fields.first(Known::ContentType, &work.bytes));
            let form = wanted.map_or(core.config.error_form, Form::of_accept);
            if form == Form::Grpc {
                // Compat: errors of the core know no trailers and no request id here.
                let body = serde_json::json!({ "message": String::from_utf8_lossy(text) });
                return (Some(Form::Json), Bytes::from(body.to_string()));
            }
            (form, text)
        }
    };
    let text = String::from_utf8_lossy(text);
    let templates = &core.config.templates;
    let rendered = templates.render(form, &text, work.request_id());
    (Some(form), Bytes::from(rendered))
}

/// The `Accept` value of a head that was refused for its method, before it was read to its end.
fn unread_accept(work: &Work) -> Option<&[u8]> {
    if work.refused != 405 {
        return None;
    }
    work.bytes.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(7)?;
        name.eq_ignore_ascii_case(b"accept:")
            .then(|| value.trim_ascii())
    })
}

fn write_status_and_date(core: &Core, out: &mut Vec<u8>, status: u16) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
    out.push(b' ');
    out.extend_from_slice(errors::reason(status).as_bytes());
    out.extend_from_slice(b"\r\nDate: ");
    core.write_date(out);
    out.extend_from_slice(b"\r\n");
}

/// How an answer tells where its body ends.
#[derive(Clone, Copy)]
enum Length {
    Known(usize),
    Chunked,
    /// An answer to `HEAD` whose body a filter would change.
    Untold,
}

fn write_content(
    out: &mut Vec<u8>,
    reply: &Reply,
    form: Option<Form>,
    length: Length,
    parts: &ReplyParts<'_>,
) {
    let own = reply
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(b"content-type"))
        .map(|(_, value)| value.as_ref());
    let edited = parts.edits.and_then(|edits| edits.value(b"content-type"));
    let is_page = match reply.body {
        ReplyBody::Raw(_) => reply.source == ResponseSource::Error,
        ReplyBody::Empty => reply.status >= 300,
        ReplyBody::GatewayError(_) | ReplyBody::Message(_) => false,
    };
    let made = form.map(|form| form.content_type().as_bytes());
    // Compat: the oldest redirect pages of the web server name no character set.
    let of_page = match reply.status {
        _ if !is_page || reply.body == ReplyBody::Empty => None,
        300..=303 => Some(&b"text/html"[..]),
        _ => Some(&b"text/html; charset=UTF-8"[..]),
    };
    let is_removed = parts
        .edits
        .is_some_and(|edits| edits.removes(b"content-type"));
    let kept = own.or(made).or(of_page).filter(|_| !is_removed);
    match edited.or(kept) {
        None => {}
        Some(value) if reply.source == ResponseSource::Service => {
            response_head::content_type(out, value);
        }
        Some(value) => field(out, b"Content-Type", value),
    }
    if matches!(length, Length::Chunked) && reply.status != 204 && reply.status != 304 {
        field(out, b"Transfer-Encoding", b"chunked");
    }
    let connection: &[u8] = match parts.is_persistent {
        true => b"Connection: keep-alive\r\n",
        false => b"Connection: close\r\n",
    };
    if !is_page {
        out.extend_from_slice(connection);
    }
    // Compat: the lines of a page of the web server stand behind its frame.
    let is_own_page = is_page && matches!(reply.body, ReplyBody::Raw(_));
    if !is_own_page {
        write_reply_lines(out, reply, parts.edits);
    }
    match length {
        _ if reply.status == 204 || reply.status == 304 => {}
        Length::Known(length) => field(
            out,
            b"Content-Length",
            itoa::Buffer::new().format(length).as_bytes(),
        ),
        Length::Chunked | Length::Untold => {}
    }
    if is_page {
        out.extend_from_slice(connection);
    }
    if is_own_page {
        write_reply_lines(out, reply, parts.edits);
    }
}

/// Lines that belong to the answer itself. Compat: they stand before its length.
fn write_reply_lines(out: &mut Vec<u8>, reply: &Reply, edits: Option<&HeaderEdits>) {
    for (name, value) in &reply.headers {
        let is_replaced = edits.is_some_and(|edits| edits.removes(name));
        if !is_replaced && !is_framing(name) {
            field(out, name, value);
        }
    }
}

/// Lines that plugins added to whatever answer there would be.
fn write_lines(out: &mut Vec<u8>, edits: Option<&HeaderEdits>) {
    let added = edits.into_iter().flat_map(HeaderEdits::added);
    for (name, value) in added.filter(|(name, _)| !is_framing(name)) {
        field(out, name, value);
    }
}

fn is_framing(name: &[u8]) -> bool {
    matches!(
        Known::of(name),
        Known::ContentType | Known::ContentLength | Known::TransferEncoding | Known::Date
    )
}

/// Status codes of gRPC for those of HTTP, as the reference maps them.
fn write_grpc(out: &mut Vec<u8>, reply: &Reply) {
    let code = match reply.status {
        200..300 => 0,
        400 | 500 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..505 => 14,
        _ => 2,
    };
    field(
        out,
        b"grpc-status",
        itoa::Buffer::new().format(code).as_bytes(),
    );
    if let ReplyBody::Message(text) | ReplyBody::GatewayError(text) = &reply.body {
        field(out, b"grpc-message", text);
    }
}

fn write_own(
    core: &Core,
    out: &mut Vec<u8>,
    work: &Work,
    (reply, parts): (&Reply, &ReplyParts<'_>),
) {
    let names_server = reply
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case(b"server"));
    let headers = &core.config.headers;
    let notes = &work.notes;
    let now = core.ticks.recent();
    let number = |out: &mut Vec<u8>, name: &[u8], value: u64| {
        field(out, name, itoa::Buffer::new().format(value).as_bytes());
    };
    let latency = |out: &mut Vec<u8>, name: &[u8], from: u64, to: u64| {
        number(out, name, to.saturating_sub(from) / 1000);
    };
    if parts.is_after_attempt {
        if headers.upstream_status {
            number(out, b"X-Kong-Upstream-Status", u64::from(reply.status));
        }
        if headers.upstream_latency {
            latency(out, b"X-Kong-Upstream-Latency", notes.handed_on, now);
        }
        if headers.proxy_latency {
            latency(out, b"X-Kong-Proxy-Latency", notes.started, notes.handed_on);
        }
        if headers.via {
            out.extend_from_slice(&core.config.via_line);
        }
    } else if headers.response_latency {
        latency(out, b"X-Kong-Response-Latency", notes.started, now);
    }
    if headers.server && !names_server {
        out.extend_from_slice(&core.config.server_line);
    }
    out.extend_from_slice(parts.debug);
    if headers.request_id {
        field(out, b"X-Kong-Request-Id", &work.request_id);
    }
}

fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
