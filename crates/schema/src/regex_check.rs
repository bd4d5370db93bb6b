//! Whether a text is a usable regular expression, and if not, why.
//!
//! Compat: the reference compiles with PCRE2 and prints its words for the common faults. Here
//! a pattern must be acceptable to the engine that will match with it; what only PCRE2 knows
//! (look-around, back-references) is refused in plain words.

/// Words of the engine and of PCRE2 for the same fault.
const WORDS: [(&str, &str); 6] = [
    ("unclosed group", "missing closing parenthesis"),
    (
        "unclosed character class",
        "missing terminating ] for character class",
    ),
    ("unopened group", "unmatched closing parenthesis"),
    (
        "repetition operator missing expression",
        "quantifier does not follow a repeatable item",
    ),
    ("incomplete escape sequence", "\\ at end of pattern"),
    (
        "invalid character class range",
        "range out of order in character class",
    ),
];

/// Why `pattern` is no regular expression; `None` if it is one.
#[must_use]
pub fn compile_error(pattern: &str) -> Option<String> {
    let error = regex::Regex::new(pattern).err()?;
    let text = error.to_string();
    let last = text.rsplit("error: ").next().unwrap_or(&text).trim();
    let words = WORDS
        .iter()
        .find(|(own, _)| last.starts_with(own))
        .map_or(last, |(_, pcre)| pcre);
    Some(format!("pcre2_compile() failed: {words} in \"{pattern}\""))
}
