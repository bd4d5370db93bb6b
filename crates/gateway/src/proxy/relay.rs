//! Passing bytes in both directions at once, with back-pressure and time limits.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use super::client::Client;
use super::core::Core;
use super::link::{Link, ReadError};
use super::work::Work;
use crate::http1::{HeadError, ResponseHead};
use crate::net::{Pipe, Timer};

/// Largest head of a service's answer, in bytes.
pub(crate) const MAX_RESPONSE_HEAD: usize = 64 * 1024;

/// From so many bytes on the rest of a body moves inside the kernel, where both sides are plain.
const SPLICE_FROM: u64 = 64 * 1024;

/// Why an exchange with a service ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The client went away.
    #[error("the client has gone")]
    ClientGone,
    /// The client's body breaks the rules.
    #[error("the client's body is malformed")]
    ClientBody,
    /// The client's body is larger than allowed.
    #[error("the client's body is too large")]
    ClientTooLarge,
    /// The client sent or took nothing for too long.
    #[error("the client was too slow")]
    ClientTimeout,
    /// The service ended the connection.
    #[error("the service ended the connection")]
    UpstreamClosed,
    /// The service sent or took nothing for too long.
    #[error("the service was too slow")]
    UpstreamTimeout,
    /// The service's answer is malformed.
    #[error("the service's answer is malformed")]
    BadResponse(#[from] HeadError),
}

/// Time limits of an exchange, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) write: u64,
    pub(crate) read: u64,
    pub(crate) body: u64,
    pub(crate) send: u64,
}

/// What the relay waits for; decides which time limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    Nothing,
    ClientBody,
    UpstreamWrite,
    UpstreamRead,
    ClientWrite,
}

/// An exchange between a client and a service.
pub(crate) struct Relay<'a, C> {
    pub(crate) core: &'a Core,
    pub(crate) client: &'a mut C,
    pub(crate) upstream: &'a mut Link,
    pub(crate) timer: &'a Timer,
    pub(crate) limits: Limits,
    /// A body that a plugin had read already.
    pub(crate) buffered: Option<bytes::Bytes>,
    /// Whether the whole request has been sent.
    pub(crate) is_request_sent: bool,
    /// Whether sending it failed; an answer may have come before.
    pub(crate) is_request_broken: bool,
    /// Whether the exchange had to wait, so that the last reading of the clock is old.
    pub(crate) has_waited: bool,
    waits: Waits,
    moved: u64,
    armed: u64,
    /// Carries the rest of a large body.
    pipe: Option<Pipe>,
}

impl<'a, C: Client> Relay<'a, C> {
    /// An exchange whose request head waits in the upstream's sender.
    pub(crate) fn new(
        core: &'a Core,
        client: &'a mut C,
        upstream: &'a mut Link,
        timer: &'a Timer,
        limits: Limits,
    ) -> Self {
        Self {
            core,
            client,
            upstream,
            timer,
            limits,
            buffered: None,
            is_request_sent: false,
            is_request_broken: false,
            has_waited: false,
            waits: Waits::Nothing,
            moved: 0,
            armed: u64::MAX,
            pipe: None,
        }
    }

    /// Sends the request and reads the head of the answer.
    pub(crate) async fn response_head(
        &mut self,
        response: &mut ResponseHead,
        is_head: bool,
    ) -> Result<(), Fault> {
        poll_fn(|cx| {
            let polled = self.poll_head(cx, response, is_head);
            self.guard(cx, polled)
        })
        .await
    }

    /// Sends the answer's head, which waits in the client's sender, and relays its body.
    pub(crate) async fn response_body(&mut self) -> Result<(), Fault> {
        self.upstream
            .reader
            .prefetch()
            .map_err(|_| Fault::UpstreamClosed)?;
        poll_fn(|cx| {
            let polled = self.poll_body(cx);
            self.guard(cx, polled)
        })
        .await
    }

    /// Passes an interim answer on.
    pub(crate) async fn interim(&mut self, status: u16, mut head: Vec<u8>) -> Result<(), Fault> {
        let framing = super::client::AnswerFraming {
            status,
            is_chunked: false,
        };
        self.client.begin(&mut head, framing);
        poll_fn(|cx| {
            self.waits = Waits::ClientWrite;
            let polled = self.client.poll_push(cx, &[], None);
            let polled = polled.map_ok(|_| ()).map_err(|_| Fault::ClientGone);
            self.guard(cx, polled)
        })
        .await
    }

