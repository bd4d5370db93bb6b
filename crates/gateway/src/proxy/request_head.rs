//! The head of the request as the service receives it: copied by range from the received head, with
//! the fields a proxy owes.
//!
//! Compat: fields and their order are those of the reference.

use plugin_api::{HeaderSpan, HttpVersion, Span};

use super::config::ProxyConfig;
use super::connection::{Connection, KEEP_ALIVE};
use super::work::Work;
use crate::http1::{Framing, Known, copy_lines, eq_ignore_case, has_list_token, list_tokens};

/// What the head says beyond what was received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestParts<'a> {
    /// Value of `Host`.
    pub(crate) host: &'a [u8],
    /// How the body is framed towards the service.
    pub(crate) framing: Framing,
    /// Whether the connection is to be upgraded to WebSocket.
    pub(crate) is_upgrade: bool,
    /// Whether a prefix other than `/` was stripped.
    pub(crate) strips_prefix: bool,
}

/// Writes the head to `out`.
pub(crate) fn write(
    out: &mut Vec<u8>,
    work: &Work,
    connection: &Connection,
    config: &ProxyConfig,
    parts: &RequestParts<'_>,
) {
    let fields = &work.head.fields;
    write_request_line(out, work);
    if fields.index.version == HttpVersion::Http11 && !fields.has_any(&[Known::Te, Known::Via]) {
        out.extend_from_slice(&config.request_front);
    } else {
        out.extend_from_slice(b" HTTP/1.1\r\n");
        write_te_and_via(out, work, config);
        out.extend_from_slice(b"Host: ");
    }
    out.extend_from_slice(parts.host);
    if !parts.is_upgrade && !work.is_peer_trusted && !fields.has_any(&[Known::ForwardedFor]) {
        out.extend_from_slice(connection.forwarded_front());
    } else {
        out.extend_from_slice(match parts.is_upgrade {
            true => b"\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n",
            false => KEEP_ALIVE.as_bytes(),
        });
        write_forwarded_for(out, work, connection);
    }
    write_forwarded(out, work, connection, parts);
    if config.sends_request_id {
        out.extend_from_slice(b"X-Kong-Request-Id: ");
        out.extend_from_slice(&work.request_id);
        out.extend_from_slice(b"\r\n");
    }
    match parts.framing {
        Framing::Length(length) => {
            field(
                out,
                b"Content-Length",
                itoa::Buffer::new().format(length).as_bytes(),
            );
        }
        Framing::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        Framing::None | Framing::Close => {}
    }
    write_rest(out, work, config.sends_request_id);
    out.extend_from_slice(b"\r\n");
}

fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Writes method and target, without what stands behind them.
fn write_request_line(out: &mut Vec<u8>, work: &Work) {
    let edits = &work.plugins.request;
    let index = &work.head.fields.index;
    match &edits.method {
        None => {
            // With the space behind it.
            let end = index.method.end.saturating_add(1);
            out.extend_from_slice(Span::new(index.method.start, end).of(&work.bytes));
        }
        Some(method) => {
            out.extend_from_slice(method);
            out.push(b' ');
        }
    }
    match &edits.path {
        Some(path) => router::escape_into(path, out),
        None => out.extend_from_slice(&work.upstream_path),
    }
    match &edits.query {
        None if index.has_query => {
            out.push(b'?');
            out.extend_from_slice(index.query.of(&work.bytes));
        }
        Some(query) if index.has_query || !query.is_empty() => {
            out.push(b'?');
            out.extend_from_slice(query);
        }
        _ => {}
    }
}

