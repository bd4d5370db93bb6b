//! From the links of nodes to the figures.

use std::pin::Pin;

use analytics::{Analytics, Origin};
use control_plane::outlet::{KeepBatches, TelemetryOrigin};
use control_plane::{PlaneEvent, Planes};
use tokio::sync::broadcast::error::RecvError;
use wire::telemetry::Batch;

/// Keeps what nodes report in the geo's file.
#[derive(Debug)]
pub(super) struct Keeper(pub(super) Analytics);

impl KeepBatches for Keeper {
    fn keep(
        &self,
        origin: TelemetryOrigin,
        batch: Batch,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        let origin = Origin {
            control_plane: origin.control_plane,
            node: origin.node,
        };
        Box::pin(async move {
            let kept = self.0.ingest(origin, batch).await;
            kept.map(|_| ()).map_err(|error| error.to_string())
        })
    }
}

/// Removes the figures of control planes that are deleted, for as long as there are any.
pub(super) fn forget_with_planes(planes: &Planes, analytics: Analytics) {
    let mut events = planes.events();
    tokio::spawn(async move {
        loop {
            match events.recv().await {
                Ok(PlaneEvent::PlaneDeleted { control_plane }) => {
                    if let Err(error) = analytics.purge(control_plane).await {
                        tracing::warn!(%control_plane, %error, "figures could not be removed");
                    }
                }
                // A missed deletion leaves figures that nobody can ask for, until they age out.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    });
}
