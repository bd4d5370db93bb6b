//! From a head to a route, and what a route says before anything else happens.

use bytes::Bytes;
use entities::Protocol;
use plugin_api::{Head, HttpVersion, Reply};
use router::{HeaderLookup, Match, Query, Scheme};

use super::connection::Connection;
use super::reply;
use super::work::Work;
use crate::http1::Known;
use crate::snapshot::{RouteEntry, ServiceEntry, Snapshot};

/// The header fields of a head, as the router asks for them.
struct Lookup<'a>(Head<'a>);

impl HeaderLookup for Lookup<'_> {
    fn any_value(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.0.values(name).any(visit)
    }
}

/// Normalises the path of the request.
pub(crate) fn normalise(work: &mut Work) -> Result<(), Reply> {
    let Work {
        head, bytes, path, ..
    } = work;
    let received = match head.fields.index.path.of(bytes) {
        [] => b"/",
        path => path,
    };
    let is_rewritten = match router::normalise_path(received, path) {
        Ok(path) => !std::ptr::eq(path.as_ptr(), received.as_ptr()),
        Err(_) => return Err(reply::error(400)),
    };
    work.is_path_rewritten = is_rewritten;
    Ok(())
}

/// Finds the route.
pub(crate) fn find(snapshot: &Snapshot, connection: &Connection, work: &mut Work) -> Option<Match> {
    let client = &connection.client;
    let (host, host_port) = router::split_host(work.authority());
    work.host_len = host.len();
    let work = &*work;
    let host = work.host();
    let sni = client.server_name.as_deref();
    let query = Query {
        scheme: if connection.is_tls() {
            Scheme::Https
        } else {
            Scheme::Http
        },
        method: work.method(),
        host,
        host_port,
        path: work.path(),
        query: work.head.fields.index.query.of(&work.bytes),
        headers: &Lookup(work.head.fields.head(&work.bytes)),
        sni: sni.and_then(|name| std::str::from_utf8(name).ok()),
        source: (work.real_ip.unwrap_or(client.ip), client.port),
        destination: (client.local.ip(), client.local.port()),
    };
    snapshot.router.find(&query)
}

/// Answers a request that speaks another protocol than its route.
pub(crate) fn check_protocol(
    entry: &RouteEntry,
    connection: &Connection,
    work: &Work,
) -> Result<(), Reply> {
    let has = |protocol| entry.route.protocols.contains(&protocol);
    // The usual case: such a route refuses nothing.
    if has(Protocol::Http) {
        return Ok(());
    }
    let is_secure = connection.is_tls() || is_forwarded_secure(work);
    if has(Protocol::Https) && !is_secure {
        return Err(to_https(entry, work));
    }
    if (has(Protocol::Grpc) || has(Protocol::Grpcs)) && !has(Protocol::Https) {
        return check_grpc(work, has(Protocol::Grpc) || is_secure);
    }
    Ok(())
}

fn is_forwarded_secure(work: &Work) -> bool {
    work.is_peer_trusted
        && work
            .head
            .fields
            .first(Known::ForwardedProto, &work.bytes)
            .is_some_and(|proto| proto.eq_ignore_ascii_case(b"https"))
}

fn check_grpc(work: &Work, may_be_plain: bool) -> Result<(), Reply> {
    let kind = work.head.fields.first(Known::ContentType, &work.bytes);
    let is_grpc = kind.is_some_and(|kind| kind.starts_with(b"application/grpc"));
    if !is_grpc {
        let text = "Non-gRPC request matched gRPC route";
        return Err(reply::message(415, text));
    }
    if work.head.fields.index.version != HttpVersion::Http2 {
        let answer = reply::message(426, "Please use HTTP2 protocol")
            .header("upgrade", "HTTP/2")
            .header("connection", "Upgrade");
        return Err(answer);
    }
    if !may_be_plain {
        let answer = Reply::with_body(200, plugin_api::ReplyBody::Empty)
            .header("content-type", "application/grpc")
            .header("grpc-status", "1")
            .header("grpc-message", "gRPC request matched gRPCs route");
        return Err(answer);
    }
    Ok(())
}

fn to_https(entry: &RouteEntry, work: &Work) -> Reply {
    let status = entry.route.https_redirect_status_code;
    if !matches!(status, 301 | 302 | 307 | 308) {
        return reply::message(426, "Please use HTTPS protocol")
            .header("Connection", "Upgrade")
            .header("Upgrade", "TLS/1.2, HTTP/1.1");
    }
    let trusted = work.is_peer_trusted;
    let forwarded = work.head.fields.first(Known::ForwardedHost, &work.bytes);
    let (own, _) = router::split_host(work.authority());
    let host = forwarded.filter(|_| trusted).unwrap_or(own);
    let index = &work.head.fields.index;
    let mut location = b"https://".to_vec();
    location.extend_from_slice(host);
    location.extend_from_slice(match index.path.of(&work.bytes) {
        [] => b"/",
        path => path,
    });
    if index.has_query {
        location.push(b'?');
        location.extend_from_slice(index.query.of(&work.bytes));
    }
    reply::page(status).header("Location", Bytes::from(location))
}

/// Writes the path that the service receives.
pub(crate) fn write_upstream_path(
    snapshot: &Snapshot,
    entry: &RouteEntry,
    service: &ServiceEntry,
    work: &mut Work,
) {
    let mut out = std::mem::take(&mut work.upstream_path);
    let handling = snapshot
        .router
        .flavor()
        .effective_path_handling(entry.route.path_handling);
    router::upstream_path(
        service.service.path.as_deref().unwrap_or("/"),
        work.path(),
        work.matched,
        entry.route.strip_path,
        handling,
        &mut out,
    );
    work.upstream_path = out;
}

/// The lines that `Kong-Debug: 1` asks for.
pub(crate) fn debug_lines(work: &Work, route: Option<&RouteEntry>) -> Vec<u8> {
    let asks = work.head.fields.first(Known::KongDebug, &work.bytes) == Some(b"1");
    let Some(route) = route.filter(|_| asks) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let mut line = |name: &str, value: &[u8]| {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    };
    line("Kong-Route-Id", &route.info.id_text);
    if let Some(name) = &route.info.name {
        line("Kong-Route-Name", name);
    }
    if let Some(service) = &route.service {
        line("Kong-Service-Id", &service.info.id_text);
        if let Some(name) = &service.info.name {
            line("Kong-Service-Name", name);
        }
    }
    out
}
