//! Heads on their way to a service and back: out of the form of HTTP/1.1, and into it.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri, Version};

use crate::h2::head::line;
use crate::http1::{Known, RequestHead, has_list_token};

/// The head of a request; `None` where it has a form that HTTP/2 has not.
pub(super) fn request(head: &RequestHead, bytes: &[u8], is_tls: bool) -> Option<Request<()>> {
    let index = &head.fields.index;
    // A query that a plugin took away leaves its mark; methods of gRPC are named without one.
    let target = index.target.of(bytes);
    let target = target.strip_suffix(b"?").unwrap_or(target);
    let uri = Uri::builder()
        .scheme(if is_tls { "https" } else { "http" })
        .authority(head.host.of(bytes))
        .path_and_query(target)
        .build()
        .ok()?;
    let mut request = Request::builder()
        .method(index.method.of(bytes))
        .uri(uri)
        .version(Version::HTTP_2)
        .body(())
        .ok()?;
    let fields = request.headers_mut();
    for (kind, line) in head.fields.iter() {
        let value = line.value.of(bytes);
        if is_of_hop(kind) || kind == Known::Host {
            continue;
        }
        // RFC 9113 section 8.2.2: nothing but this may stand there.
        if kind == Known::Te {
            if has_list_token(value, b"trailers") {
                fields.insert(TE, HeaderValue::from_static("trailers"));
            }
            continue;
        }
        let name = HeaderName::from_bytes(line.name.of(bytes)).ok()?;
        fields.append(name, HeaderValue::from_bytes(value).ok()?);
    }
    // Clients of gRPC say so; a plugin may have made a call of what one sent that is none.
    let is_grpc = fields.get(CONTENT_TYPE).is_some_and(is_grpc);
    if is_grpc && !fields.contains_key(TE) {
        fields.insert(TE, HeaderValue::from_static("trailers"));
    }
    Some(request)
}

fn is_grpc(kind: &HeaderValue) -> bool {
    kind.as_bytes().starts_with(b"application/grpc")
}

fn is_of_hop(kind: Known) -> bool {
    matches!(
        kind,
        Known::Connection
            | Known::KeepAlive
            | Known::ProxyConnection
            | Known::TransferEncoding
            | Known::Upgrade
    )
}

/// How the body of an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// There is none.
    Nothing,
    /// As it is; the head names its length.
    Plain,
    /// In chunks, with trailers.
    Chunked,
}

/// Writes the head of an answer. `is_head` says that the request was `HEAD`, `has_ended` that
/// nothing follows the head.
pub(super) fn response(
    response: &Response<h2::RecvStream>,
    is_head: bool,
    has_ended: bool,
    out: &mut Vec<u8>,
) -> Form {
    let status = response.status();
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
    let form = form(response.headers(), status.as_u16(), is_head, has_ended);
    for (name, value) in response.headers() {
        let is_left_out =
            *name == CONTENT_LENGTH && form == Form::Chunked || is_of_hop(Known::of(name.as_ref()));
        if !is_left_out {
            line(out, name.as_ref(), value.as_bytes());
        }
    }
    if form == Form::Chunked {
        out.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    out.extend_from_slice(b"\r\n");
    form
}

fn form(fields: &HeaderMap, status: u16, is_head: bool, has_ended: bool) -> Form {
    if is_head || status < 200 || matches!(status, 204 | 304) {
        return Form::Nothing;
    }
    let is_grpc = fields.get(CONTENT_TYPE).is_some_and(is_grpc);
    // What has trailers cannot be sent by its length.
    let has_length = fields.contains_key(CONTENT_LENGTH) && (!is_grpc || has_ended);
    if has_length {
        Form::Plain
    } else {
        Form::Chunked
    }
}
