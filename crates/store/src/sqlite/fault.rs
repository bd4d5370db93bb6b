//! From the database's errors to the store's.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::StoreError;

/// Why work inside a transaction stopped.
pub(super) enum Fault {
    /// The work breaks a rule; only it is undone.
    Refused(StoreError),
    /// The database failed; the whole transaction is undone.
    Database(rusqlite::Error),
}

pub(super) type Outcome<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl Fault {
    pub(super) fn into_error(self, action: &str, path: &Path) -> StoreError {
        match self {
            Self::Refused(error) => error,
            Self::Database(error) => translate(&error, action, path),
        }
    }
}

/// Turns an error of the database into one that says what to do.
pub(crate) fn translate(error: &rusqlite::Error, action: &str, path: &Path) -> StoreError {
    let place = path.display().to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full { place },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt {
            place,
            detail: error.to_string(),
        },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Unavailable {
            reason: format!("another program holds `{}`", path.display()),
        },
        _ => StoreError::Storage {
            action: action.to_owned(),
            detail: error.to_string(),
        },
    }
}
