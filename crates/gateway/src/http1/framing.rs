//! How long a body is: RFC 9112 section 6, read strictly.

use super::error::HeadError;
use super::token::eq_ignore_case;

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is no body.
    #[default]
    None,
    /// So many bytes.
    Length(u64),
    /// Chunked transfer coding.
    Chunked,
    /// Until the connection ends; responses only.
    Close,
}

/// Collects the framing fields of one head and refuses what two readers could read in two ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FramingFields {
    length: Option<u64>,
    is_chunked: bool,
}

/// Longest decimal number taken as a length: 10^18 - 1 fits every integer type that follows.
const MAX_DIGITS: usize = 18;

impl FramingFields {
    /// Takes a `Content-Length` value.
    pub(super) fn content_length(&mut self, value: &[u8]) -> Result<(), HeadError> {
        if self.length.is_some() {
            return Err(HeadError::ContentLength);
        }
        if self.is_chunked {
            return Err(HeadError::AmbiguousLength);
        }
        self.length = Some(parse_length(value)?);
        Ok(())
    }

    /// Takes a `Transfer-Encoding` value.
    pub(super) fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), HeadError> {
        if self.is_chunked || !eq_ignore_case(value, b"chunked") {
            return Err(HeadError::TransferCoding);
        }
        if self.length.is_some() {
            return Err(HeadError::AmbiguousLength);
        }
        self.is_chunked = true;
        Ok(())
    }

    /// Framing of a request: without both fields there is no body.
    pub(super) fn of_request(self) -> Framing {
        match self.length {
            _ if self.is_chunked => Framing::Chunked,
            None => Framing::None,
            Some(length) => Framing::Length(length),
        }
    }

    /// Framing of a response that may have a body.
    pub(super) fn of_response(self) -> Framing {
        match self.length {
            _ if self.is_chunked => Framing::Chunked,
            None => Framing::Close,
            Some(length) => Framing::Length(length),
        }
    }

    /// The length named by the head.
    pub(super) fn length(self) -> Option<u64> {
        self.length
    }

    /// Whether the head names the chunked coding.
    pub(super) fn is_chunked(self) -> bool {
        self.is_chunked
    }
}

fn parse_length(value: &[u8]) -> Result<u64, HeadError> {
    if value.is_empty() || value.len() > MAX_DIGITS || !value.iter().all(u8::is_ascii_digit) {
        return Err(HeadError::ContentLength);
    }
    Ok(value
        .iter()
        .fold(0, |length, digit| length * 10 + u64::from(digit - b'0')))
}
