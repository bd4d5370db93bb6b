//! A stream as the exchange sees its client.

use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::Response;

use super::head;
use crate::http1::BodyError;
use crate::proxy::client::{AnswerFraming, Client};
use crate::proxy::link::{Link, ReadError};

/// One stream of a client that speaks HTTP/2.
pub(super) struct Http2Client {
    receive: RecvStream,
    respond: SendResponse<Bytes>,
    send: Option<SendStream<Bytes>>,
    /// A head that has not been sent.
    pending: Option<Response<()>>,
    /// Payload that came rendered behind the head.
    rendered: Bytes,
    chunk: Bytes,
    is_done: bool,
    is_untouched: bool,
    trailers: Vec<u8>,
    received: u64,
    sent: u64,
    limit: Option<u64>,
}

impl Http2Client {
    pub(super) fn new(
        receive: RecvStream,
        respond: SendResponse<Bytes>,
        limit: Option<u64>,
    ) -> Self {
        Self {
            is_done: receive.is_end_stream(),
            receive,
            respond,
            send: None,
            pending: None,
            rendered: Bytes::new(),
            chunk: Bytes::new(),
            is_untouched: true,
            trailers: Vec::new(),
            received: 0,
            sent: 0,
            limit,
        }
    }

    /// Sends the head, alone or as the whole answer.
    fn send_head(&mut self, is_whole: bool) -> io::Result<()> {
        let Some(response) = self.pending.take() else {
            return Ok(());
        };
        let is_interim = response.status().is_informational();
        let result = if is_interim {
            self.respond.send_informational(response)
        } else {
            self.respond
                .send_response(response, is_whole)
                .map(|stream| self.send = Some(stream))
        };
        result.map_err(io::Error::other)
    }

    /// Sends as much payload as the window takes.
    fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
        payload: &[u8],
        is_last: bool,
    ) -> Poll<io::Result<usize>> {
        let stream = self.send.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        stream.reserve_capacity(payload.len());
        while stream.capacity() == 0 {
            match ready!(stream.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        let count = payload.len().min(stream.capacity());
        let data = Bytes::copy_from_slice(&payload[..count]);
        stream
            .send_data(data, is_last && count == payload.len())
            .map_err(io::Error::other)?;
        self.sent += count as u64;
        Poll::Ready(Ok(count))
    }

    fn end(&mut self, trailers: &[u8]) -> io::Result<()> {
        let stream = self.send.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let ended = if trailers.is_empty() {
            stream.send_data(Bytes::new(), true)
        } else {
            stream.send_trailers(head::parse_fields(trailers))
        };
        ended.map_err(io::Error::other)
    }
}

impl Client for Http2Client {
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ReadError>> {
        while self.chunk.is_empty() && !self.is_done {
            match ready!(self.receive.poll_data(cx)) {
                Some(Ok(chunk)) => {
                    self.received += chunk.len() as u64;
                    self.chunk = chunk;
                    if self.limit.is_some_and(|limit| self.received > limit) {
                        return Poll::Ready(Err(ReadError::TooLarge));
                    }
                }
                Some(Err(error)) => {
                    return Poll::Ready(Err(io::Error::other(error).into()));
                }
                None => match ready!(self.receive.poll_trailers(cx)) {
                    Ok(trailers) => {
                        self.is_done = true;
                        if let Some(trailers) = trailers {
                            self.trailers = head::render_trailers(&trailers);
                        }
                    }
                    Err(_) => return Poll::Ready(Err(BodyError::Truncated.into())),
                },
            }
        }
        Poll::Ready(Ok(()))
    }

    fn payload(&self) -> &[u8] {
        &self.chunk
    }

    fn consume(&mut self, count: usize) {
        self.chunk.advance(count);
        self.is_untouched &= count == 0;
        // A stream that was reset has no window to open.
        let _ = self.receive.flow_control().release_capacity(count);
    }

    fn is_done(&self) -> bool {
        self.is_done || (self.chunk.is_empty() && self.receive.is_end_stream())
    }

    fn trailers(&self) -> &[u8] {
        &self.trailers
    }

    fn received(&self) -> u64 {
        self.received
    }

    fn whole_length(&self) -> Option<usize> {
        None
    }

    fn is_malformed(&self) -> bool {
        false
    }

    fn rewind(&mut self) -> bool {
        self.is_untouched
    }

    fn begin(&mut self, head: &mut Vec<u8>, framing: AnswerFraming) {
        if let Some((response, rendered)) = head::parse_answer(head, framing.status) {
            self.pending = Some(response);
            self.rendered = rendered;
            self.sent += head.len() as u64 - self.rendered.len() as u64;
        }
        head.clear();
    }

    fn poll_push(
        &mut self,
        cx: &mut Context<'_>,
        payload: &[u8],
        last: Option<&[u8]>,
    ) -> Poll<io::Result<usize>> {
        let is_empty = payload.is_empty() && self.rendered.is_empty();
        let is_bare_end = is_empty && last.is_some_and(<[u8]>::is_empty);
        if self.pending.is_some() {
            self.send_head(is_bare_end)?;
            if is_bare_end {
                return Poll::Ready(Ok(0));
            }
        }
        let ends_plainly = last.is_some_and(<[u8]>::is_empty);
        while !self.rendered.is_empty() {
            let rendered = self.rendered.clone();
            let is_last = ends_plainly && payload.is_empty();
            let count = ready!(self.poll_data(cx, &rendered, is_last))?;
            self.rendered.advance(count);
            if is_last && self.rendered.is_empty() {
                return Poll::Ready(Ok(0));
            }
        }
        let mut count = 0;
        if !payload.is_empty() {
            count = ready!(self.poll_data(cx, payload, ends_plainly))?;
            if count < payload.len() || ends_plainly {
                return Poll::Ready(Ok(count));
            }
        }
        if let Some(trailers) = last {
            self.end(trailers)?;
        }
        Poll::Ready(Ok(count))
    }

    fn sent(&self) -> u64 {
        self.sent
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.respond.poll_reset(cx).map(|_| ())
    }

    fn link(&mut self) -> Option<&mut Link> {
        None
    }
}
