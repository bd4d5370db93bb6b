//! JSON with line numbers.
//!
//! Reading values is `serde_json`'s work; a second walk over the then valid text finds the lines
//! and refuses repeated keys and excessive depth.

use std::collections::HashSet;

use serde_json::Value;

use super::ParseError;
use super::lines::{Keep, Lines, number};
use crate::limits::Limits;

/// Whether a text starts like a JSON object.
pub(super) fn looks_like(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Reads a JSON document.
pub(super) fn parse(text: &str, limits: Limits, keep: Keep) -> Result<(Value, Lines), ParseError> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message
            .split(" at line ")
            .next()
            .unwrap_or(&message)
            .to_owned();
        ParseError::new(
            number(error.line()).max(1),
            number(error.column()).max(1),
            message,
        )
    })?;
    let mut walk = Walk {
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        line_start: 0,
        nodes: 0,
        limits,
        keep,
    };
    let lines = walk.value(0)?;
    Ok((value, lines))
}

/// A walk over a text that is known to be JSON.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
    line_start: usize,
    nodes: usize,
    limits: Limits,
    keep: Keep,
}

impl<'a> Walk<'a> {
    fn fault(&self, message: String) -> ParseError {
        ParseError::new(self.line, number(self.at - self.line_start + 1), message)
    }

    /// Skips what has no meaning, commas and colons included.
    fn skip(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.line_start = self.at + 1;
                }
                b' ' | b'\t' | b'\r' | b',' | b':' => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Lines, ParseError> {
        self.skip();
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(self.fault(format!(
                "the document has more than {} nodes",
                self.limits.nodes
            )));
        }
        let mut lines = self.keep.at(self.line);
        match self.bytes.get(self.at) {
            Some(b'{' | b'[') if depth >= self.limits.depth => {
                let limit = self.limits.depth;
                return Err(
                    self.fault(format!("the document is nested deeper than {limit} levels"))
                );
            }
            Some(b'{') => self.object(depth, &mut lines)?,
            Some(b'[') => {
                self.at += 1;
                while self.next_is_not(b']') {
                    lines.push(self.value(depth + 1)?);
                }
                self.at += 1;
            }
            Some(b'"') => {
                self.string();
            }
            _ => {
                while self
                    .bytes
                    .get(self.at)
                    .is_some_and(|byte| !b",]} \t\r\n".contains(byte))
                {
                    self.at += 1;
                }
            }
        }
        Ok(lines)
    }

    fn object(&mut self, depth: usize, lines: &mut Lines) -> Result<(), ParseError> {
        self.at += 1;
        let mut keys: HashSet<&'a [u8]> = HashSet::new();
        while self.next_is_not(b'}') {
            let line = self.line;
            let start = self.at;
            let key = self.string();
            if !keys.insert(key) {
                self.at = start;
                let key = String::from_utf8_lossy(key);
                return Err(self.fault(format!("the key `{key}` is repeated")));
            }
            let mut kid = self.value(depth + 1)?;
            kid.line = line;
            lines.push(kid);
        }
        self.at += 1;
        Ok(())
    }

    fn next_is_not(&mut self, end: u8) -> bool {
        self.skip();
        self.bytes.get(self.at).is_some_and(|byte| *byte != end)
    }

    /// The raw text between the quotes.
    fn string(&mut self) -> &'a [u8] {
        self.at += 1;
        let start = self.at;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        let text = self.bytes.get(start..self.at).unwrap_or_default();
        self.at += 1;
        text
    }
}
