//! Response heads of services.

use plugin_api::{HeaderSpan, HttpVersion};

use super::common;
use super::error::HeadError;
use super::framing::{Framing, FramingFields};
use super::known::Known;
use super::line::{Fields, line_end, span};
use super::token::{has_list_token, is_value, list_tokens};

/// A response head as ranges.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResponseHead {
    /// Status, reason and header fields.
    pub(crate) fields: Fields,
    /// How the body ends, for a response that has one.
    pub(crate) framing: Framing,
    /// The length the head names, also where no body follows (HEAD, 304).
    pub(crate) named_length: Option<u64>,
    /// Whether the head names the chunked coding, also where no body follows.
    pub(crate) names_chunked: bool,
    /// Whether the service keeps the connection open.
    pub(crate) is_persistent: bool,
    /// Whether `Connection` names fields beyond the usual ones.
    pub(crate) names_hop_fields: bool,
    /// Length of the head in bytes.
    pub(crate) len: usize,
    /// Length of a status line with its CR LF that has the usual form; zero for others.
    pub(crate) usual_line: usize,
    length_fields: FramingFields,
    next_line: usize,
    scanned: usize,
    has_first_line: bool,
}

impl ResponseHead {
    /// Forgets everything and keeps the memory.
    pub(crate) fn clear(&mut self) {
        // Field by field, as in requests.
        let Self {
            fields,
            framing,
            named_length,
            names_chunked,
            is_persistent,
            names_hop_fields,
            len,
            usual_line,
            length_fields,
            next_line,
            scanned,
            has_first_line,
        } = self;
        fields.clear();
        *framing = Framing::default();
        *named_length = None;
        *length_fields = FramingFields::default();
        for number in [len, usual_line, next_line, scanned] {
            *number = 0;
        }
        for is_so in [
            names_chunked,
            is_persistent,
            names_hop_fields,
            has_first_line,
        ] {
            *is_so = false;
        }
    }

    /// The status, 100 to 999.
    pub(crate) fn status(&self) -> u16 {
        self.fields.index.status
    }

    /// Reads on; as [`super::RequestHead::advance`]. `limit` bounds the whole head in bytes,
    /// `is_head` says that the request was `HEAD`.
    pub(crate) fn advance(
        &mut self,
        bytes: &[u8],
        limit: usize,
        is_head: bool,
    ) -> Result<bool, HeadError> {
        loop {
            while self.take_common(bytes, limit)? {}
            if let Some(is_complete) = self.take_any(bytes, limit, is_head)? {
                return Ok(is_complete);
            }
        }
    }

    /// The same without the quick readers of usual lines; what is made of the bytes is the same.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn advance_carefully(
        &mut self,
        bytes: &[u8],
        limit: usize,
        is_head: bool,
    ) -> Result<bool, HeadError> {
        loop {
            if let Some(is_complete) = self.take_any(bytes, limit, is_head)? {
                return Ok(is_complete);
            }
        }
    }

    /// Takes the next line, whatever its form; as in requests.
    fn take_any(
        &mut self,
        bytes: &[u8],
        limit: usize,
        is_head: bool,
    ) -> Result<Option<bool>, HeadError> {
        let start = self.next_line;
        let Some(end) = line_end(bytes, start, self.scanned.max(start))? else {
            self.scanned = bytes.len();
            if bytes.len() > limit {
                return Err(HeadError::FieldsTooLong);
            }
            return Ok(Some(false));
        };
        if end + 2 > limit {
            return Err(HeadError::FieldsTooLong);
        }
        self.next_line = end + 2;
        if !self.has_first_line {
            self.take_status_line(bytes, start, end)?;
            self.has_first_line = true;
        } else if start == end {
            self.len = end + 2;
            self.fields.index.length = u32::try_from(self.len).unwrap_or(u32::MAX);
            self.finish(is_head);
            return Ok(Some(true));
        } else {
            self.take_field(bytes, start, end)?;
        }
        Ok(None)
    }

    /// Takes the next line if it has its usual form and fits.
    #[inline(always)]
    fn take_common(&mut self, bytes: &[u8], limit: usize) -> Result<bool, HeadError> {
        let start = self.next_line;
        // As in requests: what came in pieces is not looked at from its beginning each time.
        if self.scanned > start {
            return Ok(false);
        }
        if !self.has_first_line {
            let line = common::status_line(bytes, start).filter(|line| line.end + 2 <= limit);
            let Some(line) = line else {
                return Ok(false);
            };
            self.next_line = line.end + 2;
            self.usual_line = line.end + 2;
            self.has_first_line = true;
            self.is_persistent = true;
            let index = &mut self.fields.index;
            index.version = HttpVersion::Http11;
            index.status = line.status;
            index.reason = span(line.reason_start, line.end);
            return Ok(true);
        }
        let line = common::field(bytes, start).filter(|line| line.end + 2 <= limit);
        let Some(line) = line else {
            return Ok(false);
        };
        self.next_line = line.end + 2;
        let field = self.fields.push_common(start, line)?;
        if line.kind.is_read_at_once() {
            self.take_known(bytes, line.kind, field)?;
        }
        Ok(true)
    }

    fn take_status_line(
        &mut self,
        bytes: &[u8],
        start: usize,
        end: usize,
    ) -> Result<(), HeadError> {
        let line = &bytes[start..end];
        let (b"HTTP/1.", [minor @ b'0'..=b'9', b' ', rest @ ..]) =
            line.split_at_checked(7).ok_or(HeadError::FirstLine)?
        else {
            return Err(HeadError::FirstLine);
        };
        let (code, reason) = rest.split_at_checked(3).ok_or(HeadError::FirstLine)?;
        if !code.iter().all(u8::is_ascii_digit) || code[0] == b'0' {
            return Err(HeadError::FirstLine);
        }
        if !matches!(reason, [] | [b' ', ..]) || !is_value(reason) {
            return Err(HeadError::FirstLine);
        }
        self.fields.index.status = code
            .iter()
            .fold(0, |n, digit| n * 10 + u16::from(digit - b'0'));
        self.fields.index.reason = span((end - reason.len() + 1).min(end), end);
        self.is_persistent = *minor != b'0';
        self.fields.index.version = match self.is_persistent {
            true => HttpVersion::Http11,
            false => HttpVersion::Http10,
        };
        Ok(())
    }

    fn take_field(&mut self, bytes: &[u8], start: usize, end: usize) -> Result<(), HeadError> {
        let (kind, field) = self.fields.push_line(bytes, start, end)?;
        self.take_known(bytes, kind, field)
    }

    fn take_known(
        &mut self,
        bytes: &[u8],
        kind: Known,
        field: HeaderSpan,
    ) -> Result<(), HeadError> {
        let value = field.value.of(bytes);
        match kind {
            Known::ContentLength => self.length_fields.content_length(value)?,
            Known::TransferEncoding => self.length_fields.transfer_encoding(value)?,
            Known::Connection => {
                if has_list_token(value, b"close") {
                    self.is_persistent = false;
                } else if has_list_token(value, b"keep-alive") {
                    self.is_persistent = true;
                }
                self.names_hop_fields |= list_tokens(value).any(|token| {
                    !token.eq_ignore_ascii_case(b"close")
                        && !token.eq_ignore_ascii_case(b"keep-alive")
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, is_head: bool) {
        self.named_length = self.length_fields.length();
        self.names_chunked = self.length_fields.is_chunked();
        let is_bodiless = is_head
            || self.fields.index.status < 200
            || matches!(self.fields.index.status, 204 | 304);
        self.framing = if is_bodiless {
            Framing::None
        } else {
            self.length_fields.of_response()
        };
    }
}
