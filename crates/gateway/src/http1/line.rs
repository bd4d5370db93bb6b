//! Header fields, line by line: the part that requests, responses and trailers share.

use plugin_api::{Head, HeadIndex, HeaderSpan, Span};

use super::common::FieldLine;
use super::error::HeadError;
use super::known::Known;
use super::token::{is_value, is_visible, token_prefix};

/// Most header fields in one head; together with the byte limits it bounds the index.
pub(crate) const MAX_FIELDS: usize = 512;

/// The header fields of a head, as ranges, with what each name means to the engine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    /// Where everything lies.
    pub(crate) index: HeadIndex,
    /// What each name means; as long as the index has header lines.
    pub(crate) kinds: Vec<Known>,
    /// The bits of the kinds there are.
    seen: u64,
}

impl Fields {
    /// Forgets all fields and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.index.clear();
        self.kinds.clear();
        self.seen = 0;
    }

    /// Reads one header line, `bytes[start..end]` without its CR LF.
    pub(crate) fn push_line(
        &mut self,
        bytes: &[u8],
        start: usize,
        end: usize,
    ) -> Result<(Known, HeaderSpan), HeadError> {
        let line = &bytes[start..end];
        let (name_len, value_start, value_end) = match split_field(line) {
            Ok(parts) => parts,
            Err(HeadError::FieldName) if is_ignored(line) => {
                return Ok((Known::Other, HeaderSpan::default()));
            }
            Err(error) => return Err(error),
        };
        if self.index.headers.len() == MAX_FIELDS {
            return Err(HeadError::FieldsTooLong);
        }
        let name = span(start, start + name_len);
        let value = span(start + value_start, start + value_end);
        Ok(self.push(Known::of(name.of(bytes)), name, value))
    }

    /// Takes a line that [`super::common::field`] read.
    #[inline]
    pub(super) fn push_common(
        &mut self,
        start: usize,
        line: FieldLine,
    ) -> Result<HeaderSpan, HeadError> {
        if self.index.headers.len() == MAX_FIELDS {
            return Err(HeadError::FieldsTooLong);
        }
        let name = span(start, line.name_end);
        let value = span(line.value_start, line.end);
        Ok(self.push(line.kind, name, value).1)
    }

    #[inline]
    fn push(&mut self, kind: Known, name: Span, value: Span) -> (Known, HeaderSpan) {
        let field = HeaderSpan { name, value };
        self.index.headers.push(field);
        self.kinds.push(kind);
        self.seen |= kind.bit();
        (kind, field)
    }

    /// Fields with their meaning, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Known, HeaderSpan)> {
        self.kinds
            .iter()
            .copied()
            .zip(self.index.headers.iter().copied())
    }

    /// Whether any of the known fields is there.
    #[inline]
    pub(crate) fn has_any(&self, kinds: &[Known]) -> bool {
        let wanted = kinds.iter().fold(0, |bits, kind| bits | kind.bit());
        self.seen & wanted != 0
    }

    /// Where the first of a known field lies.
    #[inline]
    pub(crate) fn first_line(&self, kind: Known) -> Option<HeaderSpan> {
        if self.seen & kind.bit() == 0 {
            return None;
        }
        let position = self.kinds.iter().position(|known| *known == kind)?;
        self.index.headers.get(position).copied()
    }

    /// The first value of a known field.
    #[inline]
    pub(crate) fn first<'b>(&self, kind: Known, bytes: &'b [u8]) -> Option<&'b [u8]> {
        Some(self.first_line(kind)?.value.of(bytes))
    }

    /// The head as plugins see it.
    pub(crate) fn head<'a>(&'a self, bytes: &'a [u8]) -> Head<'a> {
        Head::new(bytes, &self.index)
    }
}

/// Whether a line is left out as if it were not there: its name has a character that no field name
/// may have, but nothing that could move a boundary (white space, control characters).
///
/// Compat: the reference drops such fields silently.
fn is_ignored(line: &[u8]) -> bool {
    let name_len = token_prefix(line);
    if line.get(name_len) == Some(&b':') {
        return false;
    }
    let Some(colon) = memchr::memchr(b':', line) else {
        return false;
    };
    colon > 0 && is_visible(&line[..colon])
}

/// Splits a line into (length of the name, start of the value, end of the value).
pub(super) fn split_field(line: &[u8]) -> Result<(usize, usize, usize), HeadError> {
    if matches!(line, [b' ' | b'\t', ..]) {
        return Err(HeadError::Folded);
    }
    let name_len = token_prefix(line);
    if name_len == 0 || line.get(name_len) != Some(&b':') {
        return Err(HeadError::FieldName);
    }
    let mut start = name_len + 1;
    let mut end = line.len();
    while start < end && matches!(line[start], b' ' | b'\t') {
        start += 1;
    }
    while end > start && matches!(line[end - 1], b' ' | b'\t') {
        end -= 1;
    }
    if !is_value(&line[start..end]) {
        return Err(HeadError::FieldValue);
    }
    Ok((name_len, start, end))
}

/// Finds the end of the line that begins at `start`, looking from `from` on: the position of its
/// CR, or `None` when the line is not complete.
pub(super) fn line_end(
    bytes: &[u8],
    start: usize,
    from: usize,
) -> Result<Option<usize>, HeadError> {
    if bytes.get(start..start + 2) == Some(b"\r\n") {
        return Ok(Some(start));
    }
    let Some(offset) = memchr::memchr(b'\n', &bytes[from..]) else {
        return Ok(None);
    };
    let feed = from + offset;
    if feed == start || bytes[feed - 1] != b'\r' {
        return Err(HeadError::BareLineFeed);
    }
    Ok(Some(feed - 1))
}

/// Appends a line that was received, with its CR LF.
fn copy_line(out: &mut Vec<u8>, line: HeaderSpan, bytes: &[u8]) {
    if let Some(whole) = as_received(line, bytes) {
        out.extend_from_slice(whole);
        return;
    }
    let (name, value) = (line.name.of(bytes), line.value.of(bytes));
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// The line as it was received, with its CR LF, if it was written as the gateway writes lines.
#[inline]
pub(crate) fn as_received(line: HeaderSpan, bytes: &[u8]) -> Option<&[u8]> {
    let whole = Span::new(line.name.start, line.value.end.saturating_add(2)).of(bytes);
    let between = Span::new(line.name.end, line.value.start).of(bytes);
    (between == b": " && whole.ends_with(b"\r\n")).then_some(whole)
}

/// Appends lines that were received; those that stood side by side are copied together.
#[inline]
pub(crate) fn copy_lines(out: &mut Vec<u8>, lines: impl Iterator<Item = HeaderSpan>, bytes: &[u8]) {
    let mut run = Span::default();
    for line in lines {
        if as_received(line, bytes).is_none() {
            out.extend_from_slice(run.of(bytes));
            run = Span::default();
            copy_line(out, line, bytes);
            continue;
        }
        if line.name.start != run.end {
            out.extend_from_slice(run.of(bytes));
            run.start = line.name.start;
        }
        run.end = line.value.end + 2;
    }
    out.extend_from_slice(run.of(bytes));
}

/// A range out of two positions; heads are far smaller than 4 GiB.
pub(super) fn span(start: usize, end: usize) -> Span {
    Span {
        start: u32::try_from(start).unwrap_or(u32::MAX),
        end: u32::try_from(end).unwrap_or(u32::MAX),
    }
}