    /// Sends payload to the client.
    pub(crate) async fn push_payload(
        &mut self,
        payload: &[u8],
        last: Option<&[u8]>,
    ) -> Result<(), Fault> {
        let mut rest = payload;
        loop {
            let count = poll_fn(|cx| {
                self.waits = Waits::ClientWrite;
                let polled = self.client.poll_push(cx, rest, last);
                let polled = polled.map_err(|_| Fault::ClientGone);
                self.guard(cx, polled)
            })
            .await?;
            rest = &rest[count..];
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    /// Waits for payload of the answer; false when it is complete.
    pub(crate) async fn more_payload(&mut self) -> Result<bool, Fault> {
        poll_fn(|cx| {
            let polled = self.poll_more_payload(cx);
            self.guard(cx, polled)
        })
        .await?;
        Ok(!self.upstream.reader.payload().is_empty())
    }

    fn poll_more_payload(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.poll_request(cx)?;
        self.waits = Waits::UpstreamRead;
        let filled = self.upstream.poll_fill(cx, &self.core.buffers);
        filled.map_err(|_| Fault::UpstreamClosed)
    }

    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        response: &mut ResponseHead,
        is_head: bool,
    ) -> Poll<Result<(), Fault>> {
        let was_sent = self.is_request_sent;
        self.poll_request(cx)?;
        // A service that was asked this moment has not answered yet: asking the reactor first saves
        // a try to read. What it said before, behind an interim answer, is here already.
        if self.is_request_sent
            && !was_sent
            && self.upstream.reader.buffer.is_empty()
            && self.upstream.io.poll_readable(cx).is_pending()
        {
            self.waits = Waits::UpstreamRead;
            return self.poll_client_gone(cx);
        }
        loop {
            let reader = &mut self.upstream.reader;
            if !reader.buffer.is_empty()
                && response.advance(reader.buffer.filled(), MAX_RESPONSE_HEAD, is_head)?
            {
                return Poll::Ready(Ok(()));
            }
            if self.is_request_sent || self.is_request_broken {
                self.waits = Waits::UpstreamRead;
            }
            let Poll::Ready(read) = self.upstream.poll_more(cx, &self.core.buffers) else {
                return self.poll_client_gone(cx);
            };
            match read {
                Ok(0) | Err(_) => return Poll::Ready(Err(Fault::UpstreamClosed)),
                Ok(count) => self.moved += count as u64,
            }
        }
    }

    /// What waiting for a service comes to: it ends when the client goes away, once there is nothing
    /// more to be taken from it.
    fn poll_client_gone<T>(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Fault>> {
        if !self.is_request_sent {
            return Poll::Pending;
        }
        self.client.poll_gone(cx).map(|()| Err(Fault::ClientGone))
    }

    /// Moves the request on. Only the client's faults are returned; the service's show when its
    /// answer is read.
    #[inline]
    fn poll_request(&mut self, cx: &mut Context<'_>) -> Result<(), Fault> {
        match self.is_request_sent || self.is_request_broken {
            true => Ok(()),
            false => self.poll_request_on(cx),
        }
    }

    fn poll_request_on(&mut self, cx: &mut Context<'_>) -> Result<(), Fault> {
        while !self.is_request_sent && !self.is_request_broken {
            match self.poll_request_step(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(Fault::UpstreamClosed)) => self.is_request_broken = true,
                Poll::Ready(Err(fault)) => return Err(fault),
                Poll::Pending => return Ok(()),
            }
        }
        Ok(())
    }

    fn poll_request_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        if let Some(body) = &self.buffered {
            self.waits = Waits::UpstreamWrite;
            let pushed = ready!(self.upstream.poll_push(cx, body, Some(&[])));
            pushed.map_err(|_| Fault::UpstreamClosed)?;
            self.is_request_sent = true;
            return Poll::Ready(Ok(()));
        }
        // The head goes out at once, with whatever payload is here.
        let has_head = self.upstream.sender.has_pending();
        if !has_head && self.client.payload().is_empty() && !self.client.is_done() {
            self.waits = Waits::ClientBody;
            match ready!(self.client.poll_fill(cx)) {
                Ok(()) => {}
                Err(ReadError::Io(_)) => return Poll::Ready(Err(Fault::ClientGone)),
                Err(ReadError::Body(_)) => return Poll::Ready(Err(Fault::ClientBody)),
                Err(ReadError::TooLarge) => return Poll::Ready(Err(Fault::ClientTooLarge)),
            }
        }
        self.waits = Waits::UpstreamWrite;
        let is_last = self.client.is_done();
        let last = is_last.then(|| self.client.trailers());
        let pushed = ready!(self.upstream.poll_push(cx, self.client.payload(), last));
        let count = pushed.map_err(|_| Fault::UpstreamClosed)?;
        self.client.consume(count);
        self.moved += count as u64 + 1;
        self.is_request_sent = is_last;
        Poll::Ready(Ok(()))
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        if self.pipe.is_some() {
            return self.poll_splice(cx);
        }
        self.poll_request(cx)?;
        loop {
            self.waits = Waits::ClientWrite;
            let reader = &self.upstream.reader;
            let is_last = reader.is_done();
            let last = is_last.then(|| reader.trailers());
            let pushed = ready!(self.client.poll_push(cx, reader.payload(), last));
            let count = pushed.map_err(|_| Fault::ClientGone)?;
            self.upstream.reader.consume(count);
            self.moved += count as u64;
            if is_last && self.upstream.reader.payload().is_empty() {
                return Poll::Ready(Ok(()));
            }
            if self.may_splice() {
                return self.poll_splice(cx);
            }
            self.waits = Waits::UpstreamRead;
            let filled = ready!(self.upstream.poll_fill(cx, &self.core.buffers));
            filled.map_err(|_| Fault::UpstreamClosed)?;
            self.moved += 1;
        }
    }

