//! The small contract between connection code and the reactor below it.
//!
//! Readiness comes before the buffer: an idle connection waits in [`Io::poll_readable`] and holds
//! no memory for bytes. Another reactor implements this trait; connection code does not change.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::io::{Errno, writev};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::{AsyncWrite, Interest};
use tokio::net::TcpStream;
use tokio::task::coop;

use super::pipe::Pipe;

/// A byte stream of one core.
pub(crate) trait Io {
    /// Waits until a read would give bytes, the end or an error.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Whether a read would give bytes, the end or an error, as far as is known now.
    fn is_readable(&mut self, cx: &mut Context<'_>) -> bool {
        self.poll_readable(cx).is_ready()
    }

    /// Reads into `into`; zero bytes mean the end.
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes the front of `parts`, as much as there is room for.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>>;

    /// Waits until everything written has left this process.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ends the writing direction.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Whether bytes may move between the connection and a pipe inside the kernel.
    fn can_splice(&self) -> bool {
        false
    }

    /// Moves at most `most` received bytes into an empty pipe; zero bytes mean the end.
    fn poll_fill_pipe(
        &mut self,
        cx: &mut Context<'_>,
        pipe: &mut Pipe,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        let _ = (cx, pipe, most);
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// Sends what a pipe holds, as much as there is room for.
    fn poll_drain_pipe(
        &mut self,
        cx: &mut Context<'_>,
        pipe: &mut Pipe,
    ) -> Poll<io::Result<usize>> {
        let _ = (cx, pipe);
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

/// A plain TCP connection on tokio's reactor.
///
/// Reads and writes are tried before the reactor is asked: who is woken by the reactor usually finds
/// what it waits for, and asking costs more than trying.
#[derive(Debug)]
pub(crate) struct Plain(pub(crate) TcpStream);

/// Tries a transfer for which there is room for `room` bytes. `None` means that it would block.
///
/// A transfer that comes out short says that the kernel has nothing more to give or no more room.
/// The reactor is told so, and the next try waits for an event instead of costing a call.
fn transfer(
    stream: &TcpStream,
    interest: Interest,
    room: usize,
    call: impl FnOnce() -> rustix::io::Result<usize>,
) -> Option<io::Result<usize>> {
    let mut outcome = None;
    // What is returned in there only tells the reactor whether to wait for an event.
    let _ = stream.try_io(interest, || {
        let is_dry = match call() {
            Ok(count) => {
                outcome = Some(Ok(count));
                count != room && count != 0
            }
            Err(Errno::AGAIN) => true,
            Err(error) => {
                outcome = Some(Err(error.into()));
                false
            }
        };
        match is_dry {
            true => Err(io::Error::from(io::ErrorKind::WouldBlock)),
            false => Ok(()),
        }
    });
    outcome
}

/// Takes part in the budget of a task, so that a connection that always has more does not keep
/// the others waiting. Pending when the budget is used up; the task is woken again then.
#[cold]
fn poll_budget(cx: &mut Context<'_>) -> Poll<()> {
    std::pin::pin!(coop::consume_budget()).poll(cx)
}

impl Io for Plain {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_read_ready(cx)
    }

    fn is_readable(&mut self, _: &mut Context<'_>) -> bool {
        // Nothing is called while the reactor knows of nothing; that is the usual case. What it
        // knows may have been read already.
        let tried = self.0.try_io(Interest::READABLE, || {
            let mut byte = [0; 1];
            Ok(recv(&self.0, &mut byte, RecvFlags::PEEK)?)
        });
        !matches!(tried, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    #[inline]
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if !coop::has_budget_remaining() {
            ready!(poll_budget(cx));
        }
        let room = into.len();
        loop {
            let tried = transfer(&self.0, Interest::READABLE, room, || {
                recv(&self.0, &mut *into, RecvFlags::empty()).map(|(count, _)| count)
            });
            if let Some(read) = tried {
                if matches!(read, Ok(count) if count == room) {
                    let _ = poll_budget(cx);
                }
                return Poll::Ready(read);
            }
            ready!(self.0.poll_read_ready(cx))?;
        }
    }

    #[inline]
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let room = parts.iter().map(|part| part.len()).sum();
        loop {
            let tried = transfer(&self.0, Interest::WRITABLE, room, || match parts {
                [part] => send(&self.0, part, SendFlags::NOSIGNAL),
                parts => writev(&self.0, parts),
            });
            if let Some(written) = tried {
                return Poll::Ready(written);
            }
            ready!(self.0.poll_write_ready(cx))?;
        }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn can_splice(&self) -> bool {
        true
    }

    fn poll_fill_pipe(
        &mut self,
        cx: &mut Context<'_>,
        pipe: &mut Pipe,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            let tried = self
                .0
                .try_io(Interest::READABLE, || pipe.fill(&self.0, most));
            match tried {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                tried => return Poll::Ready(tried),
            }
        }
    }

    fn poll_drain_pipe(
        &mut self,
        cx: &mut Context<'_>,
        pipe: &mut Pipe,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(cx))?;
            let tried = self.0.try_io(Interest::WRITABLE, || pipe.drain(&self.0));
            match tried {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                tried => return Poll::Ready(tried),
            }
        }
    }
}
