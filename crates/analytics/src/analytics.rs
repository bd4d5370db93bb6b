//! The handle that everybody holds.

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;
use wire::telemetry::Batch;

use crate::AnalyticsError;
use crate::intake::{self, Accepted, Origin};
use crate::query::{Losses, Query, Range, Rows};
use crate::sqlite::Database;

/// Telemetry of an installation in one file. Cheap to clone; the file closes with the last handle.
///
/// All methods need a tokio runtime with a timer.
#[derive(Clone)]
pub struct Analytics {
    database: Arc<Database>,
}

impl std::fmt::Debug for Analytics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analytics")
            .field("path", &self.database.path())
            .finish()
    }
}

impl Analytics {
    /// Opens or makes the file. Blocks; call it at start.
    ///
    /// # Errors
    ///
    /// When the file is damaged, foreign, newer than this release or cannot be written.
    pub fn open(path: &Path) -> Result<Self, AnalyticsError> {
        Ok(Self {
            database: Arc::new(Database::open(path)?),
        })
    }

    /// Counts a batch, once however often it arrives. When this returns it is on disk.
    ///
    /// Batches of a stream may arrive out of order by 64; one further back counts as a repeat.
    ///
    /// # Errors
    ///
    /// When it could not be kept; then nothing of it was counted.
    pub async fn ingest(&self, origin: Origin, batch: Batch) -> Result<Accepted, AnalyticsError> {
        let summed = intake::sum(origin, &batch, clock::unix_millis());
        drop(batch);
        self.database.keep(summed).await
    }

    /// Answers a question about a control plane.
    ///
    /// # Errors
    ///
    /// When the question is none, or the file cannot be read.
    pub async fn query(&self, control_plane: Uuid, query: Query) -> Result<Rows, AnalyticsError> {
        self.database.query(control_plane, query).await
    }

    /// Counts what is missing in the figures of a control plane.
    ///
    /// # Errors
    ///
    /// When the span is none, or the file cannot be read.
    pub async fn losses(
        &self,
        control_plane: Uuid,
        range: Range,
    ) -> Result<Losses, AnalyticsError> {
        self.database.losses(control_plane, range).await
    }

    /// Forgets a control plane.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub async fn purge(&self, control_plane: Uuid) -> Result<(), AnalyticsError> {
        self.database.purge(control_plane).await
    }
}
