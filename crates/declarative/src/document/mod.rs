//! Parsed text that knows the line of every node.
//!
//! YAML (1.1 scalars as the reference reads them, anchors, aliases and merge keys) and JSON.
//! Duplicate keys are refused: what an operator wrote twice is not for us to choose from.

mod json;
mod lines;
mod scalar;
mod yaml;

use serde_json::Value;

use crate::limits::Limits;
use lines::Keep;
pub(crate) use lines::{Lines, Step, path_text};

/// The message about a text that holds something else than an object.
pub const NOT_AN_OBJECT: &str = "expected an object";

/// How a document is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// JSON if it is JSON, YAML otherwise.
    #[default]
    Auto,
}

/// A text that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ParseError {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
}

impl ParseError {
    pub(crate) fn new(line: u32, column: u32, message: impl Into<String>) -> Self {
        Self {
            line,
            column,
            message: message.into(),
        }
    }
}

/// A parsed document.
#[derive(Clone, Debug, Default)]
pub struct Document {
    pub(crate) root: Value,
    pub(crate) lines: Option<Lines>,
}

impl Document {
    /// Reads a text, whose content must be an object.
    ///
    /// # Errors
    ///
    /// The first reason why it cannot be read, with its place.
    pub fn parse(bytes: &[u8], format: Format, limits: Limits) -> Result<Self, ParseError> {
        Self::read(bytes, format, limits, Keep::Lines)
    }

    /// [`Document::parse`] for large texts: the document does not know its lines.
    ///
    /// # Errors
    ///
    /// The first reason why it cannot be read, with its place.
    pub fn parse_values(bytes: &[u8], format: Format, limits: Limits) -> Result<Self, ParseError> {
        let read = Self::read(bytes, format, limits, Keep::Values);
        // The place of some errors follows from lines that were not kept.
        read.or_else(|_| Self::parse(bytes, format, limits))
    }

    fn read(bytes: &[u8], format: Format, limits: Limits, keep: Keep) -> Result<Self, ParseError> {
        if bytes.len() > limits.bytes {
            let message = format!("the text has more than {} bytes", limits.bytes);
            return Err(ParseError::new(1, 1, message));
        }
        let text = utf8(bytes)?;
        let (root, lines) = match format {
            Format::Yaml => yaml::parse(text, limits, keep)?,
            Format::Json => json::parse(text, limits, keep)?,
            Format::Auto if json::looks_like(text) => match json::parse(text, limits, keep) {
                Ok(parsed) => parsed,
                Err(_) => yaml::parse(text, limits, keep)?,
            },
            Format::Auto => yaml::parse(text, limits, keep)?,
        };
        if !root.is_object() {
            return Err(ParseError::new(lines.line.max(1), 1, NOT_AN_OBJECT));
        }
        let lines = (keep == Keep::Lines).then_some(lines);
        Ok(Self { root, lines })
    }

    /// A document from a value that was never text here.
    #[must_use]
    pub fn from_value(root: Value) -> Self {
        Self { root, lines: None }
    }

    /// The content.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.root
    }

    /// The line of the node at a path (`services[0].name`), or of the nearest node around it.
    #[must_use]
    pub fn line(&self, path: &str) -> Option<u32> {
        self.line_of(&lines::steps(path))
    }

    pub(crate) fn line_of(&self, steps: &[Step]) -> Option<u32> {
        self.lines
            .as_ref()
            .map(|lines| lines.find(&self.root, steps))
    }
}

/// The text of the bytes, without a byte order mark.
fn utf8(bytes: &[u8]) -> Result<&str, ParseError> {
    let place = |upto: usize| {
        let before = &bytes[..upto];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        (lines::number(line), lines::number(upto - start + 1))
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (line, column) = place(error.valid_up_to());
        ParseError::new(line, column, "the text is not UTF-8")
    })?;
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let (line, column) = place(at);
        return Err(ParseError::new(
            line,
            column,
            "the text contains a NUL byte",
        ));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
