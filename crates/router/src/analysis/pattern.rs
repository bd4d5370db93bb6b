//! Patterns that are a risk: not known to this engine, or exponential in one that backtracks.

use regex_syntax::hir::{Hir, HirKind, Repetition};

use crate::patterns;

/// Why a pattern is a risk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternRisk {
    /// The engine of this node and of the compatible flavor does not take it; says why. A
    /// configuration with it is refused by such nodes.
    NotAccepted(String),
    /// A repetition of something that may be repeated by itself: an engine that backtracks, as
    /// that of the traditional flavor of other nodes, may take exponentially long for a path that
    /// does not match. Says which part.
    Backtracks(String),
}

/// Looks at a pattern, without the `~` that marks it in a route.
#[must_use]
pub fn pattern_risk(pattern: &str) -> Option<PatternRisk> {
    if let Err(reason) = patterns::compile(&format!("^{pattern}")) {
        return Some(PatternRisk::NotAccepted(reason));
    }
    let hir = regex_syntax::Parser::new().parse(pattern).ok()?;
    nested(&hir).map(|part| PatternRisk::Backtracks(part.to_string()))
}

/// The first repetition whose content can be cut into repetitions in many ways.
fn nested(hir: &Hir) -> Option<&Hir> {
    match hir.kind() {
        HirKind::Repetition(outer) if is_open(outer) && is_loose(&outer.sub) => Some(hir),
        HirKind::Repetition(outer) => nested(&outer.sub),
        HirKind::Capture(capture) => nested(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().find_map(nested),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => None,
    }
}

/// Whether a repetition has no end that matters.
fn is_open(repetition: &Repetition) -> bool {
    repetition.max.is_none_or(|most| most >= 10)
}

/// Whether the content is a repetition without end beside which nothing has to be there: then
/// one more round outside is the same as one more inside.
fn is_loose(content: &Hir) -> bool {
    match content.kind() {
        HirKind::Repetition(inner) => {
            inner.max.is_none() && inner.sub.properties().minimum_len() != Some(0)
                || is_loose(&inner.sub)
        }
        HirKind::Capture(capture) => is_loose(&capture.sub),
        HirKind::Alternation(parts) => parts.iter().any(is_loose),
        HirKind::Concat(parts) => parts.iter().enumerate().any(|(position, part)| {
            let others = parts
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != position);
            let mut others = others.map(|(_, other)| other.properties().minimum_len());
            is_loose(part) && others.all(|least| least == Some(0))
        }),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}
