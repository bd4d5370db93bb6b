//! One thing that is wrong with a document.

use std::fmt;

use serde_json::Value;

/// A violation with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Path of the node (`services[0].routes[1].paths[0]`); empty for the whole document.
    pub path: String,
    /// Its line, if the document was text.
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// The entity it belongs to.
    pub entity: Option<ProblemEntity>,
}

/// The entity a problem belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct ProblemEntity {
    /// Plural name of the kind.
    pub kind: String,
    /// Path of the entity.
    pub path: String,
    /// As submitted, without nested children.
    pub body: Value,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}
