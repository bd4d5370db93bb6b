//! Why telemetry could not be kept or read.

use std::path::PathBuf;

/// Why telemetry could not be kept or read.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum AnalyticsError {
    /// Too much is waiting; the node sends the batch again.
    #[error("telemetry cannot be taken now: {reason}; try again shortly")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// The volume is full.
    #[error("the volume of `{path}` is full; free space there, telemetry is then taken again")]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The file is damaged. It holds figures only: nothing else depends on it.
    #[error("`{path}` is damaged ({detail}); move it away, a new one is made at the next start")]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What the database reported.
        detail: String,
    },
    /// The file is a database of something else.
    #[error("`{path}` belongs to another program; choose another path")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer release.
    #[error("`{path}` has schema {found}, this release knows up to {known}; start the newer one")]
    Newer {
        /// The database.
        path: PathBuf,
        /// The schema found.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// A question that cannot be answered.
    #[error("`{field}` {rule}")]
    Question {
        /// Which part of it.
        field: &'static str,
        /// The rule, as the rest of a sentence.
        rule: String,
    },
    /// The database reported something else.
    #[error("cannot {action}: {detail}")]
    Storage {
        /// What was being done.
        action: String,
        /// What the database reported.
        detail: String,
    },
}
