//! Whether a comparison makes sense.

use regex::bytes::RegexBuilder;

use crate::{
    ast::{Left, Operator, Value},
    error::ExpressionError,
    field::Kind,
};

/// Largest compiled form of one pattern in bytes.
const SIZE_LIMIT: usize = 1 << 20;
/// Deepest nesting of a pattern.
const NEST_LIMIT: u32 = 100;

/// Checks the types of a comparison.
pub(crate) fn types(left: &Left, operator: Operator, right: &Value) -> Result<(), ExpressionError> {
    let kind = left.field.kind();
    let is_block_test = matches!(operator, Operator::In | Operator::NotIn);
    if operator != Operator::Matches && !is_block_test && Some(kind) != kind_of(right) {
        return Err(ExpressionError::TypeMismatch);
    }
    if left.is_lower && kind != Kind::Text {
        return Err(ExpressionError::LowerOfNoText);
    }
    let is_right = match operator {
        Operator::Equals | Operator::NotEquals => true,
        Operator::Matches | Operator::Prefix | Operator::Suffix | Operator::Contains => {
            kind == Kind::Text
        }
        Operator::Greater | Operator::GreaterOrEqual | Operator::Less | Operator::LessOrEqual => {
            kind == Kind::Integer
        }
        Operator::In | Operator::NotIn => kind == Kind::Address && matches!(right, Value::Block(_)),
    };
    if is_right {
        Ok(())
    } else {
        Err(fault(operator))
    }
}

const fn fault(operator: Operator) -> ExpressionError {
    match operator {
        Operator::Equals | Operator::NotEquals => ExpressionError::TypeMismatch,
        Operator::Matches => ExpressionError::PatternOnNoText,
        Operator::Prefix | Operator::Suffix => ExpressionError::EndOfNoText,
        Operator::Contains => ExpressionError::ContainsInNoText,
        Operator::Greater | Operator::GreaterOrEqual | Operator::Less | Operator::LessOrEqual => {
            ExpressionError::OrderOfNoInteger
        }
        Operator::In | Operator::NotIn => ExpressionError::NoBlock,
    }
}

const fn kind_of(value: &Value) -> Option<Kind> {
    match value {
        Value::Text(_) => Some(Kind::Text),
        Value::Integer(_) => Some(Kind::Integer),
        Value::Address(_) => Some(Kind::Address),
        Value::Block(_) => None,
    }
}

/// Whether a pattern compiles within the limits; what the engine says when it does not.
pub(crate) fn pattern(text: &str) -> Result<(), String> {
    RegexBuilder::new(text)
        .size_limit(SIZE_LIMIT)
        .nest_limit(NEST_LIMIT)
        .build()
        .map(drop)
        .map_err(|error| error.to_string())
}
