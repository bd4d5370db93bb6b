//! The small contract between connection code and the reactor below it.
//!
//! Readiness comes before the buffer: an idle connection waits in [`Io::poll_readable`] and holds
//! no memory for bytes. Another reactor implements this trait; connection code does not change.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

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
}

/// A plain TCP connection on tokio's reactor.
#[derive(Debug)]
pub(crate) struct Plain(pub(crate) TcpStream);

impl Io for Plain {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_read_ready(cx)
    }

    fn is_readable(&mut self, _: &mut Context<'_>) -> bool {
        // Nothing is called while the reactor knows of nothing; that is the usual case.
        self.0.try_io(Interest::READABLE, || Ok(())).is_ok()
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(into);
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match parts {
            // A socket usually has room: trying is cheaper than asking first.
            [part] => match self.0.try_write(part) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    Pin::new(&mut self.0).poll_write(cx, part)
                }
                tried => Poll::Ready(tried),
            },
            parts => Pin::new(&mut self.0).poll_write_vectored(cx, parts),
        }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
