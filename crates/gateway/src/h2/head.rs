//! Heads between HTTP/2 and the form of HTTP/1.1.

use bytes::Bytes;
use http::header::{COOKIE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::http1::Known;

/// Renders a request head; `None` where it has a form that cannot be passed on.
pub(super) fn render_request(parts: &Parts, out: &mut Vec<u8>) -> Option<()> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = parts.uri.authority().map(|authority| authority.as_str());
    let host = parts.headers.get(HOST).map(HeaderValue::as_bytes);
    let host = authority.map(str::as_bytes).or(host)?;
    out.extend_from_slice(parts.method.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(path.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    line(out, b"Host", host);
    let mut cookies = Vec::new();
    for (name, value) in &parts.headers {
        if *name == HOST {
            continue;
        }
        if *name == COOKIE {
            // RFC 9113 section 8.2.3: crumbs become one field again.
            if !cookies.is_empty() {
                cookies.extend_from_slice(b"; ");
            }
            cookies.extend_from_slice(value.as_bytes());
            continue;
        }
        line(out, name.as_str().as_bytes(), value.as_bytes());
    }
    if !cookies.is_empty() {
        line(out, b"cookie", &cookies);
    }
    out.extend_from_slice(b"\r\n");
    Some(())
}

pub(super) fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Reads a rendered answer: its head, and the bytes that stand behind it.
pub(super) fn parse_answer(bytes: &[u8], status: u16) -> Option<(Response<()>, Bytes)> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")?;
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    let first = memchr::memchr(b'\n', bytes)? + 1;
    if first < end {
        *response.headers_mut() = parse_fields(&bytes[first..end]);
    }
    Some((response, Bytes::copy_from_slice(&bytes[end + 4..])))
}

/// Reads lines of fields; those that only mean something on one HTTP/1.1 hop are left out.
pub(super) fn parse_fields(lines: &[u8]) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(colon) = memchr::memchr(b':', line) else {
            continue;
        };
        let is_of_hop = matches!(
            Known::of(&line[..colon]),
            Known::Connection
                | Known::KeepAlive
                | Known::ProxyConnection
                | Known::TransferEncoding
                | Known::Upgrade
        );
        if is_of_hop {
            continue;
        }
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            fields.append(name, value);
        }
    }
    fields
}

/// Renders trailer fields as lines with CR LF, without those that have no business there.
pub(super) fn render_trailers(trailers: &HeaderMap) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in trailers {
        if Known::of(name.as_str().as_bytes()) == Known::Other {
            line(&mut out, name.as_str().as_bytes(), value.as_bytes());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookie_crumbs_become_one_field_and_the_authority_the_host() {
        let request = http::Request::builder()
            .uri("https://a.test/p?q")
            .header("cookie", "a=1")
            .header("x-a", "1")
            .header("cookie", "b=2")
            .header("host", "other.test")
            .body(())
            .expect("a request");
        let mut out = Vec::new();
        render_request(&request.into_parts().0, &mut out).expect("a head");
        let text = String::from_utf8(out).expect("text");
        assert_eq!(
            text,
            "GET /p?q HTTP/1.1\r\nHost: a.test\r\nx-a: 1\r\ncookie: a=1; b=2\r\n\r\n"
        );
    }

    #[test]
    fn fields_of_one_hop_do_not_reach_an_http_2_client() {
        let head = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nX-A: 1\r\nX-A: 2\r\n\
                     Transfer-Encoding: chunked\r\n\r\nbody";
        let (response, rest) = parse_answer(head, 404).expect("an answer");
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers().len(), 2);
        assert_eq!(response.headers().get_all("x-a").iter().count(), 2);
        assert_eq!(&rest[..], b"body");
    }
}