fn write_te_and_via(out: &mut Vec<u8>, work: &Work, config: &ProxyConfig) {
    let fields = &work.head.fields;
    if let Some(te) = fields.first(Known::Te, &work.bytes) {
        let accepts_trailers =
            list_tokens(te).any(|coding| coding.split(|b| *b == b';').next() == Some(b"trailers"));
        if accepts_trailers {
            out.extend_from_slice(b"TE: trailers\r\n");
        }
    }
    let received = fields.first(Known::Via, &work.bytes);
    out.extend_from_slice(b"Via: ");
    if let Some(received) = received {
        out.extend_from_slice(received);
        out.extend_from_slice(b", ");
    }
    // Compat: the reference prints 1.0 as `1` and 2 as `2`.
    out.extend_from_slice(match fields.index.version {
        HttpVersion::Http10 => b"1 ",
        HttpVersion::Http11 => b"1.1 ",
        HttpVersion::Http2 => b"2 ",
    });
    out.extend_from_slice(config.product.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// The value of a field of a trusted peer.
fn trusted(work: &Work, kind: Known) -> Option<&[u8]> {
    if !work.is_peer_trusted {
        return None;
    }
    work.head.fields.first(kind, &work.bytes)
}

/// `X-Forwarded-For` to `X-Forwarded-Host: `.
fn write_forwarded_for(out: &mut Vec<u8>, work: &Work, connection: &Connection) {
    let chain = work.head.fields.first(Known::ForwardedFor, &work.bytes);
    if chain.is_none() && !work.is_peer_trusted {
        out.extend_from_slice(&connection.forwarded_front()[KEEP_ALIVE.len()..]);
        return;
    }
    out.extend_from_slice(b"X-Forwarded-For: ");
    if let Some(chain) = chain {
        out.extend_from_slice(chain);
        out.extend_from_slice(b", ");
    }
    match work.real_ip {
        Some(ip) if chain.is_none() => out.extend_from_slice(ip.to_string().as_bytes()),
        _ => out.extend_from_slice(&connection.client.ip_text),
    }
    out.extend_from_slice(b"\r\nX-Forwarded-Proto: ");
    let own = connection.client.scheme.as_str().as_bytes();
    out.extend_from_slice(trusted(work, Known::ForwardedProto).unwrap_or(own));
    out.extend_from_slice(b"\r\nX-Forwarded-Host: ");
}

/// What follows, from the value of `X-Forwarded-Host` to `X-Real-IP`.
fn write_forwarded(
    out: &mut Vec<u8>,
    work: &Work,
    connection: &Connection,
    parts: &RequestParts<'_>,
) {
    let trusted = |kind| trusted(work, kind);
    match trusted(Known::ForwardedHost) {
        Some(host) => out.extend_from_slice(host),
        None => write_host(out, work),
    }
    match trusted(Known::ForwardedPort) {
        None => out.extend_from_slice(connection.forwarded_middle()),
        Some(port) => {
            out.extend_from_slice(b"\r\nX-Forwarded-Port: ");
            out.extend_from_slice(port);
            out.extend_from_slice(b"\r\nX-Forwarded-Path: ");
        }
    }
    let path = match work.head.fields.index.path.of(&work.bytes) {
        [] => b"/",
        path => path,
    };
    out.extend_from_slice(trusted(Known::ForwardedPath).unwrap_or(path));
    let own = parts.strips_prefix.then(|| &work.path()[..work.matched]);
    if let Some(prefix) = trusted(Known::ForwardedPrefix).or(own) {
        out.extend_from_slice(b"\r\nX-Forwarded-Prefix: ");
        out.extend_from_slice(prefix);
    }
    out.extend_from_slice(b"\r\n");
    match work.real_ip {
        Some(ip) => field(out, b"X-Real-IP", ip.to_string().as_bytes()),
        None => out.extend_from_slice(connection.real_ip_line()),
    }
}

/// The host without port and final dot, in lower case.
fn write_host(out: &mut Vec<u8>, work: &Work) {
    let host = work.host();
    // Compat: without a host the reference names itself.
    let host = match host.strip_suffix(b".").unwrap_or(host) {
        [] => b"kong",
        host => host,
    };
    let start = out.len();
    out.extend_from_slice(host);
    out[start..].make_ascii_lowercase();
}

/// The received fields that pass: everything that is not written above and not of one hop.
///
/// Compat: a request id of the client passes where the gateway sends none of its own.
fn write_rest(out: &mut Vec<u8>, work: &Work, sends_request_id: bool) {
    let passes = |kind| passes(kind) || (kind == Known::RequestId && !sends_request_id);
    let edits = &work.plugins.request.headers;
    if edits.is_empty() && !work.head.names_hop_fields {
        let fields = work.head.fields.iter();
        let lines = fields.filter(|(kind, _)| passes(*kind));
        copy_lines(out, lines.map(|(_, line)| line), &work.bytes);
        return;
    }
    let lines = work
        .head
        .fields
        .iter()
        .filter(|(kind, line)| passes(*kind) && !is_named_hop(work, *kind, *line))
        .map(|(_, line)| (line.name.of(&work.bytes), line.value.of(&work.bytes)));
    edits.apply(lines, |name, value| {
        if passes(Known::of(name)) {
            field(out, name, value);
        }
    });
}

/// Whether a received field goes on as it is.
fn passes(kind: Known) -> bool {
    match kind {
        Known::Connection
        | Known::ContentLength
        | Known::Expect
        | Known::Host
        | Known::KeepAlive
        | Known::Proxy
        | Known::ProxyConnection
        | Known::Te
        | Known::TransferEncoding
        | Known::Upgrade
        | Known::Via
        | Known::ForwardedFor
        | Known::ForwardedHost
        | Known::ForwardedPath
        | Known::ForwardedPort
        | Known::ForwardedPrefix
        | Known::ForwardedProto
        | Known::RealIp
        | Known::RequestId
        | Known::Explain => false,
        Known::Other
        | Known::Accept
        | Known::ContentType
        | Known::Date
        | Known::KongDebug
        | Known::Referer
        | Known::Server
        | Known::Trailer
        | Known::UserAgent
        | Known::AccelBuffering
        | Known::AccelCharset
        | Known::AccelExpires
        | Known::AccelLimitRate
        | Known::AccelRedirect
        | Known::ProxyLatency
        | Known::UpstreamLatency
        | Known::UpstreamStatus => true,
    }
}

/// Whether `Connection` names the field as one of this hop. Only fields that the engine does not
/// know can be taken away so: naming framing fields has no effect.
fn is_named_hop(work: &Work, kind: Known, line: HeaderSpan) -> bool {
    if !work.head.names_hop_fields || kind != Known::Other {
        return false;
    }
    let name = line.name.of(&work.bytes);
    work.head
        .fields
        .iter()
        .filter(|(kind, _)| *kind == Known::Connection)
        .any(|(_, line)| has_list_token(line.value.of(&work.bytes), name))
}

/// Whether the request asks for a WebSocket.
///
/// Compat: as in the reference the `Upgrade` field decides, whatever `Connection` says.
pub(crate) fn wants_websocket(work: &Work) -> bool {
    work.head
        .fields
        .first(Known::Upgrade, &work.bytes)
        .is_some_and(|upgrade| eq_ignore_case(upgrade, b"websocket"))
        && work.head.fields.index.version == HttpVersion::Http11
}
