//! Request heads: read line by line as they arrive, each byte looked at about once.

use super::common;
use super::error::HeadError;
use super::framing::{Framing, FramingFields};
use super::known::Known;
use super::line::{Fields, line_end, span};
use super::scan::has_double_dot;
use super::token::{has_list_token, is_host, is_method, is_visible, list_tokens};
use plugin_api::{HeaderSpan, HttpVersion, Span};

/// Most empty lines skipped before a request line.
const MAX_EMPTY_LINES: usize = 4;

/// Limits of a request head, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadLimits {
    /// Longest single line (default 8 KiB).
    pub(crate) line: usize,
    /// Longest head (default 32 KiB).
    pub(crate) head: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            line: 8 * 1024,
            head: 32 * 1024,
        }
    }
}

/// A request head as ranges, with what the engine needs of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestHead {
    /// Method, target, path, query and header fields.
    pub(crate) fields: Fields,
    /// How the body ends.
    pub(crate) framing: Framing,
    /// The authority, from an absolute target or the `Host` field; empty with HTTP/1.0 only.
    pub(crate) host: Span,
    /// Whether the connection may serve another request.
    pub(crate) is_persistent: bool,
    /// Whether the client waits for `100 Continue`.
    pub(crate) expects_continue: bool,
    /// Whether `Connection` names fields beyond `close`, `keep-alive` and `upgrade`.
    pub(crate) names_hop_fields: bool,
    /// Length of the head in bytes.
    pub(crate) len: usize,
    length_fields: FramingFields,
    next_line: usize,
    scanned: usize,
    empty_lines: usize,
    has_first_line: bool,
    has_host_field: bool,
    has_absolute_target: bool,
}

impl RequestHead {
    /// Forgets everything and keeps the memory.
    pub(crate) fn clear(&mut self) {
        // Field by field: moving the memory out and in again would cost more.
        let Self {
            fields,
            framing,
            host,
            is_persistent,
            expects_continue,
            names_hop_fields,
            len,
            length_fields,
            next_line,
            scanned,
            empty_lines,
            has_first_line,
            has_host_field,
            has_absolute_target,
        } = self;
        fields.clear();
        *framing = Framing::default();
        *host = Span::default();
        *length_fields = FramingFields::default();
        for number in [len, next_line, scanned, empty_lines] {
            *number = 0;
        }
        for is_so in [
            is_persistent,
            expects_continue,
            names_hop_fields,
            has_first_line,
            has_host_field,
            has_absolute_target,
        ] {
            *is_so = false;
        }
    }

    /// Reads on. `bytes` is everything received since the head began. Returns whether the head
    /// is complete.
    pub(crate) fn advance(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<bool, HeadError> {
        loop {
            while self.take_common(bytes, limits)? {}
            if let Some(is_complete) = self.take_any(bytes, limits)? {
                return Ok(is_complete);
            }
        }
    }

    /// The same without the quick readers of usual lines; what is made of the bytes is the same.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn advance_carefully(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<bool, HeadError> {
        loop {
            if let Some(is_complete) = self.take_any(bytes, limits)? {
                return Ok(is_complete);
            }
        }
    }

