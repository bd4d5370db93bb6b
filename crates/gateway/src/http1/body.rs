//! Bodies: decoding by framing, and the head of a chunk to send.

use super::chunked::ChunkedDecoder;
use super::error::BodyError;
use super::framing::Framing;

/// What one call of a decoder did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Bytes of the input that were used up; what follows belongs to the next message.
    pub(crate) consumed: usize,
    /// Bytes of payload, now at the front of the input.
    pub(crate) payload: usize,
    /// Whether the body is complete.
    pub(crate) is_done: bool,
}

/// Decoder of one body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum BodyDecoder {
    /// Nothing (more) to read.
    #[default]
    Done,
    /// So many bytes are left.
    Length(u64),
    /// Chunked transfer coding.
    Chunked(ChunkedDecoder),
    /// Until the connection ends.
    Close,
}

impl BodyDecoder {
    /// A decoder for a body framed so.
    pub(crate) fn new(framing: Framing) -> Self {
        match framing {
            Framing::None | Framing::Length(0) => Self::Done,
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(ChunkedDecoder::default()),
            Framing::Close => Self::Close,
        }
    }

    /// Whether the body is complete.
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Done => true,
            Self::Length(left) => *left == 0,
            Self::Chunked(decoder) => decoder.is_done(),
            Self::Close => false,
        }
    }

    /// Decodes `bytes` in place; the payload ends up at their front.
    pub(crate) fn decode(&mut self, bytes: &mut [u8]) -> Result<Progress, BodyError> {
        match self {
            Self::Done => Ok(Progress {
                is_done: true,
                ..Progress::default()
            }),
            Self::Length(left) => {
                let length = usize::try_from(*left).map_or(bytes.len(), |n| n.min(bytes.len()));
                *left -= length as u64;
                Ok(Progress {
                    consumed: length,
                    payload: length,
                    is_done: *left == 0,
                })
            }
            Self::Chunked(decoder) => decoder.decode(bytes),
            Self::Close => {
                let length = bytes.len();
                Ok(Progress {
                    consumed: length,
                    payload: length,
                    is_done: false,
                })
            }
        }
    }

    /// Bytes that are left of a body of known length.
    pub(crate) fn rest(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Done | Self::Chunked(_) | Self::Close => None,
        }
    }

    /// Counts bytes of a body of known length that were taken without being decoded.
    pub(crate) fn skip(&mut self, count: u64) {
        if let Self::Length(left) = self {
            *left = left.saturating_sub(count);
        }
    }

    /// Tells the decoder that the sender ended the connection.
    pub(crate) fn end(&mut self) -> Result<(), BodyError> {
        if matches!(self, Self::Close) || self.is_done() {
            *self = Self::Done;
            return Ok(());
        }
        Err(BodyError::Truncated)
    }

    /// Trailer fields as lines with CR LF; empty when there are none.
    pub(crate) fn trailers(&self) -> &[u8] {
        match self {
            Self::Chunked(decoder) => decoder.trailers(),
            Self::Done | Self::Length(_) | Self::Close => &[],
        }
    }
}

/// Renders the size line of a chunk into `out` and returns it.
pub(crate) fn chunk_header(length: usize, out: &mut [u8; 18]) -> &[u8] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out[16] = b'\r';
    out[17] = b'\n';
    let mut start = 16;
    let mut rest = length;
    loop {
        start -= 1;
        out[start] = DIGITS[rest & 15];
        rest >>= 4;
        if rest == 0 {
            return &out[start..];
        }
    }
}
