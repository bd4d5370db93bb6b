//! What stands in for a plugin that this node cannot run.
//!
//! A plugin may protect a service, so leaving it out would open what its owner closed. Its
//! requests are refused; the rest of the configuration serves on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use plugin_api::{Exchange, Handler, Preread, Reply, Shared, Step};

/// Requests refused since the node started because a plugin is missing.
#[derive(Debug, Default)]
struct Refused(AtomicU64);

/// Refuses every request.
pub(super) struct FailsClosed {
    refused: Arc<Refused>,
}

impl FailsClosed {
    pub(super) fn new(shared: &Shared) -> Self {
        Self {
            refused: shared.get(),
        }
    }
}

impl Handler for FailsClosed {
    fn access<'a>(&'a self, _exchange: &'a mut Exchange<'_>) -> Step<'a> {
        self.refused.0.fetch_add(1, Ordering::Relaxed);
        Step::respond(Reply {
            status: 503,
            ..Reply::failure()
        })
    }

    fn preread(&self, session: &mut Preread<'_>) {
        self.refused.0.fetch_add(1, Ordering::Relaxed);
        session.is_refused = true;
    }
}

/// How many requests were refused since the node started because a plugin is missing.
pub(super) fn refused(shared: &Shared) -> u64 {
    shared.get::<Refused>().0.load(Ordering::Relaxed)
}
