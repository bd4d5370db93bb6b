//! Limits that every database keeps.

use std::time::Duration;

/// Requests that may wait for a writer, the ones at work included.
pub(crate) const QUEUE_LIMIT: usize = 1_024;

/// How long a request waits for a place in the queue before it is turned away.
pub(crate) const QUEUE_WAIT: Duration = Duration::from_secs(5);

/// Most requests that share one transaction and its sync.
pub(crate) const GROUP_LIMIT: usize = 256;

/// Longest wait for further requests of a group, however long its last commit took.
pub(crate) const GATHER_WAIT: Duration = Duration::from_millis(2);

/// How often expired rows are cleared away. They are invisible from the moment they expire; this
/// gives back their space and their unique values.
pub(crate) const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// Expired rows cleared away at once.
pub(crate) const SWEEP_LIMIT: usize = 1_000;

/// Notices that a slow subscriber may have waiting.
pub(crate) const NOTICES_KEPT: usize = 1_024;

/// Rows of a list when no number is asked for.
pub(crate) const LIST_DEFAULT: usize = 100;

/// Most rows of a list.
pub(crate) const LIST_LIMIT: usize = 1_000;

/// Most changes told at once; who is further behind takes an export.
pub(crate) const CHANGES_TOLD: usize = 100_000;

/// Versions that the change log keeps for each control plane.
pub(crate) const VERSIONS_LOGGED: u64 = 1_000;

/// Changed rows of one version above which they are not logged; readers then take an export.
pub(crate) const CHANGES_LOGGED: usize = 10_000;

/// Rows that an audit entry names.
pub(crate) const ROWS_AUDITED: usize = 100;

/// Audit entries kept.
pub(crate) const AUDIT_KEPT: i64 = 1_000_000;
