//! Shares of counters that all nodes of a control plane have together.
//!
//! The control plane counts what it granted, never more than the limit; a node lets pass what it
//! was granted. What a node does while nobody answers is the plugin's decision.

use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::database::DatabaseFuture;

/// A counter of which a share is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareAsked {
    /// Name of the counter, with the window that it is for.
    pub counter: String,
    /// What all nodes together may let pass.
    pub limit: u64,
    /// What this node has of it that the counters asked do not know.
    pub spent: u64,
    /// Unix second from which the counter may be forgotten.
    pub expires_at: u64,
}

/// A share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareGranted {
    /// What this node may let pass.
    pub grant: u64,
    /// What is left for everybody after that.
    pub left: u64,
}

/// What waits for the control plane.
pub type ShareFuture = DatabaseFuture<Vec<ShareGranted>>;

/// Who grants shares.
pub trait GrantShares: Send + Sync {
    /// Asks for shares of the counters of [`GrantShares::epoch`], in order. Waits a second at
    /// most.
    ///
    /// # Errors
    ///
    /// When nobody answers, or the counters are others by now.
    fn draw(&self, epoch: u64, asked: Vec<ShareAsked>) -> ShareFuture;

    /// Whose counters they are, as last heard; another number means that they began anew and
    /// know nothing of what was granted before. 0 while nobody was heard.
    fn epoch(&self) -> u64;

    /// Nodes that were connected when the control plane was last heard; at least 1.
    fn nodes(&self) -> u32;
}

/// Who grants shares to this node; state of the node.
#[derive(Default)]
pub struct Shares(RwLock<Option<Arc<dyn GrantShares>>>);

impl Shares {
    /// Takes somebody into use.
    pub fn set(&self, source: Arc<dyn GrantShares>) {
        *self.0.write() = Some(source);
    }

    /// Who grants; `None` on a node without a control plane.
    #[must_use]
    pub fn get(&self) -> Option<Arc<dyn GrantShares>> {
        self.0.read().clone()
    }
}

impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shares").finish_non_exhaustive()
    }
}
