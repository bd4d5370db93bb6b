//! Room `expressions`: the language in which routes of the flavor `expressions` say what they match.
//!
//! [`Expression::parse`] reads a text and checks its types: every field exists where the route listens, every
//! operator fits what it compares, every pattern compiles. `Compat:` grammar, types and messages are those of
//! the reference.
//!
//! Nothing is evaluated here: the room `router` does that.

mod ast;
mod check;
mod error;
mod field;
mod literal;
mod parser;
mod text;

pub use ast::{Block, Expression, Left, Operator, Predicate, Value};
pub use error::{ExpressionError, SyntaxError};
pub use field::{Field, Kind, Subsystem};
