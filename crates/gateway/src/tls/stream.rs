//! A TLS connection on a plain one: rustls' state driven with reads and writes of our own.

use std::io::{self, IoSlice, Read, Write};
use std::task::{Context, Poll, ready};

use rustls::Connection;

use crate::net::{Io, Plain};

/// Plaintext that may wait for room below before a write has to wait, in bytes.
const MAX_WAITING: usize = 256 * 1024;

/// TLS over a plain connection.
#[derive(Debug)]
pub(crate) struct TlsStream {
    plain: Plain,
    session: Connection,
    has_plaintext: bool,
    is_ended: bool,
}

/// Lets rustls read from and write to a connection that may not be ready.
struct Polled<'a, 'c> {
    plain: &'a mut Plain,
    cx: &'a mut Context<'c>,
}

impl Read for Polled<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        settle(self.plain.poll_read(self.cx, into))
    }
}

impl Write for Polled<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        settle(self.plain.poll_write(self.cx, &[IoSlice::new(bytes)]))
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        settle(self.plain.poll_write(self.cx, parts))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn settle(polled: Poll<io::Result<usize>>) -> io::Result<usize> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl TlsStream {
    /// Joins a connection and a session.
    pub(crate) fn new(plain: Plain, mut session: Connection) -> Self {
        session.set_buffer_limit(Some(MAX_WAITING));
        Self {
            plain,
            session,
            has_plaintext: false,
            is_ended: false,
        }
    }

    /// Drives the handshake to its end.
    pub(crate) fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.is_handshaking() {
            ready!(self.poll_send(cx))?;
            if !self.session.is_handshaking() {
                break;
            }
            if self.session.wants_read() {
                ready!(self.poll_receive(cx))?;
                if self.is_ended {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
            }
        }
        self.poll_send(cx)
    }

    /// Sends what the session has ready.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.wants_write() {
            let mut below = Polled {
                plain: &mut self.plain,
                cx,
            };
            match self.session.write_tls(&mut below) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads once from below and lets the session decrypt it.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut below = Polled {
            plain: &mut self.plain,
            cx,
        };
        match self.session.read_tls(&mut below) {
            Ok(0) => self.is_ended = true,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            Err(error) => return Poll::Ready(Err(error)),
        }
        let state = match self.session.process_new_packets() {
            Ok(state) => state,
            Err(error) => {
                // The alert that says why is worth one try.
                let _ = self.poll_send(cx);
                return Poll::Ready(Err(io::Error::other(error)));
            }
        };
        self.has_plaintext = state.plaintext_bytes_to_read() > 0;
        self.is_ended |= state.peer_has_closed();
        Poll::Ready(Ok(()))
    }

    /// The session, for what the handshake agreed on.
    pub(crate) fn session(&self) -> &Connection {
        &self.session
    }
}

impl Io for TlsStream {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.has_plaintext && !self.is_ended {
            ready!(self.poll_receive(cx))?;
            // Answers of the session itself, such as to a key update.
            if self.session.wants_write()
                && let Poll::Ready(sent) = self.poll_send(cx)
            {
                sent?;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.session.reader().read(into) {
                Ok(count) => {
                    self.has_plaintext = count == into.len();
                    return Poll::Ready(Ok(count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.has_plaintext = false;
                }
                // An end without `close_notify` counts as an end: framing tells what is missing.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Poll::Ready(Ok(0));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
            if self.is_ended {
                return Poll::Ready(Ok(0));
            }
            ready!(self.poll_readable(cx))?;
        }
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            let count = self.session.writer().write_vectored(parts)?;
            if count > 0 {
                // Sent at once when the caller flushes.
                return Poll::Ready(Ok(count));
            }
            ready!(self.poll_send(cx))?;
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.session.send_close_notify();
        ready!(self.poll_send(cx))?;
        self.plain.poll_shutdown(cx)
    }
}
