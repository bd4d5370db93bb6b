//! Values of expressions, with the rules of Lua.

use bytes::Bytes;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Nil,
    Bool(bool),
    Number(f64),
    Text(Bytes),
}

impl Value {
    /// A text.
    pub(crate) fn text(bytes: &[u8]) -> Self {
        Self::Text(Bytes::copy_from_slice(bytes))
    }

    /// Everything but nothing and `false` counts as true.
    pub(super) fn is_true(&self) -> bool {
        !matches!(self, Self::Nil | Self::Bool(false))
    }

    /// The value as a number, also if it is a text that is one.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => std::str::from_utf8(text).ok()?.trim().parse().ok(),
            Self::Nil | Self::Bool(_) => None,
        }
    }

    /// The name of its type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
        }
    }

    /// Writes it into a text; nothing writes nothing.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Nil => {}
            Self::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
            Self::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Text(text) => out.extend_from_slice(text),
        }
    }
}
