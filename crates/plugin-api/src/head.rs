//! One representation of a message head: the bytes as received, and where things lie in them.
//!
//! The codec of the engine fills a [`HeadIndex`] that is kept and reused per connection; heads
//! that arrive in another form (HTTP/2) are rendered into the same one. Nothing here parses or
//! judges: framing and its strictness belong to the codec.

use std::fmt;

/// A range of bytes inside a head. Heads are far smaller than 4 GiB, so 32 bits are enough and
/// an index of a hundred headers stays within a few cache lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte; never less than `start`.
    pub end: u32,
}

impl Span {
    /// Makes a span.
    #[must_use]
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The bytes the span names; empty when it does not lie inside `bytes`.
    #[must_use]
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// Number of bytes.
    #[must_use]
    pub const fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether the span holds nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// Where one header line's name and value lie. The value has no surrounding white space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderSpan {
    /// The field name, in the spelling received.
    pub name: Span,
    /// The field value without optional white space around it.
    pub value: Span,
}

/// The protocol version a message was received in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum HttpVersion {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    #[default]
    Http11,
    /// HTTP/2.
    Http2,
}

impl HttpVersion {
    /// The number as it appears in logs: `1.0`, `1.1`, `2`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "1.0",
            Self::Http11 => "1.1",
            Self::Http2 => "2",
        }
    }
}

/// Where everything lies in a head. Filled by the codec, reused for every message of a
/// connection: [`HeadIndex::clear`] keeps the allocation.
///
/// Invariant: all spans refer to the same byte slice, the one [`Head::new`] gets.
#[derive(Clone, Debug, Default)]
pub struct HeadIndex {
    /// Request method; empty in a response.
    pub method: Span,
    /// Request target exactly as received; empty in a response.
    pub target: Span,
    /// Host and port of an absolute-form target or of `:authority`; empty otherwise.
    pub authority: Span,
    /// Path of the target, with its leading slash, not normalised.
    pub path: Span,
    /// Query of the target without the question mark; meaningful if [`Self::has_query`].
    pub query: Span,
    /// Whether the target has a question mark; `/a?` has an empty query, `/a` has none.
    pub has_query: bool,
    /// Response status; zero in a request.
    pub status: u16,
    /// Reason phrase of a response.
    pub reason: Span,
    /// Version of the message.
    pub version: HttpVersion,
    /// All header lines in the order received.
    pub headers: Vec<HeaderSpan>,
    /// Length of the head in bytes, including the empty line behind it.
    pub length: u32,
}

impl HeadIndex {
    /// Forgets the message and keeps the allocation for the next one.
    pub fn clear(&mut self) {
        // Field by field: moving the memory out and in again would cost more.
        let Self {
            method,
            target,
            authority,
            path,
            query,
            has_query,
            status,
            reason,
            version,
            headers,
            length,
        } = self;
        for span in [method, target, authority, path, query, reason] {
            *span = Span::default();
        }
        *has_query = false;
        *status = 0;
        *version = HttpVersion::default();
        headers.clear();
        *length = 0;
    }
}

/// A head: bytes and index together. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// The bytes the index refers to; may be longer than the head.
    pub bytes: &'a [u8],
    /// Where everything lies.
    pub index: &'a HeadIndex,
}

impl<'a> Head<'a> {
    /// Joins bytes and index.
    #[must_use]
    pub const fn new(bytes: &'a [u8], index: &'a HeadIndex) -> Self {
        Self { bytes, index }
    }

    /// The bytes a span names.
    #[must_use]
    pub fn get(&self, span: Span) -> &'a [u8] {
        span.of(self.bytes)
    }

    /// Request method in the spelling received.
    #[must_use]
    pub fn method(&self) -> &'a [u8] {
        self.get(self.index.method)
    }

    /// Request target as received.
    #[must_use]
    pub fn target(&self) -> &'a [u8] {
        self.get(self.index.target)
    }

    /// Path as received, not normalised.
    #[must_use]
    pub fn path(&self) -> &'a [u8] {
        self.get(self.index.path)
    }

    /// Query without its question mark, `None` when the target has none.
    #[must_use]
    pub fn query(&self) -> Option<&'a [u8]> {
        self.index.has_query.then(|| self.get(self.index.query))
    }

    /// All header lines, name and value, in the order received.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let bytes = self.bytes;
        self.index
            .headers
            .iter()
            .map(move |header| (header.name.of(bytes), header.value.of(bytes)))
    }

    /// All values of a header; the name is compared without regard to case.
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let bytes = self.bytes;
        let name = name.as_bytes();
        self.index
            .headers
            .iter()
            .filter(move |header| {
                header.name.len() == name.len() && header.name.of(bytes).eq_ignore_ascii_case(name)
            })
            .map(move |header| header.value.of(bytes))
    }

    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.values(name).next()
    }
}

impl fmt::Debug for Head<'_> {
    /// Prints sizes only: a head carries credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("length", &self.index.length)
            .field("headers", &self.index.headers.len())
            .finish_non_exhaustive()
    }
}
