//! Whether a text is a usable regular expression, and if not, why.
//!
//! Compat: the reference compiles with PCRE2 and prints its words; matching itself uses this
//! program's regex engine, so a pattern must be acceptable to that.

/// Why `pattern` is no regular expression; `None` if it is one.
#[must_use]
pub fn compile_error(pattern: &str) -> Option<String> {
    regex::Regex::new(pattern)
        .err()
        .map(|error| error.to_string())
}
