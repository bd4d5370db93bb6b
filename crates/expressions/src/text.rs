//! The text under the reader's eyes.

use crate::error::SyntaxError;

/// A text and how far it has been read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'t> {
    pub(crate) source: &'t str,
    pub(crate) at: usize,
}

impl<'t> Text<'t> {
    pub(crate) const fn new(source: &'t str) -> Self {
        Self { source, at: 0 }
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'t str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Passes over blanks.
    pub(crate) fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    /// Passes over `token` when it is next.
    pub(crate) fn take(&mut self, token: &str) -> bool {
        let is_next = self.rest().starts_with(token);
        if is_next {
            self.at += token.len();
        }
        is_next
    }

    /// Passes over the bytes that fit, which are ASCII.
    pub(crate) fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.bytes().take_while(|byte| fits(*byte)).count();
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Passes over a name.
    pub(crate) fn take_name(&mut self) -> Option<&'t str> {
        if !self.rest().starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        Some(self.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')))
    }

    /// A fault here.
    pub(crate) fn expected(&self, what: &str) -> SyntaxError {
        SyntaxError::at(self.source, self.at, format!("expected {what}"))
    }

    /// A fault of what was read since `start`.
    pub(crate) fn fault_since(&self, start: usize, message: impl Into<String>) -> SyntaxError {
        SyntaxError::span(self.source, (start, self.at), message)
    }
}
