//! What of an expression the index can file: for each way to satisfy it, a host and the beginning of a path.
//!
//! An anchor promises less than the expression: every request that satisfies the expression fits one of its
//! anchors, and the expression is evaluated for those that do.

use expressions::{Expression, Field, Operator, Predicate, Value};

use crate::{
    patterns,
    rules::{HostKind, HostRule},
};

/// Most anchors of one expression; one that has more is filed less precisely.
const ANCHORS_MAX: usize = 64;

/// One way to satisfy an expression.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// The host must fit this.
    pub(crate) host: Option<HostRule>,
    /// The path must begin so; empty when nothing is sure.
    pub(crate) path: Box<[u8]>,
}

/// The anchors of an expression; none when nothing can satisfy it.
pub(crate) fn anchors(expression: &Expression) -> Vec<Anchor> {
    let whole = || vec![Anchor::default()];
    match expression {
        Expression::Not(_) => whole(),
        Expression::Predicate(predicate) => vec![of_predicate(predicate)],
        Expression::All(parts) => parts.iter().map(anchors).fold(whole(), both),
        Expression::Any(parts) => {
            let mut any: Vec<Anchor> = Vec::new();
            for anchor in parts.iter().flat_map(anchors) {
                if !any.contains(&anchor) {
                    any.push(anchor);
                }
            }
            if any.len() > ANCHORS_MAX || any.contains(&Anchor::default()) {
                return whole();
            }
            any
        }
    }
}

/// Those of two conditions that must both hold.
fn both(left: Vec<Anchor>, right: Vec<Anchor>) -> Vec<Anchor> {
    if left.len() * right.len() > ANCHORS_MAX {
        let strength = |list: &[Anchor]| list.iter().map(Anchor::strength).min();
        return if strength(&left) >= strength(&right) {
            left
        } else {
            right
        };
    }
    let pairs = left
        .iter()
        .flat_map(|left| right.iter().map(move |right| left.with(right)));
    pairs.flatten().collect()
}

impl Anchor {
    /// How well it narrows down.
    fn strength(&self) -> usize {
        let host = match &self.host {
            Some(rule) if rule.kind == HostKind::Exact => 64,
            Some(_) => 8,
            None => 0,
        };
        host + self.path.len().min(32)
    }

    /// Both; `None` when nothing fits both.
    fn with(&self, other: &Self) -> Option<Self> {
        let path = if self.path.starts_with(&other.path) {
            &self.path
        } else if other.path.starts_with(&self.path) {
            &other.path
        } else {
            return None;
        };
        let host = match (&self.host, &other.host) {
            (Some(own), Some(other)) => {
                let is_exact = |rule: &HostRule| rule.kind == HostKind::Exact;
                if is_exact(own) && is_exact(other) && own != other {
                    return None;
                }
                Some(if is_exact(other) { other } else { own })
            }
            (own, other) => own.as_ref().or(other.as_ref()),
        };
        Some(Self {
            host: host.cloned(),
            path: path.clone(),
        })
    }
}

fn of_predicate(predicate: &Predicate) -> Anchor {
    let (Value::Text(text), false) = (&predicate.right, predicate.left.is_lower) else {
        return Anchor::default();
    };
    let host = |kind| Anchor {
        host: Some(HostRule {
            kind,
            text: text.as_bytes().into(),
            port: None,
        }),
        ..Anchor::default()
    };
    let path = |path: Box<[u8]>| Anchor { host: None, path };
    match (&predicate.left.field, predicate.operator) {
        (Field::Host, Operator::Equals) => host(HostKind::Exact),
        // Wildcards are looked up at the dots of a host.
        (Field::Host, Operator::Suffix) if text.starts_with('.') => host(HostKind::Suffix),
        (Field::Host, Operator::Prefix) if text.ends_with('.') => host(HostKind::Prefix),
        (Field::Path, Operator::Equals | Operator::Prefix) => path(text.as_bytes().into()),
        (Field::Path, Operator::Matches) => path(patterns::literal_prefix(text)),
        _ => Anchor::default(),
    }
}
