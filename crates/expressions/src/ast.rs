//! What an expression is made of.

use std::net::IpAddr;

use crate::{error::ExpressionError, field::Field, field::Subsystem, parser};

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// All of these hold; tried in order, up to the first that does not.
    All(Vec<Self>),
    /// One of these holds; tried in order, up to the first that does.
    Any(Vec<Self>),
    /// This does not hold.
    Not(Box<Self>),
    /// One comparison.
    Predicate(Predicate),
}

/// One comparison of a field with a literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicate {
    /// What is compared.
    pub left: Left,
    /// How.
    pub operator: Operator,
    /// With what.
    pub right: Value,
}

/// The left side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The field.
    pub field: Field,
    /// Whether its text is compared in lower case.
    pub is_lower: bool,
    /// Whether one of several values is enough; otherwise all must fit.
    pub is_any: bool,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equals,
    /// `!=`
    NotEquals,
    /// `~`: the text holds a match of the pattern.
    Matches,
    /// `^=`: the text begins with the literal.
    Prefix,
    /// `=^`: the text ends with the literal.
    Suffix,
    /// `contains`
    Contains,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `in`: the address is of the block.
    In,
    /// `not in`
    NotIn,
}

/// A literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text; behind `~` a pattern.
    Text(Box<str>),
    /// A number.
    Integer(i64),
    /// An address.
    Address(IpAddr),
    /// A block of addresses.
    Block(Block),
}

/// A block of addresses: `network/length`, its host bits zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The first address.
    pub network: IpAddr,
    /// How many leading bits are common; at most 32 or 128.
    pub length: u8,
}

impl Expression {
    /// Reads an expression and checks its types.
    ///
    /// # Errors
    ///
    /// The first fault: in the text with its place, or a comparison that makes no sense.
    pub fn parse(text: &str, subsystem: Subsystem) -> Result<Self, ExpressionError> {
        parser::parse(text, subsystem)
    }

    /// Calls `visit` with each comparison, from left to right.
    pub fn visit<'e>(&'e self, visit: &mut dyn FnMut(&'e Predicate)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.visit(visit)),
            Self::Not(inner) => inner.visit(visit),
            Self::Predicate(predicate) => visit(predicate),
        }
    }
}

impl Block {
    /// Whether an address is of the block; one of the other family never is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, other, width) = match (self.network, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (u128::from(own.to_bits()), u128::from(other.to_bits()), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128),
            _ => return false,
        };
        let shift = u32::from(width - self.length.min(width));
        own.checked_shr(shift) == other.checked_shr(shift)
    }

    /// Whether no bit behind the length is set.
    pub(crate) fn has_zero_host(&self) -> bool {
        let (bits, width) = match self.network {
            IpAddr::V4(own) => (u128::from(own.to_bits()), 32),
            IpAddr::V6(own) => (own.to_bits(), 128),
        };
        bits.trailing_zeros() >= u32::from(width - self.length.min(width))
    }
}
