//! Input-only aliases that are expanded before validation.
//!
//! Compat: an alias with a declared replacement is also emitted on read next to the new field,
//! so that older clients keep working.

use serde_json::Value;

use crate::Map;
use crate::field::Field;

/// How an alias is expanded.
#[derive(Clone, Copy, Debug)]
pub enum Expansion {
    /// The value moves to this dotted path (`redis.host`).
    Into(&'static str),
    /// Code returns the members that the alias stands for; `Null` values are kept.
    Code(fn(&Value) -> Map),
}

/// An input-only alias.
#[derive(Clone, Debug)]
pub struct Shorthand {
    /// Name, kind and rules of the alias itself.
    pub field: Field,
    /// What it stands for.
    pub expansion: Expansion,
    /// Whether the alias is the old name of its replacement: both may be sent if they agree,
    /// and the alias is emitted on read.
    pub deprecated: bool,
}

impl Shorthand {
    /// An alias that stands for several members.
    #[must_use]
    pub fn expands(field: Field, code: fn(&Value) -> Map) -> Self {
        Self {
            field,
            expansion: Expansion::Code(code),
            deprecated: false,
        }
    }

    /// The old name of a member at a dotted path.
    #[must_use]
    pub fn replaced(field: Field, path: &'static str) -> Self {
        Self {
            field,
            expansion: Expansion::Into(path),
            deprecated: true,
        }
    }
}
