//! The one thread that writes. It takes what waits, runs it in one transaction with a savepoint for
//! each request, syncs once, and only then answers.
//!
//! Callers that were just answered come back together a little later: a group waits for as many as
//! were at work at the end of the last one, for at most half of what its commit took. Without that
//! the first to come back would take a sync for itself, and all others the next one.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, oneshot};
use tokio::time::Instant;
use uuid::Uuid;

use super::apply::Work;
use super::carrier::Carrier;
use super::fault::{Fault, Outcome};
use super::log::audit;
use super::open::give_pages_back;
use super::records;
use crate::codec::Codec;
use crate::limits::{
    GATHER_WAIT, GROUP_LIMIT, NOTICES_KEPT, QUEUE_LIMIT, QUEUE_WAIT, SWEEP_EVERY, SWEEP_LIMIT,
};
use crate::{Actor, Applied, Batch, Changed, RecordOperation, StoreError};

/// What is to be written.
pub(super) enum Task {
    Apply(Batch),
    Purge(Uuid, Actor),
    Records(Vec<RecordOperation>),
    Sweep,
}

/// Operations from which on a batch does not share a transaction.
const LARGE_BATCH: usize = 1_000;

impl Task {
    /// Whether it may touch so much that it takes a transaction of its own. One that is shared
    /// needs a savepoint for each request, and then every statement costs what was touched before.
    fn is_large(&self) -> bool {
        match self {
            Self::Apply(batch) => batch.replaces_all() || batch.operations.len() >= LARGE_BATCH,
            Self::Purge(..) | Self::Sweep => true,
            Self::Records(_) => false,
        }
    }
}

/// What was written.
#[derive(Default)]
pub(super) struct Written {
    pub(super) applied: Option<Applied>,
    changed: Vec<Changed>,
}

type Answer = Result<Written, StoreError>;

struct Request {
    task: Task,
    now: u64,
    answer: oneshot::Sender<Answer>,
    /// A place in the queue, given back with the answer.
    _place: Option<OwnedSemaphorePermit>,
}

/// The caller's side of the queue.
pub(super) struct Writer {
    queue: Option<SyncSender<Request>>,
    places: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
    notices: broadcast::Sender<Changed>,
}

impl Writer {
    pub(super) fn start(
        mut connection: Connection,
        codec: Arc<Codec>,
        path: PathBuf,
    ) -> Result<Self, StoreError> {
        let (queue, requests) = sync_channel(QUEUE_LIMIT);
        let notices = broadcast::channel(NOTICES_KEPT).0;
        let places = Arc::new(Semaphore::new(QUEUE_LIMIT));
        let mut room = Room {
            carrier: Carrier::start(&mut connection, path.clone())?,
            connection,
            codec,
            path,
            notices: notices.clone(),
            places: places.clone(),
            pace: Pace::default(),
            is_full: false,
        };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || room.work(&requests))
            .map_err(|error| StoreError::Storage {
                action: "start the writing thread".to_owned(),
                detail: error.to_string(),
            })?;
        Ok(Self {
            queue: Some(queue),
            places,
            thread: Some(thread),
            notices,
        })
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Changed> {
        self.notices.subscribe()
    }

    #[cfg(test)]
    pub(super) fn places(&self) -> Arc<Semaphore> {
        self.places.clone()
    }

    /// Queues a task and waits until it is on disk.
    pub(super) async fn run(&self, task: Task) -> Answer {
        let unavailable = |reason: &str| StoreError::Unavailable {
            reason: reason.to_owned(),
        };
        let stopped = || unavailable("its writing thread has stopped");
        let place = tokio::time::timeout(QUEUE_WAIT, self.places.clone().acquire_owned())
            .await
            .map_err(|_| unavailable("too many writes are waiting"))?
            .map_err(|_| stopped())?;
        let (answer, answered) = oneshot::channel();
        let now = clock::unix_millis();
        let request = Request {
            task,
            now,
            answer,
            _place: Some(place),
        };
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.try_send(request).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    // What was queued is still written; the thread then closes the database.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writing thread of the store ended in a panic");
        }
    }
}

/// The thread's side.
struct Room {
    // The thread beside this one ends before the connection does: the last to close the file takes
    // the write-ahead log with it.
    carrier: Carrier,
    connection: Connection,
    codec: Arc<Codec>,
    path: PathBuf,
    notices: broadcast::Sender<Changed>,
    places: Arc<Semaphore>,
    pace: Pace,
    /// Whether a large change has filled the memory for pages.
    is_full: bool,
}

