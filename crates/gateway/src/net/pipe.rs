//! Pipes of the kernel, through which the bytes of large bodies move from socket to socket without
//! passing this process. Per core, limited in number.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

/// What a pipe is asked to hold, in bytes; where the system gives less, that serves too.
const CAPACITY: usize = 256 * 1024;
/// Most pipes of a core in use at one time; bodies beyond them are copied.
const MAX_OPEN: usize = 256;
/// Most idle pipes kept per core.
const MAX_KEPT: usize = 32;

/// A pipe, empty unless a transfer is under way.
#[derive(Debug)]
struct Ends {
    read: OwnedFd,
    write: OwnedFd,
}

/// The pipes of a core.
#[derive(Debug, Default)]
pub(crate) struct Pipes {
    kept: RefCell<Vec<Ends>>,
    open: Cell<usize>,
}

impl Pipes {
    /// Hands out an empty pipe; `None` when there are none left.
    pub(crate) fn take(self: &Rc<Self>) -> Option<Pipe> {
        let open = self.open.get();
        if open >= MAX_OPEN {
            return None;
        }
        let kept = self.kept.borrow_mut().pop();
        let ends = match kept {
            Some(ends) => ends,
            None => make()?,
        };
        self.open.set(open + 1);
        Some(Pipe {
            pipes: Rc::clone(self),
            ends: Some(ends),
            held: 0,
        })
    }
}

fn make() -> Option<Ends> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).ok()?;
    // Whoever may open no more large pipes works with small ones.
    let _ = fcntl_setpipe_size(&write, CAPACITY);
    Some(Ends { read, write })
}

/// A pipe in use. It goes back to its core when it is dropped empty, and is closed otherwise.
#[derive(Debug)]
pub(crate) struct Pipe {
    pipes: Rc<Pipes>,
    ends: Option<Ends>,
    held: usize,
}

impl Pipe {
    /// Bytes that wait in it.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Moves at most `most` bytes from a socket into the pipe, which has to be empty, so that
    /// "would block" speaks of the socket. Zero means the end.
    pub(super) fn fill(&mut self, from: impl AsFd, most: usize) -> io::Result<usize> {
        debug_assert_eq!(self.held, 0, "only an empty pipe is filled");
        let ends = self.ends()?;
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let most = most.min(CAPACITY);
        let count = splice(from, None, &ends.write, None, most, flags)?;
        self.held = count;
        Ok(count)
    }

    /// Moves what waits on to a socket.
    pub(super) fn drain(&mut self, to: impl AsFd) -> io::Result<usize> {
        let ends = self.ends()?;
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let count = splice(&ends.read, None, to, None, self.held, flags)?;
        self.held -= count.min(self.held);
        Ok(count)
    }

    fn ends(&self) -> io::Result<&Ends> {
        self.ends
            .as_ref()
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let pipes = &self.pipes;
        pipes.open.set(pipes.open.get().saturating_sub(1));
        let Some(ends) = self.ends.take() else { return };
        let mut kept = pipes.kept.borrow_mut();
        if self.held == 0 && kept.len() < MAX_KEPT {
            kept.push(ends);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let pipes = Rc::<Pipes>::default();
        let (mut sender, from) = UnixStream::pair().expect("sockets");
        let (to, mut receiver) = UnixStream::pair().expect("sockets");
        sender.write_all(b"some bytes").expect("room");
        let mut pipe = pipes.take().expect("a pipe");
        assert_eq!(pipe.fill(&from, 4).expect("bytes"), 4);
        assert_eq!(pipe.held(), 4);
        assert_eq!(pipe.drain(&to).expect("room"), 4);
        let mut received = [0; 4];
        receiver.read_exact(&mut received).expect("bytes");
        assert_eq!(&received, b"some");
    }

    #[test]
    fn an_empty_pipe_is_used_again_and_one_with_bytes_is_closed() {
        let pipes = Rc::<Pipes>::default();
        drop(pipes.take().expect("a pipe"));
        assert_eq!((pipes.kept.borrow().len(), pipes.open.get()), (1, 0));
        let (mut sender, from) = UnixStream::pair().expect("sockets");
        sender.write_all(b"left behind").expect("room");
        let mut pipe = pipes.take().expect("a pipe");
        pipe.fill(&from, 100).expect("bytes");
        drop(pipe);
        assert_eq!((pipes.kept.borrow().len(), pipes.open.get()), (0, 0));
    }

    #[test]
    fn pipes_in_use_are_limited() {
        let pipes = Rc::<Pipes>::default();
        let taken: Vec<_> = std::iter::from_fn(|| pipes.take()).take(1000).collect();
        assert_eq!(taken.len(), MAX_OPEN);
        drop(taken);
        assert_eq!(pipes.kept.borrow().len(), MAX_KEPT);
        assert!(pipes.take().is_some());
    }
}
