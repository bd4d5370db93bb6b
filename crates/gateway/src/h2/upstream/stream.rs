//! One stream of a connection to a service, dressed as a connection that speaks HTTP/1.1.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};

use super::message::{self, Form};
use super::pool::Load;
use crate::h2::head::{parse_fields, render_trailers};
use crate::http1::{BodyDecoder, Framing, HeadLimits, RequestHead, chunk_header};
use crate::net::Io;

/// The heads that come in here were written by the gateway itself.
const OWN_HEADS: HeadLimits = HeadLimits {
    line: 1 << 20,
    head: 1 << 20,
};

/// A request under way.
pub(crate) struct Http2Stream {
    sender: SendRequest<Bytes>,
    load: Rc<Load>,
    is_tls: bool,
    head: RequestHead,
    /// Written to us and not passed on.
    outgoing: Vec<u8>,
    /// How much at the front of it is decoded payload.
    payload: usize,
    decoder: BodyDecoder,
    send: Option<SendStream<Bytes>>,
    has_sent_all: bool,
    /// Whether the request is `HEAD`, whose answer has no body.
    is_for_head: bool,
    answer: Answer,
    /// Ready to be read from us.
    incoming: Vec<u8>,
    taken: usize,
}

/// Where the answer stands.
enum Answer {
    NotAsked,
    Waits(ResponseFuture),
    Body(RecvStream, Form),
    Ended,
}

impl Http2Stream {
    pub(super) fn new(sender: SendRequest<Bytes>, load: Rc<Load>, is_tls: bool) -> Self {
        load.streams.set(load.streams.get() + 1);
        Self {
            sender,
            load,
            is_tls,
            head: RequestHead::default(),
            outgoing: Vec::new(),
            payload: 0,
            decoder: BodyDecoder::Done,
            send: None,
            has_sent_all: false,
            is_for_head: false,
            answer: Answer::NotAsked,
            incoming: Vec::new(),
            taken: 0,
        }
    }