/// What the last group says about the next one.
#[derive(Default)]
struct Pace {
    /// Requests that were at work or waiting before it was answered.
    callers: usize,
    /// How long the next one may wait for that many.
    patience: Duration,
}

impl Room {
    fn work(&mut self, requests: &Receiver<Request>) {
        let mut swept = Instant::now();
        loop {
            match requests.recv_timeout(self.carrier.rest().unwrap_or(SWEEP_EVERY)) {
                Ok(request) => {
                    let group = self.gather(request, requests);
                    self.serve(group);
                    self.carrier.after_group(&self.connection);
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.give_back();
                    self.carrier.when_idle();
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if swept.elapsed() >= SWEEP_EVERY {
                swept = Instant::now();
                self.sweep();
            }
        }
    }

    /// Takes what waits, and what comes back in a moment.
    fn gather(&self, first: Request, requests: &Receiver<Request>) -> Vec<Request> {
        let mut group = vec![first];
        let until = Instant::now() + self.pace.patience;
        while group.len() < GROUP_LIMIT {
            let next = match requests.try_recv() {
                Err(TryRecvError::Empty) if group.len() < self.pace.callers => {
                    let left = until.saturating_duration_since(Instant::now());
                    requests.recv_timeout(left).ok()
                }
                next => next.ok(),
            };
            match next {
                Some(request) => group.push(request),
                None => break,
            }
        }
        group
    }

    fn serve(&mut self, group: Vec<Request>) {
        let start = Instant::now();
        self.is_full |= group.iter().any(|request| request.task.is_large());
        let runs = group.chunk_by(|one, next| !one.task.is_large() && !next.task.is_large());
        let answers: Vec<Answer> = runs.flat_map(|run| self.commit(run)).collect();
        self.notify(&answers);
        self.pace = Pace {
            callers: QUEUE_LIMIT - self.places.available_permits(),
            patience: (start.elapsed() / 2).min(GATHER_WAIT),
        };
        for (request, answer) in group.into_iter().zip(answers) {
            // A caller that went away does not need the answer.
            drop(request.answer.send(answer));
        }
    }

    /// Returns the memory that a large change took for pages: the next one may be long in coming.
    fn give_back(&mut self) {
        if std::mem::take(&mut self.is_full)
            && let Err(error) = give_pages_back(&self.connection)
        {
            tracing::debug!(%error, "memory for pages is kept");
        }
    }

    fn sweep(&mut self) {
        let answer = oneshot::channel().0;
        let request = Request {
            task: Task::Sweep,
            now: clock::unix_millis(),
            answer,
            _place: None,
        };
        let answers = self.commit(std::slice::from_ref(&request));
        self.notify(&answers);
        for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            tracing::warn!(%error, "expired rows could not be cleared away");
        }
    }

    fn notify(&self, answers: &[Answer]) {
        let mut newest: HashMap<Uuid, u64> = HashMap::new();
        for changed in answers
            .iter()
            .flatten()
            .flat_map(|written| &written.changed)
        {
            newest.insert(changed.control_plane, changed.version);
        }
        for (control_plane, version) in newest {
            // Nobody listening is no failure.
            drop(self.notices.send(Changed {
                control_plane,
                version,
            }));
        }
    }

    /// One transaction for the group. When it does not fit on the disk or fails in itself, each
    /// request is tried alone, so that one does not take the others with it. A database that is
    /// held by another program or damaged fails the others just the same.
    fn commit(&self, group: &[Request]) -> Vec<Answer> {
        match self.attempt(group) {
            Ok(answers) => answers,
            Err(error @ (StoreError::Unavailable { .. } | StoreError::Corrupt { .. })) => {
                group.iter().map(|_| Err(error.clone())).collect()
            }
            Err(error) if group.len() == 1 => vec![Err(error)],
            Err(error) => {
                tracing::warn!(%error, requests = group.len(), "a group of writes failed");
                let alone = |request| self.attempt(std::slice::from_ref(request));
                let mut answers = Vec::with_capacity(group.len());
                for answer in group.iter().map(alone) {
                    match answer {
                        Ok(one) => answers.extend(one),
                        Err(error) => answers.push(Err(error)),
                    }
                }
                answers
            }
        }
    }

    fn attempt(&self, group: &[Request]) -> Result<Vec<Answer>, StoreError> {
        let done = catch_unwind(AssertUnwindSafe(|| self.transact(group)));
        let fault = match done {
            Ok(Ok(answers)) => return Ok(answers),
            Ok(Err(fault)) => fault.into_error("write", &self.path),
            Err(_) => StoreError::Storage {
                action: "write".to_owned(),
                detail: "the store met a fault of its own; please report it".to_owned(),
            },
        };
        // After some failures SQLite has already rolled back by itself.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a failed transaction could not be rolled back");
        }
        Err(fault)
    }

