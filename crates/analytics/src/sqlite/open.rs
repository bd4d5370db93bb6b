//! Opening the file, its tables, and what its errors mean.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::AnalyticsError;

/// How long a statement waits for another program that looks into the file.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Marks the file as ours in its header (`GHan`).
const APPLICATION_ID: i32 = 0x4748_616E;

/// Steps from one schema to the next; a released step is never edited.
const STEPS: &[&str] = &[FIRST];

/// Size to which the write-ahead log is cut back after a burst.
const LOG_KEPT_BYTES: i64 = 64 * 1024 * 1024;

const FIRST: &str = "
CREATE TABLE rollup (
    control_plane BLOB NOT NULL,
    minute INTEGER NOT NULL,
    service BLOB NOT NULL,
    route BLOB NOT NULL,
    status INTEGER NOT NULL,
    count INTEGER NOT NULL,
    by_plugin INTEGER NOT NULL,
    by_gateway INTEGER NOT NULL,
    request_bytes INTEGER NOT NULL,
    response_bytes INTEGER NOT NULL,
    total_us INTEGER NOT NULL,
    upstream_us INTEGER NOT NULL,
    gateway_us INTEGER NOT NULL,
    total BLOB NOT NULL,
    upstream BLOB NOT NULL,
    gateway BLOB NOT NULL,
    PRIMARY KEY (control_plane, minute, service, route, status)
) STRICT, WITHOUT ROWID;

CREATE TABLE stream (
    control_plane BLOB NOT NULL,
    node BLOB NOT NULL,
    stream BLOB NOT NULL,
    highest BLOB NOT NULL,
    seen BLOB NOT NULL,
    minute INTEGER NOT NULL,
    PRIMARY KEY (control_plane, node, stream)
) STRICT, WITHOUT ROWID;
CREATE INDEX stream_age ON stream (control_plane, minute);

CREATE TABLE loss (
    control_plane BLOB NOT NULL,
    minute INTEGER NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (control_plane, minute, reason)
) STRICT, WITHOUT ROWID;
";

/// Opens the connection that writes, making and migrating the file as needed.
pub(super) fn writer(path: &Path) -> Result<Connection, AnalyticsError> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(|error| AnalyticsError::Storage {
            action: format!("make the folder `{}`", folder.display()),
            detail: error.to_string(),
        })?;
    }
    // Made here and not by SQLite, so that it belongs to its owner only; its log follows it.
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map_err(|error| AnalyticsError::Storage {
            action: format!("open `{}`", path.display()),
            detail: error.to_string(),
        })?;
    let mode = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let fault = |error: rusqlite::Error| translate(&error, "open the telemetry file", path);
    let mut connection = connect(path, mode).map_err(fault)?;
    let journal = || -> rusqlite::Result<()> {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "journal_size_limit", LOG_KEPT_BYTES)
    };
    journal().map_err(fault)?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// Opens a connection that can only read.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn connect(path: &Path, mode: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_WAIT)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), AnalyticsError> {
    let fault = |error: rusqlite::Error| translate(&error, "prepare the telemetry file", path);
    let number = |connection: &Connection, sql: &str| -> Result<i64, AnalyticsError> {
        connection
            .query_row(sql, [], |row| row.get(0))
            .map_err(fault)
    };
    let application = number(connection, "PRAGMA application_id")?;
    let version = number(connection, "PRAGMA user_version")?;
    let tables = number(connection, "SELECT count(*) FROM sqlite_schema")?;
    let is_empty = application == 0 && version == 0 && tables == 0;
    if application != i64::from(APPLICATION_ID) && !is_empty {
        return Err(AnalyticsError::Foreign {
            path: path.to_owned(),
        });
    }
    let found = u32::try_from(version).unwrap_or(u32::MAX);
    let known = u32::try_from(STEPS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(AnalyticsError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    for (step, number) in STEPS
        .iter()
        .zip(1_u32..)
        .skip_while(|(_, number)| *number <= found)
    {
        let mut take = || -> rusqlite::Result<()> {
            let step_at_once =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            step_at_once.execute_batch(step)?;
            step_at_once.pragma_update(None, "application_id", APPLICATION_ID)?;
            step_at_once.pragma_update(None, "user_version", number)?;
            step_at_once.commit()
        };
        take().map_err(fault)?;
    }
    Ok(())
}

/// Turns an error of the database into one that says what to do.
pub(super) fn translate(error: &rusqlite::Error, action: &str, path: &Path) -> AnalyticsError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => AnalyticsError::Full { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => AnalyticsError::Corrupt {
            path,
            detail: error.to_string(),
        },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => AnalyticsError::Unavailable {
            reason: format!("another program holds `{}`", path.display()),
        },
        _ => AnalyticsError::Storage {
            action: action.to_owned(),
            detail: error.to_string(),
        },
    }
}
