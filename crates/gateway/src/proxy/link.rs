//! One side of a proxied HTTP/1.1 exchange: a connection, the reader of the message coming in and
//! the sender of the message going out.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use crate::http1::{BodyDecoder, BodyError, Framing, chunk_header};
use crate::net::{Buffer, Buffers, Io, Pipe};

/// Payload up to this size is copied behind the head, so that one small send carries both.
const COPY_LIMIT: usize = 2048;

/// Why a message cannot be read further.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The connection failed.
    #[error("the connection failed")]
    Io(#[from] io::Error),
    /// The body does not follow its framing.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The body is larger than allowed.
    #[error("the body is too large")]
    TooLarge,
}

/// Reads one message after another off a connection; bodies come out decoded.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// What was received and not used up.
    pub(crate) buffer: Buffer,
    decoder: BodyDecoder,
    /// Decoded bytes at the front of the buffer's window.
    payload: usize,
    /// Bytes behind the payload that only were framing.
    gap: usize,
    /// Payload bytes of this body decoded so far.
    decoded: u64,
    limit: Option<u64>,
    /// Where the payload of a body that was complete at once begins, its length and its gap.
    whole: Option<(usize, usize, usize)>,
    /// Where a body begins that is kept in the buffer while it is passed on.
    kept_from: Option<usize>,
    fault: Option<BodyError>,
}

impl Reader {
    /// Begins a body at the front of the window.
    pub(crate) fn begin_body(&mut self, framing: Framing, limit: Option<u64>) {
        self.decoder = BodyDecoder::new(framing);
        self.payload = 0;
        self.gap = 0;
        self.decoded = 0;
        self.limit = limit;
        self.whole = None;
        self.kept_from = None;
        self.fault = None;
    }

    /// Begins the body of a request. One that fits behind its head stays in the buffer, so that it
    /// can be sent again.
    pub(crate) fn begin_request(&mut self, framing: Framing, limit: Option<u64>) {
        self.begin_body(framing, limit);
        let room = self.buffer.len() + self.buffer.spare();
        if let Framing::Length(length) = framing
            && usize::try_from(length).is_ok_and(|length| length <= room)
        {
            self.kept_from = Some(self.buffer.start());
        }
    }

    /// How the body was found to break the rules while it was looked at ahead.
    pub(crate) fn fault(&self) -> Option<BodyError> {
        self.fault
    }

    /// Decodes what is already here and remembers a complete body, so that it can be sent again.
    pub(crate) fn prefetch(&mut self) -> Result<(), ReadError> {
        if self.decoder.is_done() {
            self.whole = Some((self.buffer.start(), 0, 0));
            return Ok(());
        }
        if let Err(error) = self.decode() {
            if let ReadError::Body(fault) = error {
                self.fault = Some(fault);
            }
            return Err(error);
        }
        if self.decoder.is_done() {
            // Behind what only was framing, which a body without payload has taken already.
            self.whole = Some((self.buffer.start(), self.payload, self.gap));
        }
        Ok(())
    }

    /// Length of a body that was complete at once.
    pub(crate) fn whole_length(&self) -> Option<usize> {
        self.whole.map(|(_, payload, _)| payload)
    }

    /// Takes the body back to its beginning; false when parts of it are gone.
    pub(crate) fn rewind(&mut self) -> bool {
        match self.whole {
            Some((start, payload, gap)) => {
                let end = self.buffer.start() + self.buffer.len();
                self.buffer.set_window(start, end);
                self.payload = payload;
                self.gap = gap;
                true
            }
            None => self.rewind_kept(),
        }
    }

    fn rewind_kept(&mut self) -> bool {
        let Some(start) = self.kept_from else {
            return self.decoded == self.payload as u64;
        };
        let end = self.buffer.start() + self.buffer.len();
        self.buffer.set_window(start, end);
        self.payload = usize::try_from(self.decoded)
            .unwrap_or(usize::MAX)
            .min(end - start);
        true
    }

