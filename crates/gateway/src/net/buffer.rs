//! Read buffers, kept per core and handed to a connection only while it has bytes to hold.

use std::cell::RefCell;
use std::task::{Poll, ready};

/// Size of a buffer for request heads and small bodies.
const SMALL: usize = 16 * 1024;
/// Size of a buffer for responses and large bodies.
const LARGE: usize = 64 * 1024;
/// Most idle buffers of each size kept per core.
const MAX_KEPT: usize = 128;

/// A fixed piece of memory with a filled window.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// All bytes from the front of the memory to the end of the window, also consumed ones.
    #[cfg(test)]
    fn all(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    /// The window: received and not consumed.
    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// The window, to decode in place.
    pub(crate) fn filled_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.end]
    }

    /// The memory behind the window.
    pub(crate) fn spare_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.end..]
    }

    /// Whether the window is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Length of the window.
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    /// How much can be added.
    pub(crate) fn spare(&self) -> usize {
        self.bytes.len() - self.end
    }

    /// Where the window begins.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Takes `count` bytes off the front of the window.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Adds `count` bytes that were read into the spare memory.
    pub(crate) fn advance(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }

    /// Empties the window and lets it begin at `floor` again.
    pub(crate) fn reset(&mut self, floor: usize) {
        self.start = floor;
        self.end = floor;
    }

    /// Sets the window.
    pub(crate) fn set_window(&mut self, start: usize, end: usize) {
        self.start = start;
        self.end = end;
    }

    /// Makes room for `room` more bytes by moving to larger memory of its own.
    pub(crate) fn reserve(&mut self, room: usize) {
        if self.spare() >= room {
            return;
        }
        let size = (self.end + room).max(self.bytes.len() * 2);
        let mut bytes = vec![0; size].into_boxed_slice();
        bytes[..self.end].copy_from_slice(&self.bytes[..self.end]);
        self.bytes = bytes;
    }

    /// Whether this is one of the small buffers.
    pub(crate) fn is_small(&self) -> bool {
        self.bytes.len() == SMALL
    }

    /// Whether this buffer has no memory.
    pub(crate) fn is_unallocated(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// The free buffers of a core.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    small: RefCell<Vec<Box<[u8]>>>,
    large: RefCell<Vec<Box<[u8]>>>,
}

impl Buffers {
    /// Hands out a buffer of 16 KiB.
    #[cfg(test)]
    fn take_small(&self) -> Buffer {
        take(&self.small, SMALL)
    }

    /// Hands out a buffer of 64 KiB.
    pub(crate) fn take_large(&self) -> Buffer {
        take(&self.large, LARGE)
    }

    /// Reads into a buffer of 16 KiB, which is handed out only when something came.
    pub(crate) fn read_small<E>(
        &self,
        read: impl FnOnce(&mut [u8]) -> Poll<Result<usize, E>>,
    ) -> Poll<Result<Buffer, E>> {
        read_into(&self.small, SMALL, read)
    }

    /// Reads into a buffer of 64 KiB, which is handed out only when something came.
    pub(crate) fn read_large<E>(
        &self,
        read: impl FnOnce(&mut [u8]) -> Poll<Result<usize, E>>,
    ) -> Poll<Result<Buffer, E>> {
        read_into(&self.large, LARGE, read)
    }

    /// Takes a buffer back; memory of another size is freed.
    pub(crate) fn give(&self, buffer: Buffer) {
        let list = match buffer.bytes.len() {
            SMALL => &self.small,
            LARGE => &self.large,
            _ => return,
        };
        let mut list = list.borrow_mut();
        if list.len() < MAX_KEPT {
            list.push(buffer.bytes);
        }
    }

    /// Moves what a small buffer holds into a large one, positions kept.
    pub(crate) fn enlarge(&self, buffer: &mut Buffer) {
        if buffer.bytes.len() >= LARGE {
            buffer.reserve(LARGE);
            return;
        }
        let mut large = self.take_large();
        large.bytes[..buffer.end].copy_from_slice(&buffer.bytes[..buffer.end]);
        large.start = buffer.start;
        large.end = buffer.end;
        self.give(std::mem::replace(buffer, large));
    }
}

fn take(list: &RefCell<Vec<Box<[u8]>>>, size: usize) -> Buffer {
    let kept = list.borrow_mut().pop();
    Buffer {
        bytes: kept.unwrap_or_else(|| vec![0; size].into_boxed_slice()),
        start: 0,
        end: 0,
    }
}

fn read_into<E>(
    list: &RefCell<Vec<Box<[u8]>>>,
    size: usize,
    read: impl FnOnce(&mut [u8]) -> Poll<Result<usize, E>>,
) -> Poll<Result<Buffer, E>> {
    let mut list = list.borrow_mut();
    if list.is_empty() {
        list.push(vec![0; size].into_boxed_slice());
    }
    let Some(bytes) = list.last_mut() else {
        return Poll::Pending;
    };
    let end = ready!(read(bytes))?;
    // Without bytes there is nothing to hold; the end is told by an empty buffer.
    let bytes = match end {
        0 => Box::default(),
        _ => list.pop().unwrap_or_default(),
    };
    Poll::Ready(Ok(Buffer {
        bytes,
        start: 0,
        end,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_returned_buffer_is_handed_out_again_and_empty() {
        let buffers = Buffers::default();
        let mut first = buffers.take_small();
        first.spare_mut()[..3].copy_from_slice(b"abc");
        first.advance(3);
        first.consume(1);
        assert_eq!(first.filled(), b"bc");
        assert_eq!(first.all(), b"abc");
        buffers.give(first);
        assert!(buffers.take_small().is_empty());
        assert_eq!(buffers.small.borrow().len(), 0);
    }

    #[test]
    fn memory_is_handed_out_only_when_something_was_read() {
        let buffers = Buffers::default();
        let waits = buffers.read_small(|_| Poll::<Result<usize, ()>>::Pending);
        assert!(waits.is_pending());
        assert_eq!(buffers.small.borrow().len(), 1);
        let Poll::Ready(Ok(ended)) = buffers.read_small(|_| Poll::Ready(Ok::<_, ()>(0))) else {
            panic!("the end is no wait");
        };
        assert!(ended.is_unallocated());
        let read = buffers.read_small(|into| {
            into[..2].copy_from_slice(b"ab");
            Poll::Ready(Ok::<_, ()>(2))
        });
        let Poll::Ready(Ok(read)) = read else {
            panic!("bytes are no wait");
        };
        assert_eq!(read.filled(), b"ab");
        assert!(buffers.small.borrow().is_empty());
    }

    #[test]
    fn enlarging_keeps_bytes_and_positions() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take_small();
        buffer.spare_mut()[..5].copy_from_slice(b"hello");
        buffer.advance(5);
        buffer.consume(2);
        buffers.enlarge(&mut buffer);
        assert_eq!(buffer.filled(), b"llo");
        assert_eq!(buffer.all(), b"hello");
        assert_eq!(buffer.spare(), LARGE - 5);
        assert_eq!(buffers.small.borrow().len(), 1);
    }
}
