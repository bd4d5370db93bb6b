//! Messages in a body: one byte that says what it is, four of length, the message.

use bytes::{Buf, Bytes, BytesMut};

/// The first byte of a plain message.
pub(crate) const MESSAGE: u8 = 0;

/// The first byte of the trailers in a body of gRPC-Web.
pub(crate) const TRAILERS: u8 = 0x80;

/// Limit: the longest message that is looked into, in bytes.
const MESSAGE_MAX: usize = 64 * 1024 * 1024;

const HEAD: usize = 5;

/// A frame; a message of 4 GiB or more does not come in here.
pub(crate) fn frame(kind: u8, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + message.len());
    out.push(kind);
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(message);
    out
}

/// Takes a body apart that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    pending: BytesMut,
}

impl Frames {
    /// Takes in a piece.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.pending.extend_from_slice(piece);
    }

    /// The next message that is whole.
    ///
    /// # Errors
    ///
    /// When it is compressed or too long.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, &'static str> {
        let Some(head) = self.pending.first_chunk::<HEAD>() else {
            return Ok(None);
        };
        let [kind, length @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if kind & 1 != 0 {
            return Err("a message is compressed");
        }
        if length > MESSAGE_MAX {
            return Err("a message is too long");
        }
        if self.pending.len() < HEAD + length {
            return Ok(None);
        }
        self.pending.advance(HEAD);
        Ok(Some(self.pending.split_to(length).freeze()))
    }

    /// Whether nothing is left over.
    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}
