//! Reading.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, Row};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::open;
use crate::AnalyticsError;
use crate::histogram::Histogram;
use crate::intake::Key;
use crate::query::{Collector, Losses, Query, Rows};
use crate::totals::{Latency, Totals};

/// Questions answered at the same time.
const READERS: usize = 2;

/// How long a question waits for its turn.
const READ_WAIT: Duration = Duration::from_secs(10);

pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    places: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        let idle = Arc::new(Mutex::new(Vec::with_capacity(READERS)));
        Self {
            path,
            idle,
            places: Arc::new(Semaphore::new(READERS)),
        }
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, AnalyticsError> {
        let unavailable = |reason: &str| AnalyticsError::Unavailable {
            reason: reason.to_owned(),
        };
        let place = tokio::time::timeout(READ_WAIT, self.places.clone().acquire_owned())
            .await
            .map_err(|_| unavailable("too many questions are waiting"))?
            .map_err(|_| unavailable("it is closing"))?;
        let (idle, path) = (self.idle.clone(), self.path.clone());
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            let reused = idle.lock().pop();
            let connection = reused.map_or_else(|| open::reader(&path), Ok);
            let result = connection.and_then(|connection| {
                let result = work(&connection);
                idle.lock().push(connection);
                result
            });
            result.map_err(|error| open::translate(&error, "read telemetry", &path))
        });
        done.await
            .map_err(|_| unavailable("the question was interrupted"))?
    }
}

/// The columns that [`totals`] reads, from the given one on.
pub(super) const FIGURES: &str = "count, by_plugin, by_gateway, request_bytes, response_bytes, \
                                  total_us, upstream_us, gateway_us, total, upstream, gateway";

pub(super) fn totals(row: &Row<'_>, first: usize) -> rusqlite::Result<Totals> {
    let latency = |sum: usize, histogram: usize| -> rusqlite::Result<Latency> {
        let bytes = row.get_ref(first + histogram)?.as_blob()?;
        // Damage in a figure is not worth losing the others.
        let histogram = Histogram::decode(bytes).unwrap_or_default();
        Ok(Latency {
            sum_us: row.get(first + sum)?,
            histogram,
        })
    };
    Ok(Totals {
        count: row.get(first)?,
        answered_by_plugin: row.get(first + 1)?,
        answered_by_gateway: row.get(first + 2)?,
        request_bytes: row.get(first + 3)?,
        response_bytes: row.get(first + 4)?,
        total: latency(5, 8)?,
        upstream: latency(6, 9)?,
        gateway: latency(7, 10)?,
    })
}

pub(super) fn query(
    connection: &Connection,
    plane: Uuid,
    query: Query,
    (from, until): (u64, u64),
) -> rusqlite::Result<Rows> {
    let sql = format!(
        "SELECT minute, service, route, status, {FIGURES} FROM rollup
         WHERE control_plane = ?1 AND minute >= ?2 AND minute < ?3"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query((plane, from, until))?;
    let mut collector = Collector::new(query);
    while let Some(row) = rows.next()? {
        let key = Key {
            minute: row.get(0)?,
            service: row.get(1)?,
            route: row.get(2)?,
            status: row.get(3)?,
        };
        if collector.wants(&key) {
            collector.add(&key, &totals(row, 4)?);
        }
    }
    Ok(collector.finish())
}

pub(super) fn losses(
    connection: &Connection,
    plane: Uuid,
    (from, until): (u64, u64),
) -> rusqlite::Result<Losses> {
    let mut select = connection.prepare_cached(
        "SELECT reason, sum(count) FROM loss
         WHERE control_plane = ?1 AND minute >= ?2 AND minute < ?3 GROUP BY reason",
    )?;
    let mut rows = select.query((plane, from, until))?;
    let mut losses = Losses::default();
    while let Some(row) = rows.next()? {
        let count = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
        match row.get_ref(0)?.as_str()? {
            "node" => losses.at_node = count,
            "old" => losses.too_old = count,
            "missing" => losses.missing_batches = count,
            _ => {}
        }
    }
    Ok(losses)
}
