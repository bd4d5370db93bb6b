//! The chunked transfer coding, decoded in place.

use super::body::Progress;
use super::error::BodyError;
use super::known::Known;
use super::line::split_field;

/// Most bytes of chunk extensions in one message.
const MAX_EXTENSION_BYTES: usize = 4096;
/// Most bytes of a trailer section.
const MAX_TRAILER_BYTES: usize = 8192;
/// Most hexadecimal digits of a chunk size: 2^60 - 1.
const MAX_SIZE_DIGITS: u8 = 15;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    Extension,
    SizeFeed,
    Data,
    DataReturn,
    DataFeed,
    Trailer,
    TrailerFeed,
    Done,
}

/// Decoder of one chunked body. Feed it bytes in any pieces; the result is the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChunkedDecoder {
    state: State,
    remaining: u64,
    digits: u8,
    extension_bytes: usize,
    trailer_bytes: usize,
    line: Vec<u8>,
    trailers: Vec<u8>,
}

impl ChunkedDecoder {
    /// Whether the last chunk and the trailer section have been read.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The trailer fields that may be passed on, as `name: value` lines with CR LF.
    pub(crate) fn trailers(&self) -> &[u8] {
        &self.trailers
    }

    /// Decodes `bytes` in place: the payload ends up at their front.
    pub(crate) fn decode(&mut self, bytes: &mut [u8]) -> Result<Progress, BodyError> {
        let mut progress = Progress::default();
        while progress.consumed < bytes.len() && self.state != State::Done {
            if self.state == State::Data {
                self.take_data(bytes, &mut progress);
            } else {
                self.take_control(bytes[progress.consumed])?;
                progress.consumed += 1;
            }
        }
        progress.is_done = self.state == State::Done;
        Ok(progress)
    }

    fn take_data(&mut self, bytes: &mut [u8], progress: &mut Progress) {
        let available = bytes.len() - progress.consumed;
        let length = usize::try_from(self.remaining).map_or(available, |left| left.min(available));
        bytes.copy_within(
            progress.consumed..progress.consumed + length,
            progress.payload,
        );
        progress.payload += length;
        progress.consumed += length;
        self.remaining -= length as u64;
        if self.remaining == 0 {
            self.state = State::DataReturn;
        }
    }

    fn take_control(&mut self, byte: u8) -> Result<(), BodyError> {
        self.state = match (self.state, byte) {
            (State::Size, _) => self.take_size(byte)?,
            (State::Extension, b'\r') => State::SizeFeed,
            (State::Extension, _) => self.take_extension(byte)?,
            (State::SizeFeed, b'\n') => self.after_size(),
            (State::SizeFeed, _) => return Err(BodyError::ChunkSize),
            (State::DataReturn, b'\r') => State::DataFeed,
            (State::DataFeed, b'\n') => State::Size,
            (State::Trailer, _) => self.take_trailer(byte)?,
            (State::TrailerFeed, b'\n') => self.after_trailer_line()?,
            (State::TrailerFeed, _) => return Err(BodyError::Trailer),
            (State::DataReturn | State::DataFeed | State::Data | State::Done, _) => {
                return Err(BodyError::ChunkEnd);
            }
        };
        Ok(())
    }

    fn take_size(&mut self, byte: u8) -> Result<State, BodyError> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            b'\r' if self.digits > 0 => return Ok(State::SizeFeed),
            b';' | b' ' | b'\t' if self.digits > 0 => return Ok(State::Extension),
            _ => return Err(BodyError::ChunkSize),
        };
        if self.digits == MAX_SIZE_DIGITS {
            return Err(BodyError::ChunkSize);
        }
        self.digits += 1;
        self.remaining = self.remaining * 16 + u64::from(digit);
        Ok(State::Size)
    }

    fn take_extension(&mut self, byte: u8) -> Result<State, BodyError> {
        self.extension_bytes += 1;
        if self.extension_bytes > MAX_EXTENSION_BYTES {
            return Err(BodyError::ExtensionsTooLong);
        }
        if byte != b'\t' && (byte < b' ' || byte == 0x7f) {
            return Err(BodyError::ChunkSize);
        }
        Ok(State::Extension)
    }

    fn after_size(&mut self) -> State {
        self.digits = 0;
        if self.remaining == 0 {
            State::Trailer
        } else {
            State::Data
        }
    }

    fn take_trailer(&mut self, byte: u8) -> Result<State, BodyError> {
        self.trailer_bytes += 1;
        if self.trailer_bytes > MAX_TRAILER_BYTES || byte == b'\n' {
            return Err(BodyError::Trailer);
        }
        if byte == b'\r' {
            return Ok(State::TrailerFeed);
        }
        self.line.push(byte);
        Ok(State::Trailer)
    }

    fn after_trailer_line(&mut self) -> Result<State, BodyError> {
        if self.line.is_empty() {
            return Ok(State::Done);
        }
        let (name_len, start, end) = split_field(&self.line).map_err(|_| BodyError::Trailer)?;
        // Fields that decide framing, routing or hops have no business in a trailer section.
        if Known::of(&self.line[..name_len]) == Known::Other {
            self.trailers.extend_from_slice(&self.line[..name_len]);
            self.trailers.extend_from_slice(b": ");
            self.trailers.extend_from_slice(&self.line[start..end]);
            self.trailers.extend_from_slice(b"\r\n");
        }
        self.line.clear();
        Ok(State::Trailer)
    }
}
