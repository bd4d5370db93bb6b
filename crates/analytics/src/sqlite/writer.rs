//! The one thread that writes: takes what waits, adds it up in one transaction, syncs once,
//! answers.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use uuid::Uuid;

use super::open::translate;
use super::reader::{FIGURES, totals};
use super::window::Window;
use crate::AnalyticsError;
use crate::intake::{Accepted, KEYS_PER_MINUTE, Key, MINUTES_KEPT, OVERFLOW, Summed};
use crate::totals::Totals;

/// Batches that may wait, the ones at work included.
const QUEUE_LIMIT: usize = 256;

/// How long a batch waits for a place before its node has to send it again.
const QUEUE_WAIT: Duration = Duration::from_secs(5);

/// Most batches that share one transaction.
const GROUP_LIMIT: usize = 64;

/// Streams remembered for each control plane, the most recent ones.
const STREAMS_KEPT: u64 = 10_000;

/// Minutes for which the number of keys is remembered, over all control planes.
const COUNTS_KEPT: usize = 10_000;

/// Largest number the database keeps.
const LARGEST: u64 = i64::MAX.unsigned_abs();

pub(super) enum Task {
    Keep(Summed),
    Purge(Uuid),
}

type Answer = Result<Option<Accepted>, AnalyticsError>;

struct Request {
    task: Task,
    answer: oneshot::Sender<Answer>,
    _place: OwnedSemaphorePermit,
}

/// The caller's side of the queue.
pub(super) struct Writer {
    queue: Option<SyncSender<Request>>,
    places: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, path: PathBuf) -> Result<Self, AnalyticsError> {
        let (queue, requests) = sync_channel(QUEUE_LIMIT);
        let mut room = Room {
            connection,
            path,
            keys: HashMap::new(),
            pruned: 0,
        };
        let thread = std::thread::Builder::new()
            .name("analytics-writer".to_owned())
            .spawn(move || room.work(&requests))
            .map_err(|error| AnalyticsError::Storage {
                action: "start the writing thread".to_owned(),
                detail: error.to_string(),
            })?;
        let places = Arc::new(Semaphore::new(QUEUE_LIMIT));
        Ok(Self {
            queue: Some(queue),
            places,
            thread: Some(thread),
        })
    }

    pub(super) async fn run(&self, task: Task) -> Answer {
        let unavailable = |reason: &str| AnalyticsError::Unavailable {
            reason: reason.to_owned(),
        };
        let stopped = || unavailable("its writing thread has stopped");
        let place = tokio::time::timeout(QUEUE_WAIT, self.places.clone().acquire_owned())
            .await
            .map_err(|_| unavailable("too many batches are waiting"))?
            .map_err(|_| stopped())?;
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue
            .try_send(Request {
                task,
                answer,
                _place: place,
            })
            .map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    // What was queued is still written; the thread then closes the file.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writing thread of the analytics ended in a panic");
        }
    }
}

/// The thread's side.
struct Room {
    connection: Connection,
    path: PathBuf,
    /// How many keys a minute of a control plane has.
    keys: HashMap<(Uuid, u64), usize>,
    /// The minute in which old rows were last removed.
    pruned: u64,
}

impl Room {
    fn work(&mut self, requests: &Receiver<Request>) {
        while let Ok(first) = requests.recv() {
            let mut group = vec![first];
            while group.len() < GROUP_LIMIT
                && let Ok(next) = requests.try_recv()
            {
                group.push(next);
            }
            let answers = self.commit(&group);
            for (request, answer) in group.into_iter().zip(answers) {
                // A caller that went away does not need the answer.
                drop(request.answer.send(answer));
            }
        }
    }

