//! Writing: requests of one control plane that wait together share one transaction.
//!
//! A control plane belongs to one lane, which takes what waits, holds the lock of the control plane
//! in the database while it works, and answers after the commit. Records have a lane of their own.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use uuid::Uuid;

use super::room::Room;
use crate::limits::{GROUP_LIMIT, QUEUE_LIMIT, QUEUE_WAIT};
use crate::{Actor, Applied, Batch, RecordOperation, StoreError};

/// Lanes for control planes; one more is for records.
const LANES: usize = 4;

/// What is to be written.
pub(super) enum Task {
    Apply(Batch),
    Purge(Uuid, Actor),
    Records(Vec<RecordOperation>),
    /// Rows that may have expired.
    Expire(Uuid, Vec<(String, Uuid)>),
}

impl Task {
    /// The control plane; `None` for records.
    pub(super) const fn plane(&self) -> Option<Uuid> {
        match self {
            Self::Apply(batch) => Some(batch.control_plane),
            Self::Purge(plane, _) | Self::Expire(plane, _) => Some(*plane),
            Self::Records(_) => None,
        }
    }

    /// Whether it writes before its end and so cannot be undone alone.
    pub(super) fn is_alone(&self) -> bool {
        match self {
            Self::Apply(batch) => batch.replaces_all(),
            Self::Purge(..) => true,
            Self::Records(_) | Self::Expire(..) => false,
        }
    }
}

pub(super) type Answer = Result<Applied, StoreError>;

pub(super) struct Request {
    pub(super) task: Task,
    /// Unix milliseconds.
    pub(super) now: u64,
    answer: oneshot::Sender<Answer>,
    /// A place in the queue, given back with the answer.
    _place: OwnedSemaphorePermit,
}

/// The caller's side of the queues.
pub(super) struct Writer {
    lanes: Vec<mpsc::Sender<Request>>,
    places: Arc<Semaphore>,
}

impl Writer {
    /// Starts the lanes as tasks; they end when the writer is dropped and their queues are empty.
    pub(super) fn start(room: &Arc<Room>) -> (Self, Vec<tokio::task::JoinHandle<()>>) {
        let mut tasks = Vec::new();
        let lanes = (0..=LANES).map(|_| {
            let (queue, requests) = mpsc::channel(QUEUE_LIMIT);
            tasks.push(tokio::spawn(work(room.clone(), requests)));
            queue
        });
        let writer = Self {
            lanes: lanes.collect(),
            places: Arc::new(Semaphore::new(QUEUE_LIMIT)),
        };
        (writer, tasks)
    }

    /// Queues a task and waits until it is on disk.
    pub(super) async fn run(&self, task: Task) -> Answer {
        let unavailable = |reason: &str| StoreError::Unavailable {
            reason: reason.to_owned(),
        };
        let stopped = || unavailable("the write was interrupted");
        let place = tokio::time::timeout(QUEUE_WAIT, self.places.clone().acquire_owned())
            .await
            .map_err(|_| unavailable("too many writes are waiting"))?
            .map_err(|_| stopped())?;
        let lane = match task.plane() {
            None => LANES,
            Some(plane) => usize::from(plane.as_bytes()[15]) % LANES,
        };
        let (answer, answered) = oneshot::channel();
        let request = Request {
            task,
            now: clock::unix_millis(),
            answer,
            _place: place,
        };
        let queue = self.lanes.get(lane).ok_or_else(stopped)?;
        queue.try_send(request).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

/// A lane.
async fn work(room: Arc<Room>, mut requests: mpsc::Receiver<Request>) {
    let mut group = Vec::new();
    while requests.recv_many(&mut group, GROUP_LIMIT).await > 0 {
        let (room, group) = (room.clone(), std::mem::take(&mut group));
        // A task of its own: a fault in the work ends that group, not the lane.
        if tokio::spawn(serve(room, group)).await.is_err() {
            tracing::error!("a group of writes ended in a panic; please report it");
        }
    }
}

async fn serve(room: Arc<Room>, group: Vec<Request>) {
    for run in runs(group) {
        let answers = room.commit(&run).await;
        for (request, answer) in run.into_iter().zip(answers) {
            // A caller that went away does not need the answer.
            drop(request.answer.send(answer));
        }
    }
}

/// Splits a group into parts that share a transaction: those of one control plane, in order.
fn runs(group: Vec<Request>) -> Vec<Vec<Request>> {
    let mut runs: Vec<Vec<Request>> = Vec::new();
    let mut open: HashMap<Option<Uuid>, usize> = HashMap::new();
    for request in group {
        let (plane, is_alone) = (request.task.plane(), request.task.is_alone());
        match open.get(&plane) {
            Some(run) if !is_alone => runs[*run].push(request),
            _ => {
                runs.push(vec![request]);
                open.insert(plane, runs.len() - 1);
            }
        }
        if is_alone {
            open.remove(&plane);
        }
    }
    runs
}
