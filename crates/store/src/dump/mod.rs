//! All rows of a store as lines of text, the same for every database: what backups hold, and how a
//! store moves from one database to another.
//!
//! The first line is `{"format":1}`; each further one is an array, the name of a table and then
//! its columns in the order of `TABLES`. Ids and texts are strings, bytes are base64. Sealed
//! values stay sealed: the lines need the sealing key of the installation to be of use, and they
//! show everything else. Encrypting them is the caller's work.

mod line;
mod postgres;
mod sqlite;

use std::path::Path;

use crate::{Location, PostgresConfig, StoreError};

/// The format of the lines.
const FORMAT: u64 = 1;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Uuid,
    Text,
    /// Text that PostgreSQL keeps as bytes.
    TextBytes,
    Bytes,
    Number,
    Bool,
}

/// A table with its columns.
struct Table {
    name: &'static str,
    columns: &'static [(&'static str, Type)],
}

/// Everything that a store holds. What refers comes after what is referred to.
const TABLES: &[Table] = {
    use Type::{Bool, Bytes, Number, Text, TextBytes, Uuid};
    &[
        Table {
            name: "meta",
            columns: &[("name", Text), ("value", Bytes)],
        },
        Table {
            name: "plane",
            columns: &[
                ("control_plane", Uuid),
                ("version", Number),
                ("logged_after", Number),
            ],
        },
        Table {
            name: "entity",
            columns: &[
                ("control_plane", Uuid),
                ("kind", Text),
                ("id", Uuid),
                ("seq", Number),
                ("created_at", Number),
                ("updated_at", Number),
                ("expires_at", Number),
                ("digest", Bytes),
                ("body", Text),
                ("sealed", Bytes),
            ],
        },
        Table {
            name: "unique_key",
            columns: &[
                ("control_plane", Uuid),
                ("kind", Text),
                ("digest", Bytes),
                ("id", Uuid),
            ],
        },
        Table {
            name: "reference",
            columns: &[
                ("control_plane", Uuid),
                ("target", Uuid),
                ("kind", Text),
                ("field", Text),
                ("id", Uuid),
                ("target_kind", Text),
                ("on_delete", Number),
            ],
        },
        Table {
            name: "tag",
            columns: &[
                ("control_plane", Uuid),
                ("tag", TextBytes),
                ("kind", Text),
                ("id", Uuid),
            ],
        },
        Table {
            name: "change_log",
            columns: &[
                ("control_plane", Uuid),
                ("version", Number),
                ("ordinal", Number),
                ("kind", Text),
                ("id", Uuid),
                ("is_removal", Bool),
            ],
        },
        Table {
            name: "audit",
            columns: &[
                ("seq", Number),
                ("at", Number),
                ("control_plane", Uuid),
                ("version", Number),
                ("actor_kind", Text),
                ("actor_id", Uuid),
                ("summary", Text),
            ],
        },
        Table {
            name: "record",
            columns: &[
                ("space", Text),
                ("id", Uuid),
                ("owner", Uuid),
                ("created_at", Number),
                ("updated_at", Number),
                ("body", Text),
            ],
        },
        Table {
            name: "record_key",
            columns: &[
                ("space", Text),
                ("field", Text),
                ("value", TextBytes),
                ("id", Uuid),
            ],
        },
        Table {
            name: HISTORY,
            columns: &[
                ("control_plane", Uuid),
                ("version", Number),
                ("kind", Text),
                ("id", Uuid),
                ("seq", Number),
                ("at", Number),
                ("expires_at", Number),
                ("body", Text),
                ("sealed", Bytes),
            ],
        },
        Table {
            name: "history_floor",
            columns: &[("control_plane", Uuid), ("kept_after", Number)],
        },
    ]
};

/// The table that the databases may fill by themselves.
const HISTORY: &str = "history";

impl Table {
    /// The columns, separated by commas.
    fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }
}

/// Where lines go.
pub type LineSink<'a> = &'a mut (dyn FnMut(&str) -> Result<(), StoreError> + Send);

/// Where lines come from; `None` at their end.
pub type LineSource<'a> = &'a mut (dyn FnMut() -> Result<Option<String>, StoreError> + Send);

/// Gives all rows of a store, in one state of it, while work goes on there. Blocks.
///
/// # Errors
///
/// When there is no store of this release, it cannot be read, or the sink fails.
pub fn dump(location: &Location, sink: LineSink<'_>) -> Result<u64, StoreError> {
    sink(&format!("{{\"format\":{FORMAT}}}"))?;
    match location {
        Location::Sqlite(path) => sqlite::dump(path, sink),
        Location::Postgres(config) => postgres::dump(config, sink),
    }
}

/// Fills a place that holds no store yet, all or nothing. Blocks.
///
/// # Errors
///
/// When the place holds a store, cannot be written, or a line is not of a known format.
pub fn load(location: &Location, source: LineSource<'_>) -> Result<u64, StoreError> {
    line::read_format(source()?)?;
    match location {
        Location::Sqlite(path) => sqlite::load(path, source),
        Location::Postgres(config) => postgres::load(config, source),
    }
}

/// Reads lines without keeping anything, and says what is wrong with the first bad one.
///
/// # Errors
///
/// When a line is not of a known format.
pub fn check(source: LineSource<'_>) -> Result<u64, StoreError> {
    line::read_format(source()?)?;
    let mut count = 0;
    while let Some(text) = source()? {
        line::parse(&text)?;
        count += 1;
    }
    Ok(count)
}

/// The schemas of a database that hold a store and whose name begins like that of `config`, with
/// `_` behind it.
///
/// # Errors
///
/// When the server cannot be reached.
pub fn schemas(config: &PostgresConfig) -> Result<Vec<String>, StoreError> {
    postgres::schemas(config)
}

/// What a file is to a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// The file of a store.
    Store,
    /// Another database file: only a copy of it is whole.
    Database,
    /// A file like any other.
    Other,
}

/// Says what a file is.
///
/// # Errors
///
/// When it cannot be read.
pub fn file_kind(path: &Path) -> Result<FileKind, StoreError> {
    sqlite::file_kind(path)
}

/// Writes a copy of one state of a database file that is not a store, while work goes on there.
///
/// # Errors
///
/// When the target exists or cannot be written.
pub fn copy_file(path: &Path, target: &Path) -> Result<(), StoreError> {
    crate::sqlite::copy(path, target)
}

fn occupied(location: &str) -> StoreError {
    StoreError::Storage {
        action: format!("restore to `{location}`"),
        detail: "there is a store already; choose an empty place".to_owned(),
    }
}
