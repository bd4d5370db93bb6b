//! What the plugins that speak gRPC have in common: frames, descriptions in `.proto` files, and
//! messages as JSON.
//!
//! Nothing here compresses or decompresses: clients and services agree on that between them, and a
//! compressed message is never looked into.

mod frame;
mod json;
mod messages;
mod proto;
#[cfg(test)]
mod tests;

pub(crate) use frame::{Frames, MESSAGE, TRAILERS, frame};
pub(crate) use json::{encode, place};
pub(crate) use messages::Messages;
pub(crate) use prost_reflect::MessageDescriptor;
pub(crate) use proto::{Method, Protos, Rule};

use json::decode;

use std::path::Path;

use bytes::Bytes;
use plugin_api::{BuildError, Exchange, Reply, ReplyBody};

/// What the file of the field `proto` describes, as `read` wants it; nothing where none is named.
pub(crate) fn described<T>(
    proto: Option<&str>,
    read: impl FnOnce(Protos) -> Result<T, String>,
) -> Result<Option<T>, BuildError> {
    let load = |path: &str| Protos::load(Path::new(path)).and_then(read);
    let described = proto.map(load).transpose();
    described.map_err(|reason| BuildError::Config {
        field: "proto".to_owned(),
        reason,
    })
}

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
