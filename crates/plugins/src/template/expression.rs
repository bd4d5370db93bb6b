//! What an expression consists of.

use super::value::Value;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Literal(Value),
    /// A member of one of the tables that requests give.
    Member(Table, Box<Self>),
    Not(Box<Self>),
    Negative(Box<Self>),
    Length(Box<Self>),
    Binary(Operator, Box<Self>, Box<Self>),
    Call(Function, Vec<Self>),
}

/// Tables that requests give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Headers,
    QueryParams,
    UriCaptures,
    /// Values that other plugins share; none does.
    Shared,
}

/// Operators of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    Unequal,
    Concat,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

impl Operator {
    /// How tightly it binds.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::Equal
            | Self::Unequal => 3,
            Self::Concat => 4,
            Self::Add | Self::Subtract => 5,
            Self::Multiply | Self::Divide | Self::Modulo => 6,
        }
    }
}

/// Functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    ToString,
    ToNumber,
    Type,
    Lower,
    Upper,
    Len,
    Reverse,
    Sub,
    Rep,
}

impl Function {
    /// A function on texts, by its name in Lua's table `string`.
    pub(super) fn of_string(name: &str) -> Option<Self> {
        Some(match name {
            "lower" => Self::Lower,
            "upper" => Self::Upper,
            "len" => Self::Len,
            "reverse" => Self::Reverse,
            "sub" => Self::Sub,
            "rep" => Self::Rep,
            _ => return None,
        })
    }
}
