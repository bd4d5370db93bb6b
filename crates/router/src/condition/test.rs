//! An expression as it is evaluated: patterns compiled, literals as bytes.

use std::net::IpAddr;

use expressions::{Block, Expression, Field, Operator, Predicate, Value};

use crate::patterns::Interner;

/// A compiled condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    All(Box<[Self]>),
    Any(Box<[Self]>),
    Not(Box<Self>),
    Check(Box<Check>),
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    pub(super) field: Field,
    pub(super) is_lower: bool,
    pub(super) is_any: bool,
    pub(super) with: With,
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum With {
    Text(TextTest, Box<[u8]>),
    /// The pattern of this number.
    Pattern(usize),
    Integer(Operator, i64),
    Address(IpAddr, bool),
    Block(Block, bool),
}

/// How texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextTest {
    Equals,
    Differs,
    Begins,
    Ends,
    Holds,
}

impl Test {
    /// Compiles an expression whose types are right.
    ///
    /// # Errors
    ///
    /// The pattern that does not compile, and why.
    pub(crate) fn compile(
        expression: &Expression,
        patterns: &mut Interner<'_>,
    ) -> Result<Self, (String, String)> {
        Ok(match expression {
            Expression::All(parts) => Self::All(Self::each(parts, patterns)?),
            Expression::Any(parts) => Self::Any(Self::each(parts, patterns)?),
            Expression::Not(inner) => Self::Not(Box::new(Self::compile(inner, patterns)?)),
            Expression::Predicate(predicate) => {
                Self::Check(Box::new(Check::compile(predicate, patterns)?))
            }
        })
    }

    fn each(
        parts: &[Expression],
        patterns: &mut Interner<'_>,
    ) -> Result<Box<[Self]>, (String, String)> {
        let compiled = parts.iter().map(|part| Self::compile(part, patterns));
        compiled.collect()
    }

    /// Whether a comparison reads the path.
    pub(crate) fn reads_path(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::reads_path),
            Self::Not(inner) => inner.reads_path(),
            Self::Check(check) => matches!(
                check.field,
                Field::Path | Field::Segments { .. } | Field::SegmentCount
            ),
        }
    }
}

impl Check {
    fn compile(
        predicate: &Predicate,
        patterns: &mut Interner<'_>,
    ) -> Result<Self, (String, String)> {
        let operator = predicate.operator;
        let with = match &predicate.right {
            Value::Text(text) if operator == Operator::Matches => {
                let number = patterns.intern_open(text);
                With::Pattern(number.map_err(|reason| (text.to_string(), reason))?)
            }
            Value::Text(text) => With::Text(text_test(operator), text.as_bytes().into()),
            Value::Integer(number) => With::Integer(operator, *number),
            Value::Address(address) => With::Address(*address, operator != Operator::NotEquals),
            Value::Block(block) => With::Block(*block, operator != Operator::NotIn),
        };
        Ok(Self {
            field: predicate.left.field.clone(),
            is_lower: predicate.left.is_lower,
            is_any: predicate.left.is_any,
            with,
        })
    }
}

const fn text_test(operator: Operator) -> TextTest {
    match operator {
        Operator::NotEquals => TextTest::Differs,
        Operator::Prefix => TextTest::Begins,
        Operator::Suffix => TextTest::Ends,
        Operator::Contains => TextTest::Holds,
        // The other operators do not stand before text.
        _ => TextTest::Equals,
    }
}
