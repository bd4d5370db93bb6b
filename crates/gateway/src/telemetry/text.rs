//! Short text kept in place, so that a record needs no allocation.

use std::fmt;

/// Up to `N` bytes of text by value; what is longer is cut. `N` must be below 256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<const N: usize> {
    length: u8,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    /// No text.
    pub const EMPTY: Self = Self {
        length: 0,
        bytes: [0; N],
    };

    /// Keeps the first `N` bytes.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        const { assert!(N < 256, "the length is one byte") };
        let kept = text.len().min(N);
        let mut bytes = [0; N];
        bytes[..kept].copy_from_slice(&text[..kept]);
        Self {
            length: u8::try_from(kept).unwrap_or(0),
            bytes,
        }
    }

    /// The bytes kept.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The text; bytes that are no UTF-8, such as half a character at the cut, become U+FFFD.
    #[must_use]
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(self.as_bytes()).into_owned()
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_text(), f)
    }
}
