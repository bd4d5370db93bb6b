//! The database behind the contract: a schema of a PostgreSQL database, shared by any number of
//! processes.
//!
//! A writer holds the row of its control plane locked, so that versions follow each other without
//! gaps; requests that wait together share a transaction ([`writer`], [`room`]). Readers take one
//! of a few connections ([`pool`]). Everything runs on threads of its own.

mod apply;
mod draft;
mod fault;
mod history;
mod link;
mod list;
mod log;
mod notices;
mod numbers;
mod pool;
mod read;
mod records;
mod replace;
mod room;
mod rows;
mod schema;
mod script;
mod state;
mod sweep;
#[cfg(test)]
mod tests;
mod tls;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::{broadcast, oneshot};
use uuid::Uuid;

use fault::Remedy;
pub(crate) use fault::{Fault, Outcome};
pub(crate) use link::{Connector, Link};
use notices::Notices;
use pool::{Lease, Pool, PoolOptions};
pub(crate) use read::BEGIN_SNAPSHOT;
use read::Reading;
use room::Room;
pub(crate) use schema::{check_current, migrated};
use writer::{Task, Writer};

use crate::codec::Codec;
use crate::{
    Actor, Applied, AuditEntry, Batch, Body, Changed, Changes, Export, ListQuery, Location, Model,
    Page, PostgresConfig, Record, RecordOperation, RecordQuery, Revisions, RowChange, Seal,
    StoreError, TagRow,
};

/// Threads that talk to the server, seal and read bodies.
const THREADS: usize = 2;

/// How long closing waits for writes that are queued.
const CLOSE_WAIT: Duration = Duration::from_secs(10);

/// An open database.
pub(crate) struct Database {
    room: Arc<Room>,
    /// Where lists and counts are read.
    replica: Arc<Pool>,
    writer: Option<Arc<Writer>>,
    runtime: Handle,
    close: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What opening leads to.
type Opened = Result<(Arc<Room>, Arc<Pool>, Arc<Writer>, Handle), StoreError>;

/// Runs `$work` with a connection of `$pool` bound to `$link`, once more on a new connection when
/// the first one turns out to be lost.
macro_rules! read {
    ($database:ident, $pool:expr, |$link:ident| $work:expr) => {{
        let (pool, place): (Arc<Pool>, String) = ($pool.clone(), $database.room.place.clone());
        let task = async move {
            let mut is_new = false;
            loop {
                let lent = if is_new {
                    pool.lend_new().await
                } else {
                    pool.lend().await
                };
                let outcome = match lent {
                    Ok(lease) => {
                        let $link: &Link = &lease;
                        let outcome: Outcome<_> = $work;
                        settle(lease, outcome).await
                    }
                    Err(fault) => Err(fault),
                };
                match outcome {
                    Err(fault) if fault.remedy() == Remedy::Reconnect && !is_new => is_new = true,
                    other => return other.map_err(|fault| fault.into_error("read", &place)),
                }
            }
        };
        let interrupted = |_| StoreError::Unavailable {
            reason: "the read was interrupted".to_owned(),
        };
        $database.runtime.spawn(task).await.map_err(interrupted)?
    }};
}

/// Gives a connection back after reading, unless it is of no use any more.
async fn settle<T>(lease: Lease, outcome: Outcome<T>) -> Outcome<T> {
    match &outcome {
        Ok(_) => lease.give_back(),
        // A snapshot may still be open.
        Err(Fault::Refused(_)) if lease.batch("ROLLBACK").await.is_ok() => lease.give_back(),
        Err(_) => {}
    }
    outcome
}

/// Does all of `work` in one state of the database.
async fn in_snapshot<T>(link: &Link, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    link.batch(BEGIN_SNAPSHOT).await?;
    let done = work.await?;
    link.batch("COMMIT").await?;
    Ok(done)
}

impl Database {
    pub(crate) fn open(
        config: PostgresConfig,
        sealer: Arc<dyn Seal>,
        catalogue: Arc<dyn Model>,
    ) -> Result<Self, StoreError> {
        let cannot_start = |error: std::io::Error| StoreError::Storage {
            action: "start the threads of the store".to_owned(),
            detail: error.to_string(),
        };
        let (answer, opened) = mpsc::sync_channel::<Opened>(1);
        let (close, closed) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("store-postgres".to_owned())
            .spawn(move || live(&config, sealer, catalogue, (&answer, closed)))
            .map_err(cannot_start)?;
        let opened = opened.recv().map_err(|_| StoreError::Unavailable {
            reason: "opening it was interrupted".to_owned(),
        })?;
        let (room, replica, writer, runtime) = opened?;
        Ok(Self {
            room,
            replica,
            writer: Some(writer),
            runtime,
            close: Some(close),
            thread: Some(thread),
        })
    }

    fn codec(&self) -> Arc<Codec> {
        self.room.codec.clone()
    }

    async fn write(&self, task: Task) -> Result<Applied, StoreError> {
        match &self.writer {
            Some(writer) => writer.run(task).await,
            None => Err(StoreError::Unavailable {
                reason: "it is closing".to_owned(),
            }),
        }
    }

