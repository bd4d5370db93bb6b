//! One thing that is wrong with a document.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::document::{ParseError, Step, path_text};

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
    pub entity: Option<Arc<ProblemEntity>>,
    pub(crate) steps: Vec<Step>,
    pub(crate) place: Place,
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
    /// Number of steps of the path.
    pub(crate) depth: usize,
}

/// Where the reference reports a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At its path.
    Field,
    /// About the record at its path.
    Entity,
    /// By name or id of the entity.
    Dangling { kind: &'static str, key: String },
    /// About the whole entity, at its path.
    Twice,
    /// By position in its list, as if that list stood at the top level.
    Unique {
        kind: &'static str,
        index: usize,
        nested: bool,
    },
}

impl Place {
    /// The reference reports one stage at a time.
    pub(crate) fn stage(&self) -> u8 {
        match self {
            Self::Field | Self::Entity => 0,
            Self::Unique { .. } | Self::Twice => 1,
            Self::Dangling { .. } => 2,
        }
    }
}

impl Problem {
    /// A problem of a row of flat tables, found after they were read: `field` is a dotted path
    /// below the row, empty for the row as a whole.
    #[must_use]
    pub fn of_row(kind: &str, position: usize, body: Value, field: &str, message: &str) -> Self {
        let mut steps = vec![Step::Member(kind.to_owned()), Step::Element(position)];
        let entity = Arc::new(ProblemEntity {
            kind: kind.to_owned(),
            path: path_text(&steps),
            body,
            depth: steps.len(),
        });
        let members = field.split('.').filter(|member| !member.is_empty());
        steps.extend(members.map(|member| Step::Member(member.to_owned())));
        let place = match field {
            "" => Place::Entity,
            _ => Place::Field,
        };
        Self::new(steps, message, place, Some(entity))
    }

    pub(crate) fn new(
        steps: Vec<Step>,
        message: &str,
        place: Place,
        entity: Option<Arc<ProblemEntity>>,
    ) -> Self {
        Self {
            path: path_text(&steps),
            line: None,
            message: message.to_owned(),
            entity,
            steps,
            place,
        }
    }
}

impl From<&ParseError> for Problem {
    /// A text that cannot be read, as a problem of the whole document.
    fn from(error: &ParseError) -> Self {
        let message = format!("column {}: {}", error.column, error.message);
        let mut problem = Self::new(Vec::new(), &message, Place::Field, None);
        problem.line = Some(error.line);
        problem
    }
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
