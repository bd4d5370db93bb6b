//! From the database's errors to the store's.

use tokio_postgres::error::SqlState;

use crate::StoreError;

/// Why work stopped.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The work breaks a rule.
    Refused(StoreError),
    /// The database failed, or did something else than asked.
    Database(tokio_postgres::Error),
    /// The database did not answer in time; the connection is of no use any more.
    Silent,
}

pub(crate) type Outcome<T> = Result<T, Fault>;

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

/// What is to be done about a fault of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The connection is gone; a new one may do.
    Reconnect,
    /// Two transactions stood in each other's way; the same again may do.
    Repeat,
    /// Nothing.
    None,
}

impl Fault {
    pub(super) fn remedy(&self) -> Remedy {
        let Self::Database(error) = self else {
            return Remedy::None;
        };
        match error.code() {
            Some(code) if is_collision(code) => Remedy::Repeat,
            Some(code) if is_going(code) => Remedy::Reconnect,
            Some(_) => Remedy::None,
            None if is_lost(error) => Remedy::Reconnect,
            None => Remedy::None,
        }
    }

    /// Whether the connection can serve the next request.
    pub(super) fn keeps_connection(&self) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Database(error) => error.code().is_some_and(|code| !is_going(code)),
            Self::Silent => false,
        }
    }

    /// Whether a lock was not to be had in time.
    pub(super) fn is_waiting_for_lock(&self) -> bool {
        matches!(self, Self::Database(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE))
    }

    pub(crate) fn into_error(self, action: &str, place: &str) -> StoreError {
        match self {
            Self::Refused(error) => error,
            Self::Database(error) => translate(&error, action, place),
            Self::Silent => StoreError::Unavailable {
                reason: format!("{place} does not answer"),
            },
        }
    }
}

/// The two transactions that wait for each other, or see each other too late.
fn is_collision(code: &SqlState) -> bool {
    [
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::UNIQUE_VIOLATION,
    ]
    .contains(code)
}

/// The server is stopping, starting, full, or has become one that only reads.
fn is_going(code: &SqlState) -> bool {
    [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ]
    .contains(code)
        || code.code().starts_with("08")
}

fn is_lost(error: &tokio_postgres::Error) -> bool {
    use std::error::Error as _;
    let input = error
        .source()
        .and_then(<dyn std::error::Error>::downcast_ref);
    // A peer that TLS does not accept is there; trying again would not change it.
    let is_refusal = |error: &std::io::Error| {
        error
            .get_ref()
            .is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
    };
    error.is_closed() || input.is_some_and(|error| !is_refusal(error))
}

/// Turns an error of the database into one that says what to do.
pub(super) fn translate(error: &tokio_postgres::Error, action: &str, place: &str) -> StoreError {
    let unavailable = |reason: &str| StoreError::Unavailable {
        reason: format!("{place} {reason}"),
    };
    let Some(cause) = error.as_db_error() else {
        return if is_lost(error) {
            unavailable("is not reached")
        } else {
            storage(action, place, &chain(error))
        };
    };
    let code = cause.code();
    if is_going(code) {
        return unavailable(&format!("takes no work now ({})", cause.message()));
    }
    if [SqlState::QUERY_CANCELED, SqlState::LOCK_NOT_AVAILABLE].contains(code) || is_collision(code)
    {
        return unavailable("is busy with other work");
    }
    if *code == SqlState::DISK_FULL {
        let place = place.to_owned();
        return StoreError::Full { place };
    }
    if code.code().starts_with("XX") {
        let (place, detail) = (place.to_owned(), cause.message().to_owned());
        return StoreError::Corrupt { place, detail };
    }
    // The detail and the context of the message may hold values; only its first line is told.
    storage(action, place, cause.message())
}

fn storage(action: &str, place: &str, detail: &str) -> StoreError {
    StoreError::Storage {
        action: format!("{action} {place}"),
        detail: detail.to_owned(),
    }
}

fn chain(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;
    error
        .source()
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