    pub(crate) async fn backup(&self, target: PathBuf) -> Result<(), StoreError> {
        Err(StoreError::Storage {
            action: format!("write `{}`", target.display()),
            detail: "a copy of a PostgreSQL schema is made by `gatehouse admin backup`".to_owned(),
        })
    }

    pub(crate) async fn get(
        &self,
        plane: Uuid,
        kind: &str,
        id: Uuid,
    ) -> Result<Option<Body>, StoreError> {
        let (codec, now) = (self.codec(), clock::unix_seconds());
        let kind = codec.kind(kind)?.name;
        read!(self, self.room.pool, |link| {
            reading(link, &codec, plane, now).get(kind, id).await
        })
    }

    pub(crate) async fn find(
        &self,
        plane: Uuid,
        kind: &str,
        fields: &[&str],
        value: &str,
    ) -> Result<Option<Body>, StoreError> {
        let (codec, now) = (self.codec(), clock::unix_seconds());
        let kind = codec.kind(kind)?.name;
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        let value = value.to_owned();
        read!(self, self.room.pool, |link| {
            reading(link, &codec, plane, now)
                .find(kind, &fields, &value)
                .await
        })
    }

    pub(crate) async fn list(
        &self,
        plane: Uuid,
        kind: &str,
        query: ListQuery,
    ) -> Result<Page, StoreError> {
        let (codec, now) = (self.codec(), clock::unix_seconds());
        let kind = codec.kind(kind)?.name;
        read!(self, self.replica, |link| {
            reading(link, &codec, plane, now).list(kind, &query).await
        })
    }

    pub(crate) async fn count(&self, plane: Uuid, kind: &str) -> Result<u64, StoreError> {
        let (codec, now) = (self.codec(), clock::unix_seconds());
        let kind = codec.kind(kind)?.name;
        read!(self, self.replica, |link| {
            reading(link, &codec, plane, now).count(kind).await
        })
    }

    pub(crate) async fn tags(
        &self,
        plane: Uuid,
        tag: Option<String>,
        after: Option<TagRow>,
        size: usize,
    ) -> Result<Vec<TagRow>, StoreError> {
        let (codec, now) = (self.codec(), clock::unix_seconds());
        read!(self, self.replica, |link| {
            reading(link, &codec, plane, now)
                .tags(tag.as_deref(), after.clone(), size)
                .await
        })
    }

    pub(crate) async fn apply(&self, batch: Batch) -> Result<Applied, StoreError> {
        self.write(Task::Apply(batch)).await
    }

    pub(crate) async fn purge(&self, plane: Uuid, actor: Actor) -> Result<(), StoreError> {
        self.write(Task::Purge(plane, actor)).await.map(drop)
    }

    pub(crate) async fn export(&self, plane: Uuid) -> Result<Export, StoreError> {
        let (codec, now) = (self.codec(), clock::unix_seconds());
        read!(self, self.room.pool, |link| {
            let reading = reading(link, &codec, plane, now);
            in_snapshot(link, reading.export()).await
        })
    }

    pub(crate) async fn version(&self, plane: Uuid) -> Result<u64, StoreError> {
        let codec = self.codec();
        read!(self, self.room.pool, |link| {
            let version = reading(link, &codec, plane, 0).version().await;
            version.map(|(version, _)| version)
        })
    }

    pub(crate) async fn changes(&self, plane: Uuid, after: u64) -> Result<Changes, StoreError> {
        let codec = self.codec();
        read!(self, self.room.pool, |link| {
            let reading = reading(link, &codec, plane, 0);
            in_snapshot(link, reading.changes(after)).await
        })
    }

    pub(crate) async fn audit(
        &self,
        plane: Uuid,
        after: u64,
        size: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let codec = self.codec();
        read!(self, self.replica, |link| {
            reading(link, &codec, plane, 0).audit(after, size).await
        })
    }

    pub(crate) async fn revisions(
        &self,
        plane: Uuid,
        before: Option<u64>,
        size: usize,
    ) -> Result<Revisions, StoreError> {
        let codec = self.codec();
        read!(self, self.room.pool, |link| {
            let reading = reading(link, &codec, plane, 0);
            in_snapshot(link, reading.revisions(before, size)).await
        })
    }

    pub(crate) async fn export_at(
        &self,
        plane: Uuid,
        version: u64,
    ) -> Result<Option<Export>, StoreError> {
        let (codec, now) = (self.codec(), clock::unix_seconds());
        read!(self, self.room.pool, |link| {
            let reading = reading(link, &codec, plane, now);
            in_snapshot(link, reading.export_at(version)).await
        })
    }

