//! Bodies on their way to the service and back.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use plugin_api::BodyChunk;

use super::kind::Kind;
use crate::grpc::{self, Frames, MESSAGE, Messages, Method, TRAILERS};

/// The status of a call whose service did not tell one, and of one whose answer makes no sense.
const UNKNOWN: &str = "2";
const INTERNAL: &str = "13";

/// The body for the service.
///
/// # Errors
///
/// A sentence about what is wrong with it.
pub(super) fn upstream(kind: Kind, method: Option<&Method>, body: &[u8]) -> Result<Bytes, String> {
    let body = match kind.is_text {
        true => from_text(body).ok_or("the body is no base64")?,
        false => body.to_vec(),
    };
    let Some(method) = method else {
        return Ok(body.into());
    };
    let one = |json: &[u8]| {
        let value = serde_json::from_slice(json);
        let value = value.map_err(|error| format!("the body is no JSON: {error}"))?;
        grpc::encode(&method.input, value).map(|bytes| grpc::frame(MESSAGE, &bytes))
    };
    if !kind.is_framed {
        return one(&body).map(Bytes::from);
    }
    let mut frames = Frames::default();
    frames.push(&body);
    let mut out = Vec::new();
    while let Some(json) = frames.next()? {
        out.extend(one(&json)?);
    }
    match frames.is_empty() {
        true => Ok(out.into()),
        false => Err("the body ends within a message".to_owned()),
    }
}

/// Undoes base64 of which pieces may end with padding each.
fn from_text(text: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let pieces = text.split(|byte| *byte == b'=');
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        STANDARD_NO_PAD.decode_vec(piece, &mut out).ok()?;
    }
    Some(out)
}

/// An answer on its way.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) kind: Kind,
    /// Its messages, where they become JSON.
    messages: Option<Messages>,
    /// What the head said, for an answer that is nothing but a head.
    pub(super) status: Option<Vec<u8>>,
    pub(super) message: Option<Vec<u8>>,
    /// Whether it is an answer of gRPC.
    pub(super) is_taken: bool,
}

impl Answer {
    pub(super) fn new(kind: Kind, messages: Option<Messages>) -> Self {
        Self {
            kind,
            messages,
            status: None,
            message: None,
            is_taken: false,
        }
    }

    /// Turns a piece into what the client reads.
    pub(super) fn turn(&mut self, chunk: &mut BodyChunk) {
        if let Some(messages) = &mut self.messages {
            let found = messages.take(&chunk.data).into_iter();
            let found = found.map(|json| match self.kind.is_framed {
                true => grpc::frame(MESSAGE, &json),
                false => json,
            });
            chunk.data = found.collect::<Vec<_>>().concat().into();
        }
        if self.kind.is_text && !chunk.data.is_empty() {
            chunk.data = STANDARD.encode(&chunk.data).into();
        }
        if !chunk.is_last {
            return;
        }
        let trailers = std::mem::take(&mut chunk.trailers);
        if self.kind.is_framed {
            let end = grpc::frame(TRAILERS, &self.trailers(&trailers));
            let end = match self.kind.is_text {
                true => STANDARD.encode(end).into_bytes(),
                false => end,
            };
            chunk.data = [&chunk.data, end.as_slice()].concat().into();
        }
    }

    /// The trailers as lines: status and message first, then all others.
    ///
    /// Compat: the form of the reference, which gives these two alone.
    fn trailers(&self, received: &[u8]) -> Vec<u8> {
        let mut status = self.status.as_deref();
        let mut message = self.message.as_deref();
        let mut others = Vec::new();
        for line in received.split(|byte| *byte == b'\n') {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                continue;
            };
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"grpc-status") {
                status = Some(value);
            } else if name.eq_ignore_ascii_case(b"grpc-message") {
                message = Some(value);
            } else {
                others.push((name.to_ascii_lowercase(), value));
            }
        }
        if self.messages.as_ref().is_some_and(Messages::is_broken) {
            (status, message) = (Some(INTERNAL.as_bytes()), None);
        }
        let mut out = b"grpc-status:".to_vec();
        out.extend_from_slice(status.unwrap_or(UNKNOWN.as_bytes()));
        out.extend_from_slice(b"\r\ngrpc-message:");
        out.extend_from_slice(message.unwrap_or_default());
        out.extend_from_slice(b"\r\n");
        for (name, value) in others {
            out.extend_from_slice(&name);
            out.push(b':');
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
        out
    }
}
