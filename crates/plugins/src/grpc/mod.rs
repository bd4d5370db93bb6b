//! What the plugins that speak gRPC have in common: frames, descriptions in `.proto` files, and
//! messages as JSON.
//!
//! Nothing here compresses or decompresses: clients and services agree on that between them, and a
//! compressed message is never looked into.

mod frame;
mod json;
mod proto;
#[cfg(test)]
mod tests;

pub(crate) use frame::{Frames, MESSAGE, TRAILERS, frame};
pub(crate) use json::{decode, encode, place};
pub(crate) use prost_reflect::MessageDescriptor;
pub(crate) use proto::{Method, Protos, Rule};

use bytes::Bytes;
use plugin_api::{Exchange, Reply, ReplyBody};

/// Makes the request one of gRPC with this body.
pub(crate) fn address(exchange: &mut Exchange<'_>, body: Bytes) {
    exchange
        .request
        .headers
        .set("Content-Type", "application/grpc");
    exchange.request.body = Some(body);
}

/// Refuses a request with a text.
pub(crate) fn refusal(text: impl Into<Bytes>) -> Reply {
    Reply::with_body(400, ReplyBody::Raw(text.into()))
}

/// The answer to a browser that asks what it may do.
pub(crate) fn preflight<const N: usize>(headers: [(&'static str, Bytes); N]) -> Reply {
    let reply = Reply::with_body(200, ReplyBody::Raw(Bytes::from_static(b"OK")));
    headers
        .into_iter()
        .fold(reply, |reply, (name, value)| reply.header(name, value))
}