    /// Passes on what was written, as far as there is room.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.send.is_none() {
            let begun = self.poll_begin(cx);
            if !ready!(self.unanswered(begun))? {
                return Poll::Ready(Ok(()));
            }
        }
        while !self.has_sent_all {
            self.decode()?;
            if self.payload > 0 {
                ready!(self.poll_data(cx))?;
            } else if self.decoder.is_done() {
                self.end()?;
            } else {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Notes that what could not begin gets no answer, so that nobody waits for one.
    fn unanswered<T>(&mut self, begun: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(_)) = begun {
            self.answer = Answer::Ended;
        }
        begun
    }

    /// Begins the stream once the head is complete; tells whether it has begun.
    fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let is_complete = self.head.len > 0
            || self
                .head
                .advance(&self.outgoing, &OWN_HEADS)
                .map_err(io::Error::other)?;
        if !is_complete {
            return Poll::Ready(Ok(false));
        }
        ready!(self.sender.poll_ready(cx)).map_err(io::Error::other)?;
        let request = message::request(&self.head, &self.outgoing, self.is_tls);
        let request = request.ok_or(io::ErrorKind::InvalidInput)?;
        self.decoder = BodyDecoder::new(self.head.framing);
        self.has_sent_all = self.head.framing == Framing::None;
        let (answer, send) = self
            .sender
            .send_request(request, self.has_sent_all)
            .map_err(io::Error::other)?;
        self.answer = Answer::Waits(answer);
        self.send = Some(send);
        self.is_for_head = self.head.fields.index.method.of(&self.outgoing) == b"HEAD";
        self.outgoing.drain(..self.head.len);
        Poll::Ready(Ok(true))
    }

    fn decode(&mut self) -> io::Result<()> {
        if self.payload > 0 || self.outgoing.is_empty() {
            return Ok(());
        }
        let progress = self
            .decoder
            .decode(&mut self.outgoing)
            .map_err(io::Error::other)?;
        self.payload = progress.payload;
        self.outgoing.drain(progress.payload..progress.consumed);
        Ok(())
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.send.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        stream.reserve_capacity(self.payload);
        while stream.capacity() == 0 {
            match ready!(stream.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        let count = self.payload.min(stream.capacity());
        let data = Bytes::copy_from_slice(&self.outgoing[..count]);
        stream.send_data(data, false).map_err(io::Error::other)?;
        self.outgoing.drain(..count);
        self.payload -= count;
        Poll::Ready(Ok(()))
    }

    fn end(&mut self) -> io::Result<()> {
        let stream = self.send.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let trailers = self.decoder.trailers();
        let ended = if trailers.is_empty() {
            stream.send_data(Bytes::new(), true)
        } else {
            stream.send_trailers(parse_fields(trailers))
        };
        self.has_sent_all = true;
        ended.map_err(io::Error::other)
    }

    /// Waits until something of the answer lies in `incoming`; false at its end.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        while self.taken == self.incoming.len() {
            self.incoming.clear();
            self.taken = 0;
            match &mut self.answer {
                // Whoever writes is woken, and reads after that.
                Answer::NotAsked => return Poll::Pending,
                Answer::Waits(answer) => {
                    let response = ready!(Pin::new(answer).poll(cx)).map_err(io::Error::other)?;
                    let has_ended = response.body().is_end_stream();
                    let is_head = self.is_for_head;
                    let form = message::response(&response, is_head, has_ended, &mut self.incoming);
                    self.answer = match form {
                        // Both at once: an answer that is a head alone, such as an error of gRPC,
                        // has to end with its head towards the client too.
                        Form::Chunked if has_ended => {
                            self.incoming.extend_from_slice(b"0\r\n\r\n");
                            Answer::Ended
                        }
                        form => Answer::Body(response.into_body(), form),
                    };
                }
                Answer::Body(_, Form::Nothing) => self.answer = Answer::Ended,
                Answer::Body(receive, form) => {
                    let form = *form;
                    let Some(data) = ready!(receive.poll_data(cx)) else {
                        let trailers =
                            ready!(receive.poll_trailers(cx)).map_err(io::Error::other)?;
                        self.answer = Answer::Ended;
                        if form == Form::Chunked {
                            let lines = trailers.as_ref().map(render_trailers);
                            self.incoming.extend_from_slice(b"0\r\n");
                            self.incoming.extend(lines.unwrap_or_default());
                            self.incoming.extend_from_slice(b"\r\n");
                        }
                        continue;
                    };
                    let data = data.map_err(io::Error::other)?;
                    // A stream that was reset has no window to open.
                    let _ = receive.flow_control().release_capacity(data.len());
                    write_data(&data, form, &mut self.incoming);
                }
                Answer::Ended => return Poll::Ready(Ok(false)),
            }
        }
        Poll::Ready(Ok(true))
    }
}

fn write_data(data: &[u8], form: Form, out: &mut Vec<u8>) {
    if data.is_empty() {
        return;
    }
    let is_chunked = form == Form::Chunked;
    if is_chunked {
        out.extend_from_slice(chunk_header(data.len(), &mut [0; 18]));
    }
    out.extend_from_slice(data);
    if is_chunked {
        out.extend_from_slice(b"\r\n");
    }
}

impl Drop for Http2Stream {
    fn drop(&mut self) {
        self.load.streams.set(self.load.streams.get() - 1);
    }
}

impl Io for Http2Stream {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_receive(cx).map_ok(|_| ())
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if !ready!(self.poll_receive(cx))? {
            return Poll::Ready(Ok(0));
        }
        let waiting = &self.incoming[self.taken..];
        let count = waiting.len().min(into.len());
        into[..count].copy_from_slice(&waiting[..count]);
        self.taken += count;
        Poll::Ready(Ok(count))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.send.is_none() {
            // A connection that is gone shows before anything counts as sent.
            let open = self.sender.poll_ready(cx).map_err(io::Error::other);
            ready!(self.unanswered(open))?;
        }
        if !self.outgoing.is_empty() {
            ready!(self.poll_send(cx))?;
        }
        let mut count = 0;
        for part in parts {
            self.outgoing.extend_from_slice(part);
            count += part.len();
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(cx)
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
