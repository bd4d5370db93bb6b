//! Opening the file: one process at a time, owner-only, durable.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::fault::translate;
use super::schema::{self, Unfit};
use crate::StoreError;

/// How long a statement waits for another program that looks into the file.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Prepared statements a connection keeps.
const STATEMENTS_KEPT: usize = 128;

/// Memory for pages of one connection, in KiB.
const PAGES_KIB: i64 = 8 * 1024;

/// Memory for pages of the connection that writes, in KiB. A large change touches pages of a dozen
/// indexes in turn.
const WRITER_PAGES_KIB: i64 = 32 * 1024;

/// Size to which the write-ahead log is cut back after a burst. Above what it usually grows to: a
/// file that keeps its size is written in place.
const LOG_KEPT_BYTES: i64 = 320 * 1024 * 1024;

/// Opens the connection that writes, making and migrating the file as needed. The lock is held
/// as long as the returned file is open.
pub(crate) fn open_writer(path: &Path) -> Result<(Connection, File), StoreError> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder)
            .map_err(|error| cannot("make the folder", folder, &error))?;
    }
    let lock = lock(path)?;
    owner_only()
        .open(path)
        .map_err(|error| cannot("open", path, &error))?;
    let fault = |error: &rusqlite::Error| translate(error, "open the database", path);
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|e| fault(&e))?;
    // FULL: in write-ahead mode each commit is synced before it returns.
    durable(&connection).map_err(|e| fault(&e))?;
    let pages = connection.pragma_update(None, "cache_size", -WRITER_PAGES_KIB);
    pages.map_err(|error| fault(&error))?;
    schema::migrate(&mut connection).map_err(|unfit| match unfit {
        Unfit::NotAStore => StoreError::NotAStore { place: place(path) },
        Unfit::Newer(found) => StoreError::Newer {
            place: place(path),
            found,
            known: schema::newest(),
        },
        Unfit::Database(error) => fault(&error),
    })?;
    Ok((connection, lock))
}

/// Refuses a file that is not a store of this release, without changing it.
pub(crate) fn check_file(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let fault = |error: &rusqlite::Error| translate(error, "read", path);
    match schema::current(connection).map_err(|error| fault(&error))? {
        None => Err(StoreError::NotAStore { place: place(path) }),
        Some(found) if found > schema::newest() => Err(StoreError::Newer {
            place: place(path),
            found,
            known: schema::newest(),
        }),
        Some(found) if found < schema::newest() => Err(StoreError::Storage {
            action: format!("read `{}`", path.display()),
            detail: "it was written by an earlier release; start this one on it first".to_owned(),
        }),
        Some(_) => Ok(()),
    }
}

/// Opens a connection that carries the write-ahead log into the file.
pub(super) fn open_carrier(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    durable(&connection)?;
    Ok(connection)
}

/// Opens a connection that can only read.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Returns the memory in which a connection keeps pages.
pub(super) fn give_pages_back(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA shrink_memory")
}

/// Writes a copy of one state of the database, complete in one file, while work goes on.
pub(crate) fn copy(path: &Path, target: &Path) -> Result<(), StoreError> {
    // An existing file is never touched; the empty one made here belongs to its owner only.
    let made = owner_only().create_new(true).open(target);
    made.map_err(|error| cannot("make", target, &error))?;
    let written = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).and_then(|connection| {
        let name = target.to_string_lossy();
        connection.execute("VACUUM INTO ?1", [name.as_ref()])
    });
    let kept = written
        .map_err(|error| translate(&error, "copy the database", target))
        .and_then(|_| {
            let file = File::open(target).and_then(|file| file.sync_all());
            file.map_err(|error| cannot("sync", target, &error))
        });
    if kept.is_err() {
        // Half a copy must not look like one.
        drop(std::fs::remove_file(target));
    }
    kept
}

fn connect(path: &Path, mode: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.pragma_update(None, "cache_size", -PAGES_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

fn durable(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // `carrier` does it.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", LOG_KEPT_BYTES)
}

/// Keeps a second process out. The lock is a file of its own: SQLite manages the locks of the
/// database file itself.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = owner_only()
        .open(&name)
        .map_err(|error| cannot("open", &name, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Locked { place: place(path) }),
        Err(std::fs::TryLockError::Error(error)) => Err(cannot("lock", &name, &error)),
    }
}

fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn place(path: &Path) -> String {
    path.display().to_string()
}

fn cannot(action: &str, path: &Path, error: &std::io::Error) -> StoreError {
    if error.kind() == ErrorKind::StorageFull {
        return StoreError::Full { place: place(path) };
    }
    StoreError::Storage {
        action: format!("{action} `{}`", path.display()),
        detail: error.to_string(),
    }
}
