//! Why an entity could not be read or written, before a dialect gives it a shape.

use schema::Violations;
use store::StoreError;

/// Errors of [`super::Entities`].
#[derive(Debug, thiserror::Error)]
pub enum EntityError {
    /// The body breaks rules; all of them are in there.
    #[error("{}", .0.message())]
    Invalid(Box<Violations>),
    /// There is no such entity.
    #[error("there is no such entity")]
    NotFound,
    /// Nothing can be written here.
    #[error("{0}")]
    ReadOnly(&'static str),
    /// There is no database to write to: the configuration comes as a whole.
    #[error("entities cannot be written without a database")]
    NoDatabase,
    /// Members name other entities by something else than their ids, and there are none.
    #[error("{}", sentence(.0))]
    Unresolved(Vec<Unresolved>),
    /// The store refused or failed.
    #[error(transparent)]
    Store(StoreError),
}

/// A member that names another entity by its other key, and there is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` names `{name}`, which is not in `{kind}`")]
pub struct Unresolved {
    /// The member.
    pub field: &'static str,
    /// Plural name of the kind that was looked through.
    pub kind: &'static str,
    /// Its other key.
    pub key: &'static str,
    /// What was looked for.
    pub name: String,
}

fn sentence(unresolved: &[Unresolved]) -> String {
    let all: Vec<_> = unresolved.iter().map(ToString::to_string).collect();
    all.join("; ")
}

impl From<Violations> for EntityError {
    fn from(violations: Violations) -> Self {
        Self::Invalid(Box::new(violations))
    }
}

impl From<StoreError> for EntityError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { .. } => Self::NotFound,
            other => Self::Store(other),
        }
    }
}
