//! Carries the write-ahead log into the file (a checkpoint), off the path of the writer.
//!
//! SQLite would do it in the commit that makes the log long, whose caller then waits for hundreds
//! of pages and two further syncs. Here a thread of its own does it when nobody writes, or when the
//! log has become long all the same. It never decides what is durable: each commit is synced into
//! the log before it is answered, and SQLite keeps the log until the file itself is synced.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::fault::translate;
use super::open::open_carrier;
use crate::StoreError;

/// Pages in the log that are not carried yet at which it is done while requests come, too.
const PAGES_AT_MOST: u64 = 48 * 1024;

/// Pages in the log at which the writer waits until all is carried: whoever writes without a break
/// and faster than it can be carried is slowed down to that.
const PAGES_BOUND: u64 = 4 * PAGES_AT_MOST;

/// Pages not carried yet below which it is not worth a sync of the file.
const PAGES_AT_LEAST: u64 = 256;

/// Pages that the writer carries itself: what was added while the thread worked. Only when all is
/// carried does SQLite begin the log anew.
const PAGES_BY_WRITER: u64 = 4 * 1024;

/// Without a request for so long nobody writes.
const REST: Duration = Duration::from_millis(100);

/// Where the log stands, in pages.
#[derive(Default)]
struct Place {
    written: u64,
    carried: u64,
    /// How often it began anew.
    turn: u64,
}

#[derive(Default)]
struct Log {
    place: Mutex<Place>,
    /// One carries at a time; SQLite would send a second one away.
    turn: Mutex<()>,
}

impl Log {
    /// To be called with the length of the log at each commit.
    fn grew(&self, written: u64) {
        let mut place = self.place.lock();
        if written < place.written {
            place.turn += 1;
            place.carried = 0;
        }
        place.written = written;
    }

    /// Pages in the log, and those of them that are not carried.
    fn lengths(&self) -> (u64, u64) {
        let place = self.place.lock();
        (place.written, place.written.saturating_sub(place.carried))
    }

    fn carry(&self, connection: &Connection) -> rusqlite::Result<()> {
        let _mine = self.turn.lock();
        let turn = self.place.lock().turn;
        // PASSIVE: neither waits for readers nor stops the writer.
        let carried: i64 =
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(2))?;
        let mut place = self.place.lock();
        // The writer may have begun the log anew as soon as all was carried.
        if place.turn == turn {
            place.carried = u64::try_from(carried).unwrap_or(0);
        }
        Ok(())
    }
}

/// The thread, and when it is asked.
pub(super) struct Carrier {
    log: Arc<Log>,
    asking: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
    /// Pages in the log when the writer last carried by itself.
    tried_at: u64,
}

impl Carrier {
    /// Watches the log of the connection that writes.
    pub(super) fn start(writer: &mut Connection, path: PathBuf) -> Result<Self, StoreError> {
        let log = Arc::new(Log::default());
        let watched = log.clone();
        let watch = move |_: &mut Wal, pages| {
            watched.grew(u64::try_from(pages).unwrap_or(0));
            Ok(())
        };
        let fault = |error| translate(&error, "open the database", &path);
        writer.wal_hook(Some(watch)).map_err(fault)?;
        let connection = open_carrier(&path).map_err(fault)?;
        let (asking, asked) = sync_channel(1);
        let (carried, name) = (log.clone(), path.clone());
        let thread = std::thread::Builder::new()
            .name("store-carrier".to_owned())
            .spawn(move || work(&asked, &carried, &connection, &name))
            .map_err(|error| StoreError::Storage {
                action: "start the thread of the write-ahead log".to_owned(),
                detail: error.to_string(),
            })?;
        Ok(Self {
            log,
            asking: Some(asking),
            thread: Some(thread),
            path,
            tried_at: 0,
        })
    }

    /// How long without requests makes it worth to carry; nothing when there is nothing to carry.
    pub(super) fn rest(&self) -> Option<Duration> {
        (self.log.lengths().1 >= PAGES_AT_LEAST).then_some(REST)
    }

    /// To be called when there was no request for a while.
    pub(super) fn when_idle(&self) {
        if self.log.lengths().1 >= PAGES_AT_LEAST {
            self.ask();
        }
    }

    /// To be called by the writer between two groups.
    pub(super) fn after_group(&mut self, writer: &Connection) {
        let (written, waiting) = self.log.lengths();
        if written < self.tried_at {
            self.tried_at = 0;
        }
        if waiting >= PAGES_AT_MOST {
            self.ask();
        }
        let is_nearly_done = written >= PAGES_AT_MOST && waiting <= PAGES_BY_WRITER;
        // A reader may keep the log from beginning anew; then it is tried again some pages later.
        let is_new = written - self.tried_at >= PAGES_BY_WRITER;
        if is_new && (is_nearly_done || written >= PAGES_BOUND) {
            self.tried_at = written;
            self.log.carry(writer).unwrap_or_else(|error| {
                let error = translate(&error, "carry the write-ahead log", &self.path);
                tracing::warn!(%error, "the write-ahead log grows");
            });
        }
    }

    fn ask(&self) {
        if let Some(asking) = &self.asking {
            // One that waits covers this one.
            let _ = asking.try_send(());
        }
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.asking = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the write-ahead log ended in a panic");
        }
    }
}

fn work(asked: &Receiver<()>, log: &Log, connection: &Connection, path: &Path) {
    while asked.recv().is_ok() {
        if let Err(error) = log.carry(connection) {
            let error = translate(&error, "carry the write-ahead log", path);
            tracing::warn!(%error, "the write-ahead log grows");
        }
    }
}
