//! Regular expressions of paths and headers: compiled with limits, shared between equal texts.

use std::collections::HashMap;

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind, Look};

use crate::flavor::Flavor;

/// Largest compiled form of one pattern in bytes.
const SIZE_LIMIT: usize = 1 << 20;
/// Largest lazy automaton of one pattern in bytes, per thread that runs it.
const DFA_LIMIT: usize = 1 << 20;
/// Deepest nesting of a pattern.
const NEST_LIMIT: u32 = 100;

/// A compiled path pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) regex: Regex,
    /// What every path that matches begins with; empty when nothing is sure.
    pub(crate) literal: Box<[u8]>,
}

/// All path patterns of a router; equal texts are kept once.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    pub(crate) list: Vec<Pattern>,
    numbers: HashMap<String, usize>,
}

impl Patterns {
    /// The number of the pattern `text` (without the leading `~`), compiled when it is new.
    ///
    /// The traditional flavor anchors the whole pattern at the start. The compatible one writes `^` before
    /// the text, which anchors the first alternative only; so does the reference.
    pub(crate) fn intern(&mut self, text: &str, flavor: Flavor) -> Result<usize, String> {
        if let Some(number) = self.numbers.get(text) {
            return Ok(*number);
        }
        let anchored = match flavor {
            Flavor::Traditional => format!("^(?:{text})"),
            Flavor::TraditionalCompatible => format!("^{text}"),
        };
        let regex = compile(&anchored)?;
        let literal = literal_prefix(&anchored);
        let number = self.list.len();
        self.list.push(Pattern { regex, literal });
        self.numbers.insert(text.to_owned(), number);
        Ok(number)
    }

    /// Whether the pattern of this number matches.
    pub(crate) fn is_match(&self, number: u32, path: &[u8]) -> bool {
        self.list
            .get(number as usize)
            .is_some_and(|pattern| pattern.regex.is_match(path))
    }
}

/// Compiles a pattern within the limits; the error is one line.
pub(crate) fn compile(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text)
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(DFA_LIMIT)
        .nest_limit(NEST_LIMIT)
        .build()
        .map_err(|error| one_line(&error))
}

/// The message of the engine without the drawing of the pattern.
fn one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    last.trim().trim_start_matches("error: ").to_owned()
}

/// What every match of an anchored pattern begins with.
fn literal_prefix(text: &str) -> Box<[u8]> {
    let parser = regex_syntax::ParserBuilder::new()
        .utf8(false)
        .nest_limit(NEST_LIMIT)
        .build()
        .parse(text);
    let mut prefix = Vec::new();
    if let Ok(hir) = parser {
        let parts = match hir.kind() {
            HirKind::Concat(parts) => parts.as_slice(),
            _ => std::slice::from_ref(&hir),
        };
        if matches!(
            parts.first().map(Hir::kind),
            Some(HirKind::Look(Look::Start))
        ) {
            parts[1..]
                .iter()
                .all(|part| push_literal(part, &mut prefix));
        }
    }
    prefix.into()
}

/// Appends the text of a part that is nothing but text; returns whether more may follow.
fn push_literal(part: &Hir, prefix: &mut Vec<u8>) -> bool {
    match part.kind() {
        HirKind::Literal(literal) => {
            prefix.extend_from_slice(&literal.0);
            true
        }
        HirKind::Capture(capture) => push_literal(&capture.sub, prefix),
        HirKind::Concat(parts) => parts.iter().all(|part| push_literal(part, prefix)),
        HirKind::Empty => true,
        HirKind::Look(_) | HirKind::Class(_) | HirKind::Repetition(_) | HirKind::Alternation(_) => {
            false
        }
    }
}