    /// Decoded bytes ready to be passed on.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.buffer.filled()[..self.payload]
    }

    /// Takes decoded bytes away.
    pub(crate) fn consume(&mut self, count: usize) {
        self.buffer.consume(count);
        self.payload -= count;
        if self.payload == 0 {
            self.buffer.consume(self.gap);
            self.gap = 0;
        }
    }

    /// Whether the whole body has been decoded; its last payload may still wait.
    pub(crate) fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    /// Bytes that are to be received of a body of known length, where none of it waits here.
    pub(crate) fn rest(&self) -> Option<u64> {
        self.decoder.rest().filter(|_| self.buffer.is_empty())
    }

    /// Counts bytes of such a body that went another way.
    pub(crate) fn skip(&mut self, count: usize) {
        self.decoder.skip(count as u64);
        self.decoded += count as u64;
    }

    /// Payload bytes decoded so far.
    pub(crate) fn decoded(&self) -> u64 {
        self.decoded
    }

    /// Trailer lines of a finished body.
    pub(crate) fn trailers(&self) -> &[u8] {
        self.decoder.trailers()
    }

    /// Waits until there is payload or the body is complete.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut dyn Io,
        buffers: &Buffers,
    ) -> Poll<Result<(), ReadError>> {
        while self.payload == 0 && !self.decoder.is_done() {
            if let Some(fault) = self.fault {
                return Poll::Ready(Err(fault.into()));
            }
            if self.buffer.is_empty() {
                self.make_room(buffers);
                if ready!(self.poll_more(cx, io, buffers))? == 0 {
                    self.decoder.end()?;
                    continue;
                }
            }
            self.decode()?;
        }
        Poll::Ready(Ok(()))
    }

    /// Prepares an empty buffer for the next read.
    fn make_room(&mut self, buffers: &Buffers) {
        if self.kept_from.is_some() && self.buffer.spare() > 0 {
            return;
        }
        self.kept_from = None;
        if self.buffer.is_small() {
            // The rest of a large body is worth a large buffer.
            self.release(buffers);
        } else {
            self.buffer.reset(0);
        }
    }

    /// Reads raw bytes behind the window; zero means the end. Memory is taken only when
    /// something came.
    pub(crate) fn poll_more(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut dyn Io,
        buffers: &Buffers,
    ) -> Poll<io::Result<usize>> {
        if self.buffer.is_unallocated() {
            self.buffer = ready!(buffers.read_large(|into| io.poll_read(cx, into)))?;
            return Poll::Ready(Ok(self.buffer.len()));
        }
        if self.buffer.spare() == 0 {
            buffers.enlarge(&mut self.buffer);
        }
        let count = ready!(io.poll_read(cx, self.buffer.spare_mut()))?;
        self.buffer.advance(count);
        Poll::Ready(Ok(count))
    }

    /// Gives the memory back while a request without a body, or whose body is passed on, waits for
    /// its answer: the next request that comes in is read into memory that was used last.
    pub(crate) fn release_done(&mut self, buffers: &Buffers) {
        if self.decoder.is_done() && self.payload == 0 && self.buffer.is_empty() {
            self.release(buffers);
            self.kept_from = None;
            self.whole = self.whole.map(|_| (0, 0, 0));
        }
    }

    /// Gives the memory back if nothing is left in it.
    pub(crate) fn release(&mut self, buffers: &Buffers) {
        if self.buffer.is_empty() && !self.buffer.is_unallocated() {
            buffers.give(std::mem::take(&mut self.buffer));
        }
    }

    fn decode(&mut self) -> Result<(), ReadError> {
        let progress = self.decoder.decode(self.buffer.filled_mut())?;
        self.payload = progress.payload;
        self.gap = progress.consumed - progress.payload;
        self.decoded += progress.payload as u64;
        if self.limit.is_some_and(|limit| self.decoded > limit) {
            return Err(ReadError::TooLarge);
        }
        if self.payload == 0 {
            self.buffer.consume(self.gap);
            self.gap = 0;
        }
        Ok(())
    }
}

/// Sends one message after another: heads, and payload in the framing chosen.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    prefix: Vec<u8>,
    prefix_at: usize,
    suffix: Vec<u8>,
    suffix_at: usize,
    direct: usize,
    direct_at: usize,
    is_framed: bool,
    is_chunked: bool,
    /// Bytes that have left so far, of this message.
    pub(crate) sent: u64,
}

impl Sender {
    /// Begins a message: `head` is taken and replaced by an empty vector of older memory.
    pub(crate) fn begin(&mut self, head: &mut Vec<u8>, is_chunked: bool) {
        self.clear();
        std::mem::swap(&mut self.prefix, head);
        self.is_chunked = is_chunked;
        self.sent = 0;
    }

    /// Gives memory back that [`Sender::begin`] took, once nothing waits in it.
    pub(crate) fn reclaim(&mut self, memory: &mut Vec<u8>) {
        if !self.has_pending() && self.prefix.capacity() > memory.capacity() {
            memory.clear();
            std::mem::swap(&mut self.prefix, memory);
        }
    }

    /// Whether something waits to be sent.
    pub(crate) fn has_pending(&self) -> bool {
        self.is_framed || !self.prefix.is_empty()
    }

    /// Whether payload goes out as it is, and nothing waits before it.
    fn is_bare(&self) -> bool {
        !self.is_chunked && !self.has_pending()
    }

