//! Regular expressions of paths and headers: compiled with limits, shared between equal texts.
//!
//! Compiling costs a tenth of a millisecond, so that many patterns are compiled when they are first needed.
//! Those that might be refused, and those that every request may have to try, are compiled at once.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind, Look};

use crate::flavor::Flavor;

/// Largest compiled form of one pattern in bytes.
const SIZE_LIMIT: usize = 1 << 20;
/// Largest lazy automaton of one pattern in bytes, per thread that runs it.
const DFA_LIMIT: usize = 1 << 20;
/// Deepest nesting of a pattern.
const NEST_LIMIT: u32 = 100;
/// New patterns of one router that are compiled at once; the others wait for their first request.
const EAGER_MAX: usize = 2048;
/// A pattern whose size is guessed to be larger is compiled at once, since it may be refused.
const GUESS_MAX: usize = SIZE_LIMIT / 8;
/// Bytes that one state is guessed to take.
const STATE_SIZE: usize = 64;

/// A path pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// The text that is compiled.
    pub(crate) text: Box<str>,
    /// What every path that matches begins with; empty when nothing is sure.
    pub(crate) literal: Box<[u8]>,
    compiled: OnceLock<Option<Regex>>,
}

/// All path patterns of a router; equal texts are kept once.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    pub(crate) list: Vec<Arc<Pattern>>,
    numbers: HashMap<Box<str>, usize>,
}

/// Gives patterns their numbers while routes are compiled.
#[derive(Debug)]
pub(crate) struct Interner<'e> {
    /// Those of earlier routers, which may be used again.
    earlier: &'e [&'e Patterns],
    own: Patterns,
    /// How many new ones were compiled at once.
    eager: usize,
}

impl Pattern {
    /// The compiled form. That of a pattern that was put off and then does not compile is missing; it matches
    /// nothing.
    pub(crate) fn regex(&self) -> Option<&Regex> {
        let compiled = self.compiled.get_or_init(|| compile(&self.text).ok());
        compiled.as_ref()
    }

    /// Whether the pattern matches.
    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(text))
    }

    /// The length of the first match.
    pub(crate) fn match_len(&self, text: &[u8]) -> Option<usize> {
        let found = self.regex()?.find(text)?;
        Some(found.len())
    }
}

impl<'e> Interner<'e> {
    /// No patterns yet; those of earlier routers are not compiled again.
    pub(crate) fn reusing(earlier: &'e [&'e Patterns]) -> Self {
        Self {
            earlier,
            own: Patterns::default(),
            eager: 0,
        }
    }

    /// All patterns.
    pub(crate) fn finish(self) -> Patterns {
        self.own
    }

    /// The number of the pattern `text` (without the leading `~`), compiled when it is new.
    ///
    /// The traditional flavor anchors the whole pattern at the start. The compatible one writes `^` before
    /// the text, which anchors the first alternative only; so does the reference.
    pub(crate) fn intern(&mut self, text: &str, flavor: Flavor) -> Result<usize, String> {
        self.intern_open(&match flavor {
            Flavor::Traditional => format!("^(?:{text})"),
            Flavor::TraditionalCompatible | Flavor::Expressions => format!("^{text}"),
        })
    }

    /// The number of a pattern that is taken as it is written.
    pub(crate) fn intern_open(&mut self, text: &str) -> Result<usize, String> {
        if let Some(number) = self.own.numbers.get(text) {
            return Ok(*number);
        }
        let pattern = match self.earlier.iter().find_map(|own| own.get(text)) {
            Some(pattern) => Arc::clone(pattern),
            None => Arc::new(self.new_pattern(text)?),
        };
        let number = self.own.list.len();
        self.own.numbers.insert(pattern.text.clone(), number);
        self.own.list.push(pattern);
        Ok(number)
    }

    fn new_pattern(&mut self, text: &str) -> Result<Pattern, String> {
        let hir = parse(text);
        let literal = hir.as_ref().map_or_else(Box::default, literal_of);
        let may_wait = self.eager >= EAGER_MAX
            && literal.len() > 1
            && hir.as_ref().is_some_and(|hir| guess(hir) <= GUESS_MAX);
        let compiled = OnceLock::new();
        if !may_wait {
            self.eager += 1;
            let regex = compile(text)?;
            // A new cell takes it.
            let _ = compiled.set(Some(regex));
        }
        Ok(Pattern {
            text: text.into(),
            literal,
            compiled,
        })
    }
}

impl Patterns {
    /// The pattern of this text.
    fn get(&self, text: &str) -> Option<&Arc<Pattern>> {
        self.list.get(*self.numbers.get(text)?)
    }

    /// Whether the pattern of this number, as candidates hold it, matches.
    pub(crate) fn is_match(&self, number: u32, path: &[u8]) -> bool {
        self.matches(number as usize, path)
    }

    /// Whether the pattern of this number matches.
    pub(crate) fn matches(&self, number: usize, text: &[u8]) -> bool {
        self.list
            .get(number)
            .is_some_and(|pattern| pattern.is_match(text))
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

fn parse(text: &str) -> Option<Hir> {
    let mut builder = regex_syntax::ParserBuilder::new();
    builder.utf8(false).nest_limit(NEST_LIMIT);
    builder.build().parse(text).ok()
}

/// A generous guess of the size of the compiled form in bytes.
fn guess(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => STATE_SIZE,
        HirKind::Literal(literal) => literal.0.len() * STATE_SIZE,
        HirKind::Class(Class::Bytes(class)) => class.ranges().len() * STATE_SIZE,
        HirKind::Class(Class::Unicode(class)) => class.ranges().len() * 4 * STATE_SIZE,
        HirKind::Capture(capture) => guess(&capture.sub).saturating_add(2 * STATE_SIZE),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts
            .iter()
            .map(guess)
            .fold(STATE_SIZE, usize::saturating_add),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min).max(1);
            let rounds = usize::try_from(most).unwrap_or(usize::MAX);
            let one = guess(&repetition.sub).saturating_add(STATE_SIZE);
            one.saturating_mul(rounds.saturating_add(1))
        }
    }
}

/// What every match of an anchored pattern begins with.
pub(crate) fn literal_prefix(text: &str) -> Box<[u8]> {
    parse(text).as_ref().map_or_else(Box::default, literal_of)
}

fn literal_of(hir: &Hir) -> Box<[u8]> {
    let mut prefix = Vec::new();
    let parts = match hir.kind() {
        HirKind::Concat(parts) => parts.as_slice(),
        _ => std::slice::from_ref(hir),
    };
    if matches!(
        parts.first().map(Hir::kind),
        Some(HirKind::Look(Look::Start))
    ) {
        parts[1..]
            .iter()
            .all(|part| push_literal(part, &mut prefix));
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
