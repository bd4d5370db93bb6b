//! What whoever builds the Admin API of a node gets to know of it.

use std::fmt;
use std::sync::Arc;

use conf::Settings;
use entities::Catalogue;
use store::Store;
use uuid::Uuid;

use crate::health::{GroupView, Upstreams};
use crate::intake::Intake;
use crate::snapshot::SharedSnapshot;
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
    pub(super) upstreams: Arc<Upstreams>,
}

impl Handle {
    /// How an upstream does; `None` while it is not in use.
    #[must_use]
    pub fn health(&self, upstream: Uuid) -> Option<GroupView> {
        self.upstreams.view(upstream)
    }

    /// Marks an address of a target (`ip:port`), or all of them; traffic follows at once.
    pub fn mark(&self, upstream: Uuid, target: &str, address: Option<&str>, is_healthy: bool) {
        self.upstreams.mark(upstream, target, address, is_healthy);
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
