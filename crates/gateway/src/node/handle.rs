//! What whoever builds the Admin API of a node gets to know of it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use conf::Settings;
use entities::Catalogue;
use store::Store;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::intake::Intake;
use crate::snapshot::{Marks, SharedSnapshot};
use crate::status::Facts;
use crate::surface::Handler;

/// A view of a node that is about to listen. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    /// Its settings.
    pub settings: Arc<Settings>,
    /// Its id.
    pub node_id: Uuid,
    /// The machine's name.
    pub hostname: String,
    /// All kinds of entities, with the plugins of this node.
    pub catalogue: Arc<Catalogue>,
    /// The database of a traditional node; entities lie under
    /// [`LOCAL_PLANE`](super::LOCAL_PLANE).
    pub store: Option<Store>,
    /// The door for configurations.
    pub intake: Arc<Intake>,
    /// Counters, configuration in use, database.
    pub facts: Facts,
    /// What runs.
    pub snapshot: SharedSnapshot,
    pub(super) marks: Arc<Marks>,
    /// Tells whoever follows the database to compile anew.
    pub(super) anew: Arc<Notify>,
}

impl Handle {
    /// Whether an address of a target counts as healthy.
    #[must_use]
    pub fn is_healthy(&self, upstream: Uuid, target: &str, address: SocketAddr) -> bool {
        self.marks.is_healthy(upstream, target, address)
    }

    /// Marks an address of a target (`ip:port`), or all of them; traffic follows as soon as the
    /// configuration is compiled anew.
    pub fn mark(&self, upstream: Uuid, target: &str, address: Option<String>, is_healthy: bool) {
        self.marks.set(upstream, target, address, is_healthy);
        if self.store.is_some() {
            self.anew.notify_one();
            return;
        }
        let intake = Arc::clone(&self.intake);
        tokio::spawn(async move {
            if let Err(refused) = intake.again().await {
                tracing::error!(
                    error = %refused,
                    "a mark of a target has no effect on traffic yet; set it again, or apply the \
                     configuration again"
                );
            }
        });
    }
}

/// Builds the Admin API of a node.
pub type MakeAdmin = Box<dyn FnOnce(Handle) -> Arc<dyn Handler> + Send>;

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("node_id", &self.node_id)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
