//! The limit of open files: every connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit as far as the system lets this user, or sets what was asked for.
pub(super) fn raise(wanted: Option<u64>) {
    let now = getrlimit(Resource::Nofile);
    // `None` means no limit.
    let current = match (wanted, now.maximum) {
        (Some(wanted), Some(maximum)) => Some(wanted.min(maximum)),
        (Some(wanted), None) => Some(wanted),
        (None, maximum) => maximum,
    };
    if let (Some(wanted), Some(current)) = (wanted, current)
        && current < wanted
    {
        tracing::warn!(
            wanted,
            possible = current,
            "`nginx_main_worker_rlimit_nofile` is above what the system lets this user have; \
             raise the hard limit of open files"
        );
    }
    let limit = Rlimit {
        current,
        maximum: now.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
}
