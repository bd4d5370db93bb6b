//! An answer given by a plugin instead of the backend.

use bytes::Bytes;

/// Who produced an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseSource {
    /// A plugin, on purpose.
    Exit,
    /// The gateway: no route, backend not reachable, a handler that failed.
    Error,
    /// The backend.
    Service,
}

/// The body of a [`Reply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyBody {
    /// No body.
    Empty,
    /// The text of one of the gateway's own errors, in the form the client accepts; without an
    /// `Accept` header in the node's `error_default_type`. Rendered by the engine.
    GatewayError(Bytes),
    /// A message in the form the client accepts: JSON (also without an `Accept` header), HTML,
    /// XML or plain text, with the request id. Rendered by the engine, which translates it to
    /// trailers for gRPC.
    Message(Bytes),
    /// These bytes; the plugin sets `Content-Type` itself.
    Raw(Bytes),
}

/// An answer: status, headers, body. Header lines given here replace equal names of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Status code, 100 to 599.
    pub status: u16,
    /// Header lines in the order to be sent.
    pub headers: Vec<(Bytes, Bytes)>,
    /// Body.
    pub body: ReplyBody,
    /// Whether a plugin answers on purpose or because it failed.
    pub source: ResponseSource,
}

impl Reply {
    /// An answer in the form the client accepts; see [`ReplyBody::Message`].
    #[must_use]
    pub fn message(status: u16, message: impl Into<Bytes>) -> Self {
        Self::with_body(status, ReplyBody::Message(message.into()))
    }

    /// An answer with this body.
    #[must_use]
    pub const fn with_body(status: u16, body: ReplyBody) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
            source: ResponseSource::Exit,
        }
    }

    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The answer to a handler that failed.
    ///
    /// Compat: status and text are those of the reference.
    #[must_use]
    pub fn failure() -> Self {
        Self {
            source: ResponseSource::Error,
            ..Self::message(500, "An unexpected error occurred")
        }
    }
}
