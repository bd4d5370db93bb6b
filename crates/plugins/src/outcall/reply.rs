//! The answer of a call as the answer to a request.

use bytes::Bytes;
use http::HeaderMap;
use plugin_api::{Reply, ReplyBody};

/// Fields that belong to a connection, or that the gateway writes itself.
const OWN: [&str; 8] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a field of an answer is passed on.
pub(crate) fn is_passed_on(name: &str) -> bool {
    !OWN.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// An answer with the fields of another.
pub(crate) fn reply(status: u16, headers: &HeaderMap, body: Bytes) -> Reply {
    let mut reply = Reply::with_body(status, ReplyBody::Raw(body));
    for (name, value) in headers {
        if is_passed_on(name.as_str()) {
            let name = Bytes::copy_from_slice(name.as_str().as_bytes());
            reply = reply.header(name, Bytes::copy_from_slice(value.as_bytes()));
        }
    }
    reply
}
