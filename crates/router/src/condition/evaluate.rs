//! Whether a condition holds. `Compat:` evaluation stops where the reference's does, because what was compared
//! with the path on the way decides what `strip_path` cuts off.

use expressions::{Field, Operator};

use super::{
    facts::Facts,
    test::{Check, Test, TextTest, With},
};
use crate::{patterns::Patterns, rules::with_lower_case};

/// The last comparison that the path passed, also inside a part that did not hold in the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Seen {
    /// None.
    #[default]
    Nothing,
    /// A literal of this many bytes.
    Literal(usize),
    /// The pattern of this number.
    Pattern(usize),
}

impl Test {
    /// Whether the condition holds.
    pub(crate) fn holds(&self, facts: &Facts<'_>, patterns: &Patterns, seen: &mut Seen) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(facts, patterns, seen)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(facts, patterns, seen)),
            Self::Not(inner) => !inner.holds(facts, patterns, seen),
            Self::Check(check) => check.holds(facts, patterns, seen),
        }
    }
}

impl Check {
    fn holds(&self, facts: &Facts<'_>, patterns: &Patterns, seen: &mut Seen) -> bool {
        match &self.with {
            With::Integer(operator, right) => facts
                .integer(&self.field)
                .is_some_and(|left| compare(left, *operator, *right)),
            With::Address(right, is_equal) => facts
                .address(&self.field)
                .is_some_and(|left| (left == *right) == *is_equal),
            With::Block(block, is_in) => facts
                .address(&self.field)
                .is_some_and(|left| block.contains(left) == *is_in),
            With::Text(..) | With::Pattern(_) => self.text_holds(facts, patterns, seen),
        }
    }

    /// All values must fit, or one with `any()`; without a value the comparison does not hold.
    fn text_holds(&self, facts: &Facts<'_>, patterns: &Patterns, seen: &mut Seen) -> bool {
        let mut has_value = false;
        let mut has_misfit = false;
        let mut has_fit = false;
        facts.texts(&self.field, &mut |value| {
            has_value = true;
            let fits = if self.is_lower {
                lower(value, |value| self.fits(value, patterns))
            } else {
                self.fits(value, patterns)
            };
            if fits && self.field == Field::Path {
                self.note(seen);
            }
            has_misfit |= !fits;
            has_fit |= fits;
            fits == self.is_any
        });
        has_value && if self.is_any { has_fit } else { !has_misfit }
    }

    fn note(&self, seen: &mut Seen) {
        match &self.with {
            With::Text(TextTest::Equals | TextTest::Begins | TextTest::Ends, literal) => {
                *seen = Seen::Literal(literal.len());
            }
            With::Pattern(number) => *seen = Seen::Pattern(*number),
            _ => {}
        }
    }

    fn fits(&self, value: &[u8], patterns: &Patterns) -> bool {
        match &self.with {
            With::Text(test, literal) => match test {
                TextTest::Equals => *value == **literal,
                TextTest::Differs => *value != **literal,
                TextTest::Begins => value.starts_with(literal),
                TextTest::Ends => value.ends_with(literal),
                TextTest::Holds => memchr::memmem::find(value, literal).is_some(),
            },
            With::Pattern(number) => patterns.matches(*number, value),
            With::Integer(..) | With::Address(..) | With::Block(..) => false,
        }
    }
}

fn compare(left: i64, operator: Operator, right: i64) -> bool {
    match operator {
        Operator::Equals => left == right,
        Operator::NotEquals => left != right,
        Operator::Greater => left > right,
        Operator::GreaterOrEqual => left >= right,
        Operator::Less => left < right,
        Operator::LessOrEqual => left <= right,
        _ => false,
    }
}

/// Calls `then` with the text in lower case.
fn lower<T>(value: &[u8], then: impl FnOnce(&[u8]) -> T) -> T {
    if value.is_ascii() {
        return with_lower_case(value, then);
    }
    match std::str::from_utf8(value) {
        Ok(text) => then(text.to_lowercase().as_bytes()),
        Err(_) => with_lower_case(value, then),
    }
}
