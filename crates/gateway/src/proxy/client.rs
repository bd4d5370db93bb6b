//! The client's side of an exchange, whichever version of HTTP it speaks.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::core::Core;
use super::link::{Link, ReadError};
use crate::net::Pipe;

/// How an answer is framed towards the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AnswerFraming {
    /// The status.
    pub(crate) status: u16,
    /// Whether the payload is sent in chunks.
    pub(crate) is_chunked: bool,
}

/// A client as the exchange sees it: a body that comes in, an answer that goes out.
pub(crate) trait Client {
    /// Waits until there is payload of the request, or its body is complete.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ReadError>>;

    /// Payload ready to be passed on.
    fn payload(&self) -> &[u8];

    /// Takes payload away.
    fn consume(&mut self, count: usize);

    /// Whether the whole body has arrived; its last payload may still wait.
    fn is_done(&self) -> bool;

    /// Trailer lines of the complete body.
    fn trailers(&self) -> &[u8];

    /// Payload bytes received so far.
    fn received(&self) -> u64;

    /// Length of a body that was complete when the request began.
    fn whole_length(&self) -> Option<usize>;

    /// Whether what is here of the body breaks the rules.
    fn is_malformed(&self) -> bool;

    /// Takes the body back to its beginning; false when parts of it are gone.
    fn rewind(&mut self) -> bool;

    /// Begins an answer with a rendered head.
    fn begin(&mut self, head: &mut Vec<u8>, framing: AnswerFraming);

    /// Sends what is pending and payload of the answer; with `last` it ends there.
    fn poll_push(
        &mut self,
        cx: &mut Context<'_>,
        payload: &[u8],
        last: Option<&[u8]>,
    ) -> Poll<io::Result<usize>>;

    /// Whether payload of the answer may be sent out of a pipe now.
    fn takes_pipe(&self) -> bool {
        false
    }

    /// Sends payload of the answer out of a pipe.
    fn poll_drain_pipe(
        &mut self,
        cx: &mut Context<'_>,
        pipe: &mut Pipe,
    ) -> Poll<io::Result<usize>> {
        let _ = (cx, pipe);
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// Bytes of the answer sent so far.
    fn sent(&self) -> u64;

    /// Whether the client has gone away while nothing was asked of it.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// The connection itself, for a tunnel; HTTP/1.1 only.
    fn link(&mut self) -> Option<&mut Link>;
}

/// A client that speaks HTTP/1.1.
pub(crate) struct Http1Client {
    pub(crate) link: Link,
    pub(crate) core: Rc<Core>,
}

impl Client for Http1Client {
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ReadError>> {
        self.link.poll_fill(cx, &self.core.buffers)
    }

    fn payload(&self) -> &[u8] {
        self.link.reader.payload()
    }

    fn consume(&mut self, count: usize) {
        self.link.reader.consume(count);
    }

    fn is_done(&self) -> bool {
        self.link.reader.is_done()
    }

    fn trailers(&self) -> &[u8] {
        self.link.reader.trailers()
    }

    fn received(&self) -> u64 {
        self.link.reader.decoded()
    }

    fn whole_length(&self) -> Option<usize> {
        self.link.reader.whole_length()
    }

    fn is_malformed(&self) -> bool {
        self.link.reader.fault().is_some()
    }

    fn rewind(&mut self) -> bool {
        self.link.reader.rewind()
    }

    fn begin(&mut self, head: &mut Vec<u8>, framing: AnswerFraming) {
        self.link.sender.begin(head, framing.is_chunked);
    }

    fn poll_push(
        &mut self,
        cx: &mut Context<'_>,
        payload: &[u8],
        last: Option<&[u8]>,
    ) -> Poll<io::Result<usize>> {
        self.link.poll_push(cx, payload, last)
    }

    fn takes_pipe(&self) -> bool {
        self.link.takes_pipe()
    }

    fn poll_drain_pipe(
        &mut self,
        cx: &mut Context<'_>,
        pipe: &mut Pipe,
    ) -> Poll<io::Result<usize>> {
        self.link.poll_drain_pipe(cx, pipe)
    }

    fn sent(&self) -> u64 {
        self.link.sender.sent
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let reader = &mut self.link.reader;
        if !reader.is_done() || reader.buffer.len() > reader.payload().len() {
            return Poll::Pending;
        }
        // Usually it says nothing, and the reactor knows.
        if self.link.io.poll_readable(cx).is_pending() {
            return Poll::Pending;
        }
        match self.link.poll_more(cx, &self.core.buffers) {
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(()),
            // Bytes of the next request: they wait in the buffer.
            Poll::Ready(Ok(_)) | Poll::Pending => Poll::Pending,
        }
    }

    fn link(&mut self) -> Option<&mut Link> {
        Some(&mut self.link)
    }
}
