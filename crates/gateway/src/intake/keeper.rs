//! Keeping the accepted configuration on disk, now or later.
//!
//! A full or read-only disk must not stop a configuration: it runs, the failure is said once as
//! an error and the writing is tried again until it succeeds or a newer configuration replaces
//! it. At most one configuration waits.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::cache::{Cache, Kept};

/// Keeps configurations.
#[derive(Debug)]
pub(super) struct Keeper {
    shared: Arc<Shared>,
    retry_interval: Duration,
    retries: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    cache: Cache,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What could not be written yet.
    waiting: Option<Arc<Kept>>,
    /// Why not.
    error: Option<String>,
}

impl Keeper {
    pub(super) fn new(cache: Cache, retry_interval: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                cache,
                state: Mutex::default(),
            }),
            retry_interval,
            retries: Mutex::new(None),
        }
    }

    pub(super) fn cache(&self) -> &Cache {
        &self.shared.cache
    }

    /// Writes a configuration, or remembers to.
    pub(super) async fn keep(&self, kept: Kept) {
        let kept = Arc::new(kept);
        self.shared.state.lock().waiting = Some(Arc::clone(&kept));
        if Shared::attempt(&self.shared).await {
            return;
        }
        let mut retries = self.retries.lock();
        if retries.as_ref().is_none_or(JoinHandle::is_finished) {
            let shared = Arc::clone(&self.shared);
            let interval = self.retry_interval;
            *retries = Some(tokio::spawn(async move {
                loop {
                    tokio::time::sleep(interval).await;
                    if Shared::attempt(&shared).await {
                        break;
                    }
                }
            }));
        }
    }

    /// Why the running configuration is not on disk; `None` if it is.
    pub(super) fn error(&self) -> Option<String> {
        self.shared.state.lock().error.clone()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(retries) = self.retries.lock().take() {
            retries.abort();
        }
    }
}

impl Shared {
    /// Writes what waits; true if nothing waits any more.
    async fn attempt(shared: &Arc<Self>) -> bool {
        let Some(kept) = shared.state.lock().waiting.clone() else {
            return true;
        };
        let writer = Arc::clone(shared);
        let copy = Arc::clone(&kept);
        let written = tokio::task::spawn_blocking(move || {
            writer.cache.write(&copy).map_err(|error| error.to_string())
        })
        .await
        .unwrap_or_else(|error| Err(error.to_string()));
        let mut state = shared.state.lock();
        match written {
            Ok(()) => {
                let is_newest = state
                    .waiting
                    .as_ref()
                    .is_some_and(|w| Arc::ptr_eq(w, &kept));
                if is_newest {
                    state.waiting = None;
                }
                if state.error.take().is_some() {
                    tracing::info!("the configuration is kept on disk again");
                }
                is_newest
            }
            Err(error) => {
                if state.error.is_none() {
                    tracing::error!(
                        %error,
                        "the configuration runs but cannot be kept on disk: after a restart the \
                         node would run the one before it until the control plane answers; free \
                         space or make the folder writable, the node tries again by itself"
                    );
                }
                state.error = Some(error);
                false
            }
        }
    }
}