    fn transact(&self, group: &[Request]) -> Outcome<Vec<Answer>> {
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute([])?;
        if let [request] = group {
            // What is refused takes the whole transaction with it.
            let written = self.execute(request)?;
            self.connection.prepare_cached("COMMIT")?.execute([])?;
            return Ok(vec![Ok(written)]);
        }
        let mut answers = Vec::with_capacity(group.len());
        for request in group {
            self.connection
                .prepare_cached("SAVEPOINT request")?
                .execute([])?;
            let answer = match self.execute(request) {
                Ok(written) => Ok(written),
                Err(Fault::Refused(error)) => {
                    self.connection
                        .prepare_cached("ROLLBACK TO request")?
                        .execute([])?;
                    Err(error)
                }
                Err(fault @ Fault::Database(_)) => return Err(fault),
            };
            self.connection
                .prepare_cached("RELEASE request")?
                .execute([])?;
            answers.push(answer);
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(answers)
    }

    fn execute(&self, request: &Request) -> Outcome<Written> {
        match &request.task {
            Task::Apply(batch) => self.apply(batch, request.now),
            Task::Purge(plane, actor) => self.purge(*plane, actor, request.now),
            Task::Records(operations) => {
                for operation in operations {
                    records::run(&self.connection, operation, request.now)?;
                }
                Ok(Written::default())
            }
            Task::Sweep => self.clear_expired(request.now),
        }
    }

    fn apply(&self, batch: &Batch, now: u64) -> Outcome<Written> {
        let control_plane = batch.control_plane;
        let mut work = Work::new(&self.connection, &self.codec, control_plane, now);
        for operation in &batch.operations {
            work.run(operation)?;
        }
        let applied = work.finish(&batch.actor)?;
        let changed = if applied.changed > 0 {
            vec![Changed {
                control_plane,
                version: applied.version,
            }]
        } else {
            Vec::new()
        };
        Ok(Written {
            applied: Some(applied),
            changed,
        })
    }

    fn purge(&self, plane: Uuid, actor: &Actor, now: u64) -> Outcome<Written> {
        for table in [
            "entity",
            "unique_key",
            "reference",
            "tag",
            "change_log",
            "plane",
        ] {
            let sql = format!("DELETE FROM {table} WHERE control_plane = ?1");
            self.connection.prepare_cached(&sql)?.execute([plane])?;
        }
        let summary = json!([{ "change": "purged" }]);
        audit(&self.connection, plane, (now, 0), actor, &summary)?;
        Ok(Written {
            applied: None,
            changed: vec![Changed {
                control_plane: plane,
                version: 0,
            }],
        })
    }

    fn clear_expired(&self, now: u64) -> Outcome<Written> {
        let mut find = self.connection.prepare_cached(
            "SELECT control_plane, kind, id FROM entity
             WHERE expires_at IS NOT NULL AND expires_at <= ?1 LIMIT ?2",
        )?;
        let rows = find.query_map((now / 1000, SWEEP_LIMIT), |row| {
            Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))
        })?;
        let mut planes: HashMap<Uuid, Vec<(String, Uuid)>> = HashMap::new();
        for row in rows {
            let (plane, address) = row?;
            planes.entry(plane).or_default().push(address);
        }
        super::history::clear(&self.connection, now)?;
        let mut written = Written::default();
        for (control_plane, rows) in planes {
            let mut work = Work::new(&self.connection, &self.codec, control_plane, now);
            for (kind, id) in rows {
                work.remove(self.codec.kind(&kind)?, id)?;
            }
            let version = work.finish(&Actor::system())?.version;
            written.changed.push(Changed {
                control_plane,
                version,
            });
        }
        Ok(written)
    }
}