    pub(crate) async fn changes_between(
        &self,
        plane: Uuid,
        from: u64,
        to: u64,
    ) -> Result<Option<Vec<RowChange>>, StoreError> {
        let (codec, now) = (self.codec(), clock::unix_seconds());
        read!(self, self.room.pool, |link| {
            let reading = reading(link, &codec, plane, now);
            in_snapshot(link, reading.changes_between(from, to)).await
        })
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Changed> {
        self.room.notices.subscribe()
    }

    pub(crate) async fn record_get(
        &self,
        space: &'static str,
        id: Uuid,
    ) -> Result<Option<Record>, StoreError> {
        read!(self, self.room.pool, |link| records::get(link, space, id)
            .await)
    }

    pub(crate) async fn record_find(
        &self,
        space: &'static str,
        field: &'static str,
        value: &str,
    ) -> Result<Option<Record>, StoreError> {
        let value = value.to_owned();
        read!(self, self.room.pool, |link| {
            records::find(link, space, field, &value).await
        })
    }

    pub(crate) async fn record_list(
        &self,
        space: &'static str,
        query: RecordQuery,
    ) -> Result<Vec<Record>, StoreError> {
        read!(self, self.room.pool, |link| {
            records::list(link, space, query).await
        })
    }

    pub(crate) async fn record_count(
        &self,
        space: &'static str,
        owner: Option<Uuid>,
    ) -> Result<u64, StoreError> {
        read!(self, self.room.pool, |link| {
            records::count(link, space, owner).await
        })
    }

    pub(crate) async fn record_batch(
        &self,
        operations: Vec<RecordOperation>,
    ) -> Result<(), StoreError> {
        self.write(Task::Records(operations)).await.map(drop)
    }
}

const fn reading<'a>(link: &'a Link, codec: &'a Codec, plane: Uuid, now: u64) -> Reading<'a> {
    Reading {
        link,
        codec,
        plane,
        now,
    }
}

impl Drop for Database {
    // What was queued is still written; the thread then ends.
    fn drop(&mut self) {
        self.writer = None;
        self.close = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a thread of the store ended in a panic");
        }
    }
}

/// The life of the threads: opening, working until the handle is gone, finishing what is queued.
fn live(
    config: &PostgresConfig,
    sealer: Arc<dyn Seal>,
    catalogue: Arc<dyn Model>,
    (answer, closed): (&mpsc::SyncSender<Opened>, oneshot::Receiver<()>),
) {
    let built = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("store-postgres")
        .enable_all()
        .build();
    let runtime = match built {
        Ok(runtime) => runtime,
        Err(error) => {
            let detail = error.to_string();
            let action = "start the threads of the store".to_owned();
            drop(answer.send(Err(StoreError::Storage { action, detail })));
            return;
        }
    };
    runtime.block_on(async {
        let (room, replica) = match start(config, sealer, catalogue).await {
            Ok(started) => started,
            Err(error) => return drop(answer.send(Err(error))),
        };
        let (writer, lanes) = Writer::start(&room);
        let writer = Arc::new(writer);
        tokio::spawn(sweep::repeat(room.clone(), Arc::downgrade(&writer)));
        let listening = room.clone();
        let (opened, is_listening) = oneshot::channel();
        tokio::spawn(async move {
            let connector = listening.pool.connector();
            listening.notices.listen(connector, opened).await;
        });
        // What other processes change from now on is heard. One that cannot listen now goes on
        // trying, and tells its subscribers then that they may have missed something.
        let most = room.pool.connector().timeout();
        drop(tokio::time::timeout(most, is_listening).await);
        let handle = Handle::current();
        drop(answer.send(Ok((room, replica, writer, handle))));
        // Only ever ends by the sender's going away.
        drop(closed.await);
        let finished = async {
            for lane in lanes {
                drop(lane.await);
            }
        };
        if tokio::time::timeout(CLOSE_WAIT, finished).await.is_err() {
            tracing::warn!("PostgreSQL took too long; writes that waited were given up");
        }
    });
    runtime.shutdown_background();
}

async fn start(
    config: &PostgresConfig,
    sealer: Arc<dyn Seal>,
    catalogue: Arc<dyn Model>,
) -> Result<(Arc<Room>, Arc<Pool>), StoreError> {
    let place = Location::from(config.clone()).to_string();
    let fault = |fault: Fault| fault.into_error("open", &place);
    let options = PoolOptions {
        connections: config.max_connections,
        wait: config.wait,
        keep: config.idle,
    };
    let connector = Connector::new(&config.server, &config.schema, config.timeout)?;
    let key = schema::prepare(&connector, &config.schema, &place, &*sealer)
        .await
        .map_err(fault)?;
    let pool = Pool::new(connector, &options);
    let replica = match &config.replica {
        Some(server) => {
            let connector = Connector::new(server, &config.schema, config.timeout)?;
            Pool::new(connector, &options)
        }
        None => pool.clone(),
    };
    let room = Arc::new(Room {
        pool,
        codec: Arc::new(Codec::new(catalogue, sealer, &key)),
        notices: Notices::new(&config.schema),
        place: place.clone(),
    });
    let lease = room.pool.lend().await.map_err(fault)?;
    room.notices.start(&lease).await.map_err(fault)?;
    lease.give_back();
    Ok((room, replica))
}
