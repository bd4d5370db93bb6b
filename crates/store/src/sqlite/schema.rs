//! The tables, and how an older file becomes a current one.

use rusqlite::{Connection, TransactionBehavior};

/// Marks the file as ours in its header (`GHst`).
pub(super) const APPLICATION_ID: i32 = 0x4748_7374;

/// Steps from one schema to the next; the number of the schema is how many were taken. A step that
/// was released is never edited.
const STEPS: &[&str] = &[FIRST, super::history::STEP];

/// The newest schema this release knows.
pub(super) fn newest() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

/// The schema of a file; `None` when it is not ours.
pub(super) fn current(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok((application == APPLICATION_ID).then_some(version))
}

/// Why a file is not brought up to date.
pub(super) enum Unfit {
    NotAStore,
    Newer(u32),
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Unfit {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// Brings the schema up to date, each step in its own transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Unfit> {
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (application != 0 || version != 0 || tables != 0) {
        return Err(Unfit::NotAStore);
    }
    if version > newest() {
        return Err(Unfit::Newer(version));
    }
    for (step, number) in STEPS
        .iter()
        .zip(1_u32..)
        .skip_while(|(_, number)| *number <= version)
    {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

// Every key begins with the control plane: no statement can meet a row of another tenant.
// Ids are 16 bytes, whose order is the order of their text. Moments are Unix milliseconds, except
// `expires_at`, which is Unix seconds like `ttl`.
const FIRST: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE entity (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    control_plane BLOB NOT NULL,
    kind TEXT NOT NULL,
    id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER,
    digest BLOB NOT NULL,
    body TEXT NOT NULL,
    sealed BLOB
) STRICT;
CREATE UNIQUE INDEX entity_key ON entity (control_plane, kind, id);
CREATE INDEX entity_expiry ON entity (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE unique_key (
    control_plane BLOB NOT NULL,
    kind TEXT NOT NULL,
    digest BLOB NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (control_plane, kind, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX unique_key_row ON unique_key (control_plane, kind, id);

CREATE TABLE reference (
    control_plane BLOB NOT NULL,
    target BLOB NOT NULL,
    kind TEXT NOT NULL,
    field TEXT NOT NULL,
    id BLOB NOT NULL,
    target_kind TEXT NOT NULL,
    on_delete INTEGER NOT NULL,
    PRIMARY KEY (control_plane, target, kind, field, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reference_row ON reference (control_plane, kind, id);

CREATE TABLE tag (
    control_plane BLOB NOT NULL,
    tag TEXT NOT NULL,
    kind TEXT NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (control_plane, tag, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_row ON tag (control_plane, kind, id);

CREATE TABLE plane (
    control_plane BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    logged_after INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE change_log (
    control_plane BLOB NOT NULL,
    version INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id BLOB NOT NULL,
    is_removal INTEGER NOT NULL,
    PRIMARY KEY (control_plane, version, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    control_plane BLOB NOT NULL,
    version INTEGER NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id BLOB,
    summary TEXT NOT NULL
) STRICT;
CREATE INDEX audit_plane ON audit (control_plane, seq);

CREATE TABLE record (
    space TEXT NOT NULL,
    id BLOB NOT NULL,
    owner BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (space, id)
) STRICT;
CREATE INDEX record_owner ON record (space, owner, id);

CREATE TABLE record_key (
    space TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (space, field, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_key_row ON record_key (space, id);
";
