//! Backups: everything of an installation in one sealed file.
//!
//! # Format, version 1
//!
//! | bytes | what |
//! | --- | --- |
//! | 17 | `GATEHOUSE BACKUP` and a line feed |
//! | 2 | the version, most significant byte first (as all numbers here) |
//! | 4 | the length of the head |
//! | … | the head, JSON: when, by which release, how the key is made from what the owner has |
//! | … | frames: 1 byte of kind, 4 bytes of length, that many sealed bytes |
//!
//! A frame is sealed with AES-256-GCM; its context is the SHA-256 of everything before the first
//! frame, the number of the frame (8 bytes) and its kind, so that frames can neither be moved
//! nor left out. Kinds: 1 a fixed text that shows whether the key fits, 2 the beginning of a part
//! (JSON), 3 some of its content (compressed with gzip), 4 its end (JSON: length and SHA-256
//! of the content), 5 the end of the backup (JSON: the number of parts).
//!
//! A part is a file of the data folder, or the rows of a store as `store::dump` gives them.
//!
//! Not here: who may make a backup. Whoever can read the data folder can.

mod container;
mod create;
mod error;
mod key;
mod restore;
#[cfg(test)]
mod tests;

pub(crate) use create::create;
pub(crate) use key::Secret;
pub(crate) use restore::{restore, verify};

use serde::{Deserialize, Serialize};

/// What begins every backup.
const MAGIC: &[u8] = b"GATEHOUSE BACKUP\n";

/// The newest format that is read, and the one that is written.
const VERSION: u16 = 1;

/// The head of a backup, readable without the key.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    made_at: String,
    by: String,
    key: key::Recipe,
}

/// What a part is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Part {
    /// A file of the data folder.
    File {
        /// Its path below the folder.
        path: String,
        /// Its permissions.
        mode: u32,
    },
    /// The rows of a store.
    Store {
        /// Its name: `global`, `geo_us`.
        name: String,
        /// The file it was in, below the data folder; none when it was in PostgreSQL.
        path: Option<String>,
    },
}

impl Part {
    /// What messages call it.
    fn label(&self) -> String {
        match self {
            Self::File { path, .. } => path.clone(),
            Self::Store { name, .. } => format!("store {name}"),
        }
    }
}

/// The end of a part.
#[derive(Debug, Serialize, Deserialize)]
struct PartEnd {
    bytes: u64,
    sha256: String,
}

/// The end of a backup.
#[derive(Debug, Serialize, Deserialize)]
struct End {
    parts: u64,
}

/// A part as a report shows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) label: String,
    /// Bytes of a file, rows of a store.
    pub(crate) size: u64,
    pub(crate) is_store: bool,
}
