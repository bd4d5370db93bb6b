//! Ranges of a head inside its bytes.

/// A range of a head's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// First byte.
    pub(crate) start: u32,
    /// One past the last byte.
    pub(crate) end: u32,
}

/// One header field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeaderSpan {
    /// Range of the name.
    pub(crate) name: Span,
    /// Range of the value without surrounding white space.
    pub(crate) value: Span,
}

/// Where the parts of a head lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeadIndex {
    /// The method.
    pub(crate) method: Span,
    /// The target as received.
    pub(crate) target: Span,
    /// The path of the target; empty means `/`.
    pub(crate) path: Span,
    /// The query with its `?`; empty when there is none.
    pub(crate) query: Span,
    /// The header fields in order.
    pub(crate) headers: Vec<HeaderSpan>,
}

impl Span {
    /// The bytes of the range.
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..self.end as usize]
    }
}
