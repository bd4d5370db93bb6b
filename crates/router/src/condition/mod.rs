//! Conditions of routes with an expression: compiled, evaluated, and filed in the index.
//!
//! The language itself is the business of the room `expressions`.

mod anchors;
mod evaluate;
mod facts;
mod query_text;
mod test;

pub(crate) use anchors::{Anchor, anchors};
pub(crate) use evaluate::Seen;
pub(crate) use facts::Facts;
pub(crate) use test::Test;