    /// Forgets everything that has not been sent.
    pub(crate) fn clear(&mut self) {
        self.prefix.clear();
        self.suffix.clear();
        self.prefix_at = 0;
        self.suffix_at = 0;
        self.direct = 0;
        self.direct_at = 0;
        self.is_framed = false;
    }

    /// Sends what is pending and `payload`. With `last`, the message ends behind it; its trailer
    /// lines are sent where the framing allows. Call it with the same arguments until it is
    /// ready.
    pub(crate) fn poll_push(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut dyn Io,
        payload: &[u8],
        last: Option<&[u8]>,
    ) -> Poll<io::Result<usize>> {
        if !self.is_framed {
            self.frame(payload, last);
        }
        loop {
            // The usual case: everything is small and lies in one piece.
            if self.direct_at == self.direct && self.suffix_at == self.suffix.len() {
                let waiting = self.prefix.get(self.prefix_at..).unwrap_or_default();
                if waiting.is_empty() {
                    break;
                }
                let count = ready!(io.poll_write(cx, &[IoSlice::new(waiting)]))?;
                if count == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.prefix_at += count;
                self.sent += count as u64;
                continue;
            }
            let parts = [
                &self.prefix[self.prefix_at..],
                &payload[self.direct_at..self.direct],
                &self.suffix[self.suffix_at..],
            ];
            let count = match parts {
                [[], second, []] => ready!(io.poll_write(cx, &[IoSlice::new(second)]))?,
                parts => ready!(io.poll_write(cx, &parts.map(IoSlice::new)))?,
            };
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(count);
        }
        ready!(io.poll_flush(cx))?;
        self.clear();
        Poll::Ready(Ok(payload.len()))
    }

    fn frame(&mut self, payload: &[u8], last: Option<&[u8]>) {
        self.is_framed = true;
        if self.is_chunked && !payload.is_empty() {
            let mut line = [0; 18];
            self.prefix
                .extend_from_slice(chunk_header(payload.len(), &mut line));
            self.suffix.extend_from_slice(b"\r\n");
        }
        if let (true, Some(trailers)) = (self.is_chunked, last) {
            self.suffix.extend_from_slice(b"0\r\n");
            self.suffix.extend_from_slice(trailers);
            self.suffix.extend_from_slice(b"\r\n");
        }
        if payload.len() <= COPY_LIMIT {
            self.prefix.extend_from_slice(payload);
            if !self.suffix.is_empty() {
                self.prefix.append(&mut self.suffix);
            }
        } else {
            self.direct = payload.len();
        }
    }

    fn advance(&mut self, count: usize) {
        self.sent += count as u64;
        let mut left = count;
        let step = left.min(self.prefix.len() - self.prefix_at);
        self.prefix_at += step;
        left -= step;
        let step = left.min(self.direct - self.direct_at);
        self.direct_at += step;
        left -= step;
        self.suffix_at += left.min(self.suffix.len() - self.suffix_at);
    }
}

/// A connection with its reader and sender.
pub(crate) struct Link {
    /// The connection.
    pub(crate) io: Box<dyn Io>,
    /// What comes in.
    pub(crate) reader: Reader,
    /// What goes out.
    pub(crate) sender: Sender,
}

impl Link {
    /// A link over a fresh connection.
    pub(crate) fn new(io: Box<dyn Io>) -> Self {
        Self {
            io,
            reader: Reader::default(),
            sender: Sender::default(),
        }
    }

    /// See [`Reader::poll_fill`].
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &Buffers,
    ) -> Poll<Result<(), ReadError>> {
        self.reader.poll_fill(cx, self.io.as_mut(), buffers)
    }

    /// See [`Reader::poll_more`].
    pub(crate) fn poll_more(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &Buffers,
    ) -> Poll<io::Result<usize>> {
        self.reader.poll_more(cx, self.io.as_mut(), buffers)
    }

    /// Whether payload may be sent out of a pipe now.
    pub(crate) fn takes_pipe(&self) -> bool {
        self.io.can_splice() && self.sender.is_bare()
    }

    /// Sends payload out of a pipe.
    pub(crate) fn poll_drain_pipe(
        &mut self,
        cx: &mut Context<'_>,
        pipe: &mut Pipe,
    ) -> Poll<io::Result<usize>> {
        let count = ready!(self.io.poll_drain_pipe(cx, pipe))?;
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.sender.sent += count as u64;
        Poll::Ready(Ok(count))
    }

    /// See [`Sender::poll_push`].
    pub(crate) fn poll_push(
        &mut self,
        cx: &mut Context<'_>,
        payload: &[u8],
        last: Option<&[u8]>,
    ) -> Poll<io::Result<usize>> {
        self.sender.poll_push(cx, self.io.as_mut(), payload, last)
    }
}
