//! Text patterns: what the reference publishes and what this program runs.
//!
//! The reference writes Lua patterns into its schema documents; those texts stay part of the
//! published form, while matching uses an equal regular expression.

use std::fmt;
use std::sync::Arc;

use regex::Regex;

/// A pattern of a text rule in two notations.
#[derive(Clone)]
pub struct Pattern {
    lua: &'static str,
    regex: Arc<Regex>,
}

impl Pattern {
    /// A pattern: `lua` is published in schema documents, `regex` is what matches.
    ///
    /// # Panics
    ///
    /// If `regex` is no regular expression. Both texts are constants of the program.
    #[must_use]
    pub fn new(lua: &'static str, regex: &'static str) -> Self {
        let regex = Regex::new(regex).expect("the pattern is a constant of the program");
        Self {
            lua,
            regex: Arc::new(regex),
        }
    }

    /// A pattern that is no constant of the program; `None` if `regex` is no regular expression.
    #[must_use]
    pub fn read(lua: &'static str, regex: &str) -> Option<Self> {
        let regex = Regex::new(regex).ok()?;
        Some(Self {
            lua,
            regex: Arc::new(regex),
        })
    }

    /// The published notation.
    #[must_use]
    pub fn lua(&self) -> &'static str {
        self.lua
    }

    /// The regular expression.
    #[must_use]
    pub fn regex(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether `text` contains a match.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.lua).finish()
    }
}
