//! The push of configuration to nodes, and the other links nodes open.
//!
//! | path | what |
//! |---|---|
//! | `/v1/outlet` | configuration, protocol v1 |
//! | `/v2/outlet` | the hello that sends newer nodes to v1 |
//! | `/v1/wrpc` | 404, which sends nodes of 3.0 to v1 |
//! | `/v1/telemetry` | our own telemetry |
//! | `/v1/ingest`, `/v1/analytics/reqlog` | telemetry of other nodes: taken and discarded |
//!
//! One export serves all nodes of a control plane; it is packed once for each form that their
//! versions need. TLS, host names and which control plane a host belongs to are the caller's.

mod accept;
mod admission;
mod build;
mod compatibility;
mod events;
mod hello;
mod merge;
mod options;
mod session;
mod shares;
mod space;
mod telemetry;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use entities::Catalogue;
use http::{Method, Request, Response};
use http_body_util::Full;
use parking_lot::Mutex;
use store::Store;
use tokio::sync::Semaphore;
use uuid::Uuid;

pub use accept::Peer;
pub use admission::prove;
pub use options::OutletOptions;
pub use space::Expected;
pub use telemetry::{KeepBatches, TelemetryOrigin};

use crate::api::{BoxFuture, ExpectedHash, Hashes};
use crate::error::PlaneError;
use crate::planes::Planes;
use accept::{Refusal, refuse};
use space::{Space, Spaces};

/// Serves the links of nodes. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Outlet {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) planes: Planes,
    pub(super) store: Store,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) options: OutletOptions,
    pub(super) pushes: Arc<Semaphore>,
    pub(super) links: Arc<Semaphore>,
    /// Counts events that can end links.
    pub(super) epoch: AtomicU64,
    pub(super) spaces: Mutex<Spaces>,
    pub(super) keeper: Option<Arc<dyn KeepBatches>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Wakes the exporting tasks, which then find that there is nothing to export for.
        for space in self.spaces.get_mut().all() {
            space.touch();
        }
    }
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet")
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}

impl Outlet {
    /// Opens the outlet of one geo and starts to follow changes. Needs a running tokio runtime;
    /// the follower ends when the last clone is gone. `keeper` receives telemetry; without one
    /// it is discarded.
    #[must_use]
    pub fn new(
        planes: Planes,
        store: Store,
        catalogue: Arc<Catalogue>,
        keeper: Option<Arc<dyn KeepBatches>>,
        options: OutletOptions,
    ) -> Self {
        let inner = Arc::new(Inner {
            pushes: Arc::new(Semaphore::new(options.max_pushes)),
            links: Arc::new(Semaphore::new(options.max_links)),
            epoch: AtomicU64::new(0),
            planes,
            store,
            catalogue,
            options,
            spaces: Mutex::new(Spaces::default()),
            keeper,
        });
        events::follow(&inner);
        Self { inner }
    }

    /// Answers one request of a node. After an answer of 101 the link lives on its own; the
    /// server has to hand over upgraded connections (HTTP/1.1).
    pub async fn serve<B>(&self, request: Request<B>, peer: Peer) -> Response<Full<Bytes>>
    where
        B: Send + 'static,
    {
        let served = match endpoint(request.uri().path()) {
            "/v1/outlet" => session::open(&self.inner, request, peer).await,
            "/v2/outlet" => hello::open(&self.inner, request, &peer).await,
            "/v1/telemetry" => telemetry::open(&self.inner, request, peer).await,
            "/v1/ingest" | "/v1/analytics/reqlog" => {
                telemetry::open_discarding(&self.inner, request, &peer).await
            }
            "/health" if request.method() == Method::GET => {
                return Response::new(Full::new(Bytes::from_static(b"{\"status\":\"ok\"}")));
            }
            _ => Err(Refusal::not_found()),
        };
        served.unwrap_or_else(|refusal| refuse(&refusal))
    }

    /// The hash that nodes of a control plane should report, computed from what is stored now.
    /// For a group whose members clash it is that of the last configuration that could be merged.
    ///
    /// # Errors
    ///
    /// A sentence for a person when the configuration cannot be read.
    pub async fn expected_hash(&self, control_plane: Uuid) -> Result<Expected, String> {
        let space = Space::of(&self.inner, control_plane);
        space.expected(&self.inner).await
    }

    /// How many nodes have a configuration link to the control plane now.
    #[must_use]
    pub fn connected(&self, control_plane: Uuid) -> usize {
        let space = self.inner.spaces.lock().get(control_plane);
        space.map_or(0, |space| space.connected())
    }
}

impl Hashes for Outlet {
    fn expected(&self, control_plane: Uuid) -> BoxFuture<'_, Result<ExpectedHash, PlaneError>> {
        Box::pin(async move {
            let expected = self.expected_hash(control_plane).await;
            let expected = expected.map_err(PlaneError::Damaged)?;
            Ok(ExpectedHash {
                hash: expected.hash,
                updated_at: Some(expected.since_ms / 1000),
            })
        })
    }
}

/// The path without the prefix under which private links reach a control plane (`/cp/<name>`,
/// `/tp/<name>`).
fn endpoint(path: &str) -> &str {
    for prefix in ["/cp/", "/tp/"] {
        if let Some(rest) = path.strip_prefix(prefix) {
            return rest.find('/').map_or("/", |slash| &rest[slash..]);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_link_prefixes_are_stripped() {
        assert_eq!(endpoint("/v1/outlet"), "/v1/outlet");
        assert_eq!(endpoint("/cp/abc/v1/outlet"), "/v1/outlet");
        assert_eq!(endpoint("/tp/abc/v1/telemetry"), "/v1/telemetry");
        assert_eq!(endpoint("/cp/abc"), "/");
        assert_eq!(endpoint("/cpx/v1/outlet"), "/cpx/v1/outlet");
    }
}
