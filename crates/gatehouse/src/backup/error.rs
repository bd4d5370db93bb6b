//! What can be wrong with a backup.

use std::path::Path;

/// Why a backup was not made, read or restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    /// A file could not be read or written.
    #[error("cannot {action} `{path}`: {source}")]
    File {
        action: &'static str,
        path: String,
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("`{0}` is no backup of gatehouse; name the file that `gatehouse admin backup` made")]
    NotABackup(String),
    /// The file was made by a newer release.
    #[error(
        "the backup has format {found}, this release reads up to {known}; use the release that \
         made it, or a newer one"
    )]
    Newer { found: u16, known: u16 },
    /// The key does not open the first frame.
    #[error(
        "the passphrase or key file does not fit this backup; if it is the right one, the \
         beginning of the file is damaged"
    )]
    WrongKey,
    /// A frame does not open, or says something impossible.
    #[error("the backup is damaged in part `{part}` ({detail}); use another copy of it")]
    Damaged { part: String, detail: String },
    /// The file ends too early.
    #[error("the backup ends in the middle of part `{part}`; the copy is incomplete, use another")]
    Truncated { part: String },
    /// The key cannot be used.
    #[error("{0}")]
    Key(String),
    /// The place to restore to is not free.
    #[error("`{0}` is not empty; restore into a folder that is empty or does not exist")]
    Occupied(String),
    /// There is nothing to back up.
    #[error("`{0}` holds no installation; name its folder with --data-dir")]
    Nothing(String),
    /// A store could not be read or filled.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

impl BackupError {
    /// A fault with a file.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }

    /// A part that cannot be right.
    pub(super) fn damaged(part: &str, detail: impl std::fmt::Display) -> Self {
        Self::Damaged {
            part: part.to_owned(),
            detail: detail.to_string(),
        }
    }
}
