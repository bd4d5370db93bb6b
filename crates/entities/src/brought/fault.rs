//! Why a description cannot be read.

/// Where and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", place(*line))]
pub struct SchemaFault {
    /// The line, from 1; 0 when it is about the whole text.
    pub line: usize,
    /// Why.
    pub reason: String,
}

fn place(line: usize) -> String {
    match line {
        0 => String::new(),
        line => format!("line {line}: "),
    }
}

impl SchemaFault {
    pub(super) fn new(line: usize, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { line, reason }
    }

    /// A fault of the whole description.
    pub(super) fn whole(reason: impl Into<String>) -> Self {
        Self::new(0, reason)
    }
}
