//! Where a log goes.

use std::path::{Path, PathBuf};

/// Where a log goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LogTarget {
    /// Nowhere.
    #[default]
    Off,
    /// A file; `/dev/stdout` and `/dev/stderr` are files too.
    File {
        /// The file, made absolute with the prefix.
        path: PathBuf,
        /// Name of a log format, if one was given.
        format: Option<String>,
    },
}

impl LogTarget {
    /// Reads `off`, or a path and optionally a format.
    pub(crate) fn parse(text: &str, prefix: &Path) -> Self {
        let mut words = text.split_ascii_whitespace();
        match words.next() {
            None | Some("off") => Self::Off,
            Some(path) => Self::File {
                path: prefix.join(path),
                format: words.next().map(str::to_owned),
            },
        }
    }
}