    fn commit(&mut self, group: &[Request]) -> Vec<Answer> {
        let done = catch_unwind(AssertUnwindSafe(|| self.transact(group)));
        let error = match done {
            Ok(Ok(answers)) => return answers.into_iter().map(Ok).collect(),
            Ok(Err(error)) => translate(&error, "keep telemetry", &self.path),
            Err(_) => AnalyticsError::Storage {
                action: "keep telemetry".to_owned(),
                detail: "the analytics met a fault of their own; please report it".to_owned(),
            },
        };
        // What was remembered may have been rolled back.
        self.keys.clear();
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a failed transaction could not be rolled back");
        }
        tracing::warn!(%error, batches = group.len(), "telemetry was not kept");
        group.iter().map(|_| Err(error.clone())).collect()
    }

    fn transact(&mut self, group: &[Request]) -> rusqlite::Result<Vec<Option<Accepted>>> {
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute([])?;
        let mut cells: HashMap<(Uuid, Key), Totals> = HashMap::new();
        let mut answers = Vec::with_capacity(group.len());
        for request in group {
            answers.push(match &request.task {
                Task::Keep(summed) => Some(self.take(summed, &mut cells)?),
                Task::Purge(plane) => {
                    cells.retain(|(owner, _), _| owner != plane);
                    self.purge(*plane)?;
                    None
                }
            });
        }
        for ((plane, key), totals) in cells {
            self.add(plane, key, &totals)?;
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(answers)
    }

    /// Looks whether a batch is new, and puts what it holds to the others.
    fn take(
        &mut self,
        summed: &Summed,
        cells: &mut HashMap<(Uuid, Key), Totals>,
    ) -> rusqlite::Result<Accepted> {
        let plane = summed.origin.control_plane;
        self.prune(summed.minute)?;
        let (is_new, next_sequence, missing) = self.advance(summed)?;
        if !is_new {
            return Ok(Accepted {
                next_sequence,
                is_repeat: true,
                counted: 0,
                moved: 0,
                too_old: 0,
            });
        }
        let number = |count: u64| i64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let losses = [
            ("node", number(summed.dropped)),
            ("old", number(summed.too_old)),
            ("missing", missing),
        ];
        for (reason, count) in losses.into_iter().filter(|(_, count)| *count != 0) {
            self.lose(plane, summed.minute, reason, count)?;
        }
        for (key, totals) in &summed.cells {
            cells.entry((plane, *key)).or_default().merge(totals);
        }
        Ok(Accepted {
            next_sequence,
            is_repeat: false,
            counted: summed.counted,
            moved: summed.moved,
            too_old: summed.too_old,
        })
    }

    /// Notes the number of a batch. Gives whether it is new, the number after the highest, and by
    /// how much the count of missing batches changes.
    fn advance(&self, summed: &Summed) -> rusqlite::Result<(bool, u64, i64)> {
        let key = (
            summed.origin.control_plane,
            summed.origin.node,
            summed.stream.to_be_bytes(),
        );
        let known: Option<([u8; 8], [u8; 8])> = self
            .connection
            .prepare_cached(
                "SELECT highest, seen FROM stream
                 WHERE control_plane = ?1 AND node = ?2 AND stream = ?3",
            )?
            .query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let known = known.map(|(highest, seen)| Window {
            highest: u64::from_be_bytes(highest),
            seen: u64::from_be_bytes(seen),
        });
        let (window, is_new, missing) = Window::note(known, summed.sequence);
        if is_new {
            self.connection
                .prepare_cached(
                    "INSERT INTO stream (control_plane, node, stream, highest, seen, minute)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT DO UPDATE SET highest = ?4, seen = ?5, minute = ?6",
                )?
                .execute((
                    key.0,
                    key.1,
                    key.2,
                    window.highest.to_be_bytes(),
                    window.seen.to_be_bytes(),
                    summed.minute,
                ))?;
        }
        Ok((is_new, window.highest.saturating_add(1), missing))
    }

    fn lose(&self, plane: Uuid, minute: u64, reason: &str, count: i64) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO loss (control_plane, minute, reason, count) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET count = count + ?4",
            )?
            .execute((plane, minute, reason, count))?;
        Ok(())
    }

    /// Adds figures to their row, or to that of the overflow when the minute is crowded.
    fn add(&mut self, plane: Uuid, key: Key, more: &Totals) -> rusqlite::Result<()> {
        if let Some(mut sum) = self.find(plane, &key)? {
            sum.merge(more);
            return self.put(plane, &key, &sum);
        }
        let count = self.key_count(plane, key.minute)?;
        if count < KEYS_PER_MINUTE {
            self.keys.insert((plane, key.minute), count + 1);
            return self.put(plane, &key, more);
        }
        let rest = Key {
            service: OVERFLOW,
            route: OVERFLOW,
            ..key
        };
        let mut sum = self.find(plane, &rest)?.unwrap_or_default();
        sum.merge(more);
        self.put(plane, &rest, &sum)
    }

    fn key_count(&mut self, plane: Uuid, minute: u64) -> rusqlite::Result<usize> {
        if let Some(count) = self.keys.get(&(plane, minute)) {
            return Ok(*count);
        }
        if self.keys.len() >= COUNTS_KEPT {
            self.keys.clear();
        }
        let count = self
            .connection
            .prepare_cached("SELECT count(*) FROM rollup WHERE control_plane = ?1 AND minute = ?2")?
            .query_row((plane, minute), |row| row.get(0))?;
        self.keys.insert((plane, minute), count);
        Ok(count)
    }

    fn find(&self, plane: Uuid, key: &Key) -> rusqlite::Result<Option<Totals>> {
        let sql = format!(
            "SELECT {FIGURES} FROM rollup WHERE control_plane = ?1 AND minute = ?2
             AND service = ?3 AND route = ?4 AND status = ?5"
        );
        self.connection
            .prepare_cached(&sql)?
            .query_row(
                (plane, key.minute, key.service, key.route, key.status),
                |row| totals(row, 0),
            )
            .optional()
    }

    fn put(&self, plane: Uuid, key: &Key, sum: &Totals) -> rusqlite::Result<()> {
        let mut put = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO rollup (control_plane, minute, service, route, status, count,
             by_plugin, by_gateway, request_bytes, response_bytes, total_us, upstream_us,
             gateway_us, total, upstream, gateway)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?;
        put.execute((
            plane,
            key.minute,
            key.service,
            key.route,
            key.status,
            sum.count.min(LARGEST),
            sum.answered_by_plugin.min(LARGEST),
            sum.answered_by_gateway.min(LARGEST),
            sum.request_bytes.min(LARGEST),
            sum.response_bytes.min(LARGEST),
            sum.total.sum_us.min(LARGEST),
            sum.upstream.sum_us.min(LARGEST),
            sum.gateway.sum_us.min(LARGEST),
            sum.total.histogram.encode(),
            sum.upstream.histogram.encode(),
            sum.gateway.histogram.encode(),
        ))?;
        Ok(())
    }

    /// Removes what is too old, once a minute.
    fn prune(&mut self, minute: u64) -> rusqlite::Result<()> {
        if minute <= self.pruned {
            return Ok(());
        }
        self.pruned = minute;
        let end = minute.saturating_sub(MINUTES_KEPT);
        self.keys.retain(|(_, kept), _| *kept >= end);
        let mut plane = Uuid::nil();
        loop {
            let next = self
                .connection
                .prepare_cached(
                    "SELECT control_plane FROM stream WHERE control_plane > ?1
                     ORDER BY control_plane LIMIT 1",
                )?
                .query_row([plane], |row| row.get(0))
                .optional()?;
            let Some(next) = next else { return Ok(()) };
            plane = next;
            self.prune_plane(plane, end)?;
        }
    }

    fn prune_plane(&self, plane: Uuid, end: u64) -> rusqlite::Result<()> {
        for (table, end) in [
            ("rollup", end),
            ("loss", end),
            // Figures may lie a little after their batch; its stream goes last.
            ("stream", end.saturating_sub(60)),
        ] {
            let sql = format!("DELETE FROM {table} WHERE control_plane = ?1 AND minute < ?2");
            self.connection
                .prepare_cached(&sql)?
                .execute((plane, end))?;
        }
        self.connection
            .prepare_cached(
                "DELETE FROM stream WHERE control_plane = ?1 AND minute <
                 (SELECT minute FROM stream WHERE control_plane = ?1
                  ORDER BY minute DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute((plane, STREAMS_KEPT))?;
        Ok(())
    }

    fn purge(&mut self, plane: Uuid) -> rusqlite::Result<()> {
        self.keys.retain(|(owner, _), _| *owner != plane);
        for table in ["rollup", "stream", "loss"] {
            let sql = format!("DELETE FROM {table} WHERE control_plane = ?1");
            self.connection.prepare_cached(&sql)?.execute([plane])?;
        }
        Ok(())
    }
}