    /// Whether the rest of the answer is worth a pipe, and may take one. There is none while the
    /// request is still being sent: both directions would have to be looked after.
    fn may_splice(&mut self) -> bool {
        let is_large = |rest: u64| rest >= SPLICE_FROM;
        if self.is_request_sent
            && self.upstream.reader.rest().is_some_and(is_large)
            && self.upstream.io.can_splice()
            && self.client.takes_pipe()
        {
            self.pipe = self.core.pipes.take();
        }
        self.pipe.is_some()
    }

    /// Moves the rest of a body of known length from socket to socket.
    fn poll_splice(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        while let Some(pipe) = &mut self.pipe {
            while pipe.held() > 0 {
                self.waits = Waits::ClientWrite;
                let drained = ready!(self.client.poll_drain_pipe(cx, pipe));
                let count = drained.map_err(|_| Fault::ClientGone)?;
                self.moved += count as u64;
            }
            let rest = self.upstream.reader.rest().unwrap_or(0);
            if rest == 0 {
                self.pipe = None;
                break;
            }
            self.waits = Waits::UpstreamRead;
            let most = usize::try_from(rest).unwrap_or(usize::MAX);
            let filled = ready!(self.upstream.io.poll_fill_pipe(cx, pipe, most));
            let count = filled.map_err(|_| Fault::UpstreamClosed)?;
            if count == 0 {
                return Poll::Ready(Err(Fault::UpstreamClosed));
            }
            self.upstream.reader.skip(count);
            self.moved += count as u64;
        }
        Poll::Ready(Ok(()))
    }

    /// Watches the clock while nothing moves.
    fn guard<T>(
        &mut self,
        cx: &Context<'_>,
        polled: Poll<Result<T, Fault>>,
    ) -> Poll<Result<T, Fault>> {
        if polled.is_ready() {
            return polled;
        }
        self.has_waited = true;
        // What left counts before the piece it belongs to has left as a whole.
        let left = self.client.sent() + self.upstream.sender.sent;
        let mark = (self.moved + left) * 8 + self.waits as u64;
        if self.armed != mark {
            self.armed = mark;
            let limit = match self.waits {
                Waits::ClientBody => self.limits.body,
                Waits::UpstreamWrite => self.limits.write,
                Waits::ClientWrite => self.limits.send,
                Waits::Nothing | Waits::UpstreamRead => self.limits.read,
            };
            // Only a relay that moved bytes needs a fresh reading.
            let now = match self.moved {
                0 | 1 => self.core.ticks.recent(),
                _ => self.core.ticks.now(),
            };
            self.timer.arm(now, limit);
        }
        if self.timer.poll_expired(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(Err(match self.waits {
            Waits::ClientBody | Waits::ClientWrite => Fault::ClientTimeout,
            Waits::Nothing | Waits::UpstreamWrite | Waits::UpstreamRead => Fault::UpstreamTimeout,
        }))
    }
}

/// Writes the interim answer `100 Continue` to a client that waits for it.
pub(crate) async fn send_continue<C: Client>(client: &mut C, work: &mut Work) -> io::Result<()> {
    work.out.clear();
    work.out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
    let framing = super::client::AnswerFraming {
        status: 100,
        is_chunked: false,
    };
    client.begin(&mut work.out, framing);
    poll_fn(|cx| client.poll_push(cx, &[], None)).await?;
    Ok(())
}
