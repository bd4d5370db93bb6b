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
    /// A member names another entity by something else than its id, and there is none.
    #[error("`{field}` names `{name}`, which is not in `{kind}`")]
    Unresolved {
        /// The member.
        field: String,
        /// Plural name of the kind that was looked through.
        kind: &'static str,
        /// What was looked for.
        name: String,
    },
    /// The store refused or failed.
    #[error(transparent)]
    Store(StoreError),
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
