//! Mistakes in settings. All of them are reported at once.

use std::fmt;
use std::path::PathBuf;

/// Where a value was set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: the built-in default.
    #[default]
    Default,
    /// The environment variable `KONG_…` of the property.
    Environment,
    /// A line of the file.
    File {
        /// Line number, from 1.
        line: u32,
    },
    /// An argument of the command.
    Override,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::Environment => out.write_str("environment"),
            Self::File { line } => write!(out, "line {line}"),
            Self::Override => out.write_str("argument"),
        }
    }
}

/// One mistake in the settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfError {
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}; name another file with -c", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A line of the file is not `key = value`.
    #[error("`{}` line {line}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u32,
        /// What is wrong.
        message: String,
    },
    /// A value has the wrong form.
    #[error("`{property}` ({origin}) is `{value}`: {message}")]
    Value {
        /// Name of the property.
        property: String,
        /// The value, or a placeholder when it is secret.
        value: String,
        /// Where it was set.
        origin: Origin,
        /// What is wrong and what to do.
        message: String,
    },
    /// A value does not fit the other values.
    #[error("`{property}` {message}")]
    Rule {
        /// Name of the property to change.
        property: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// An unknown key, where the caller asked for strictness.
    #[error("`{}` line {line}: `{key}` is not a known property{hint}", path.display())]
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
}

impl ConfError {
    /// The property at fault, where there is one.
    #[must_use]
    pub fn property(&self) -> Option<&str> {
        match self {
            Self::Value { property, .. } | Self::Rule { property, .. } => Some(property),
            Self::UnknownKey { key, .. } => Some(key),
            Self::File { .. } | Self::Syntax { .. } => None,
        }
    }

    pub(crate) fn rule(property: &str, message: impl Into<String>) -> Self {
        Self::Rule {
            property: property.to_owned(),
            message: message.into(),
        }
    }
}
