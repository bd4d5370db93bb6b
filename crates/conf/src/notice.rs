//! Warnings about settings. A notice never stops a start.

use std::path::PathBuf;

/// One warning about the settings, to be logged once at start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Notice {
    /// A key of the file is not a property.
    #[error("`{}` line {line}: `{key}` is not a known property and has no effect{hint}", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u32,
        /// The key.
        key: String,
        /// Empty, or a proposal of the nearest name.
        hint: String,
    },
    /// A `KONG_*` variable is not a property.
    #[error("the variable `{name}` is not a known property and has no effect{hint}")]
    UnknownVariable {
        /// Name of the variable.
        name: String,
        /// Empty, or a proposal of the nearest name.
        hint: String,
    },
    /// A property is known, set to something else than its default, and has no effect.
    #[error("`{property}` is set but has no effect: {reason}")]
    NoEffect {
        /// Name of the property.
        property: String,
        /// Why.
        reason: String,
    },
    /// A value is accepted but probably not what was meant.
    #[error("`{property}`: {message}")]
    Doubtful {
        /// Name of the property.
        property: String,
        /// What was understood.
        message: String,
    },
}