    /// Takes the next line, whatever its form. Tells whether the head is complete, once there is
    /// nothing more to take.
    fn take_any(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<Option<bool>, HeadError> {
        let start = self.next_line;
        let Some(end) = line_end(bytes, start, self.scanned.max(start))? else {
            self.scanned = bytes.len();
            self.check_limits(bytes.len(), bytes.len() - start, limits)?;
            return Ok(Some(false));
        };
        self.check_limits(end + 2, end - start, limits)?;
        self.next_line = end + 2;
        if !self.take_line(bytes, start, end)? {
            return Ok(None);
        }
        self.len = end + 2;
        self.fields.index.length = u32::try_from(self.len).unwrap_or(u32::MAX);
        self.finish()?;
        Ok(Some(true))
    }

    /// Takes the next line if it has its usual form.
    #[inline(always)]
    fn take_common(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<bool, HeadError> {
        let start = self.next_line;
        // What came in pieces is not looked at from its beginning each time.
        if self.scanned > start {
            return Ok(false);
        }
        if !self.has_first_line {
            let Some(line) = common::request_line(bytes, start) else {
                return Ok(false);
            };
            self.check_limits(line.end + 2, line.end - start, limits)?;
            self.next_line = line.end + 2;
            self.has_first_line = true;
            self.is_persistent = true;
            let index = &mut self.fields.index;
            index.version = HttpVersion::Http11;
            index.method = span(start, line.method_end);
            index.target = span(line.target_start, line.target_end);
            index.path = span(line.target_start, line.path_end);
            index.has_query = line.path_end < line.target_end;
            let query_start = (line.path_end + 1).min(line.target_end);
            index.query = span(query_start, line.target_end);
            return Ok(true);
        }
        let Some(line) = common::field(bytes, start) else {
            return Ok(false);
        };
        self.check_limits(line.end + 2, line.end - start, limits)?;
        self.next_line = line.end + 2;
        let field = self.fields.push_common(start, line)?;
        if line.kind.is_read_at_once() {
            self.take_known(bytes, line.kind, field)?;
        }
        Ok(true)
    }

    fn check_limits(&self, head: usize, line: usize, limits: &HeadLimits) -> Result<(), HeadError> {
        if line > limits.line {
            return Err(match self.has_first_line {
                true => HeadError::FieldsTooLong,
                false => HeadError::LineTooLong,
            });
        }
        if head > limits.head {
            return Err(HeadError::FieldsTooLong);
        }
        Ok(())
    }

    fn take_line(&mut self, bytes: &[u8], start: usize, end: usize) -> Result<bool, HeadError> {
        if self.has_first_line {
            if start == end {
                return Ok(true);
            }
            return self.take_field(bytes, start, end).map(|()| false);
        }
        if start == end {
            self.empty_lines += 1;
            if self.empty_lines > MAX_EMPTY_LINES {
                return Err(HeadError::FirstLine);
            }
            return Ok(false);
        }
        self.take_request_line(bytes, start, end)?;
        self.has_first_line = true;
        Ok(false)
    }

    fn take_request_line(
        &mut self,
        bytes: &[u8],
        start: usize,
        end: usize,
    ) -> Result<(), HeadError> {
        let line = &bytes[start..end];
        // Methods are short: looking at each byte is cheaper than a call.
        let method_end = line.iter().position(|byte| *byte == b' ');
        let method_end = method_end.ok_or(HeadError::FirstLine)?;
        if !is_method(&line[..method_end]) {
            return Err(HeadError::FirstLine);
        }
        let rest = &line[method_end + 1..];
        let target_len = memchr::memchr(b' ', rest).ok_or(HeadError::FirstLine)?;
        let target_start = start + method_end + 1;
        let target = span(target_start, target_start + target_len);
        self.fields.index.version = parse_version(&rest[target_len + 1..])?;
        self.is_persistent = self.fields.index.version == HttpVersion::Http11;
        self.fields.index.method = span(start, start + method_end);
        self.fields.index.target = target;
        if &line[..method_end] == b"TRACE" {
            return Err(HeadError::Method);
        }
        if &line[..method_end] == b"CONNECT" {
            return Err(HeadError::Target);
        }
        self.take_target(bytes, target)
    }

    fn take_target(&mut self, bytes: &[u8], target: Span) -> Result<(), HeadError> {
        let text = target.of(bytes);
        if !is_visible(text) {
            return Err(HeadError::Target);
        }
        let mut path_start = 0;
        if text.first() != Some(&b'/') {
            let authority = absolute_prefix(text).ok_or(HeadError::Target)?;
            path_start = text[authority..]
                .iter()
                .position(|byte| matches!(byte, b'/' | b'?' | b'#'))
                .map_or(text.len(), |offset| authority + offset);
            self.host = part(target, authority, path_start);
            self.has_absolute_target = true;
            self.fields.index.authority = self.host;
            check_host(self.host.of(bytes))?;
        }
        let query_start = memchr::memchr(b'?', &text[path_start..])
            .map_or(text.len(), |offset| path_start + offset);
        self.fields.index.path = part(target, path_start, query_start);
        self.fields.index.has_query = query_start < text.len();
        // Compat: `#` ends a query, and is a character like others in a path.
        let query_end = memchr::memchr(b'#', &text[query_start..])
            .map_or(text.len(), |offset| query_start + offset);
        self.fields.index.query = part(target, (query_start + 1).min(query_end), query_end);
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
            Known::Host => self.take_host(bytes, field.value)?,
            Known::ContentLength => self.length_fields.content_length(value)?,
            Known::TransferEncoding => self.length_fields.transfer_encoding(value)?,
            Known::Connection => self.take_connection(value),
            Known::Expect => {
                self.expects_continue |= value.eq_ignore_ascii_case(b"100-continue");
            }
            _ => {}
        }
        Ok(())
    }

    fn take_host(&mut self, bytes: &[u8], value: Span) -> Result<(), HeadError> {
        if self.has_host_field {
            return Err(HeadError::Host);
        }
        self.has_host_field = true;
        check_host(value.of(bytes))?;
        if !self.has_absolute_target {
            self.host = value;
        }
        Ok(())
    }

    fn take_connection(&mut self, value: &[u8]) {
        if has_list_token(value, b"close") {
            self.is_persistent = false;
        } else if self.fields.index.version == HttpVersion::Http10
            && has_list_token(value, b"keep-alive")
        {
            self.is_persistent = true;
        }
        self.names_hop_fields |= list_tokens(value).any(|token| {
            !token.eq_ignore_ascii_case(b"close")
                && !token.eq_ignore_ascii_case(b"keep-alive")
                && !token.eq_ignore_ascii_case(b"upgrade")
        });
    }

    fn finish(&mut self) -> Result<(), HeadError> {
        if !self.has_host_field && self.fields.index.version == HttpVersion::Http11 {
            return Err(HeadError::Host);
        }
        if self.length_fields.is_chunked() && self.fields.index.version == HttpVersion::Http10 {
            return Err(HeadError::AmbiguousLength);
        }
        self.framing = self.length_fields.of_request();
        self.expects_continue &= self.fields.index.version == HttpVersion::Http11;
        Ok(())
    }
}

/// Length of `http://` or `https://` at the front.
fn absolute_prefix(target: &[u8]) -> Option<usize> {
    [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|scheme| {
            target
                .get(..scheme.len())
                .is_some_and(|front| front.eq_ignore_ascii_case(scheme))
        })
        .map(<[u8]>::len)
}

fn part(outer: Span, start: usize, end: usize) -> Span {
    span(outer.start as usize + start, outer.start as usize + end)
}

fn parse_version(text: &[u8]) -> Result<HttpVersion, HeadError> {
    // Compat: spaces after the version are taken; the line is never passed on as it came.
    let text = text.trim_ascii_end();
    match text {
        b"HTTP/1.1" => Ok(HttpVersion::Http11),
        b"HTTP/1.0" => Ok(HttpVersion::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'] => Ok(HttpVersion::Http11),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => Err(HeadError::Version),
        _ => Err(HeadError::FirstLine),
    }
}

/// Checks an authority.
///
/// Compat: the reference refuses an empty one, a slash, two dots in a row and control
/// characters, and takes user information, any port text and bytes beyond ASCII.
fn check_host(host: &[u8]) -> Result<(), HeadError> {
    if host.is_empty() || !is_host(host) || has_double_dot(host) {
        return Err(HeadError::Host);
    }
    Ok(())
}
