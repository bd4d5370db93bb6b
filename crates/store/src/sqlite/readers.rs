//! A few connections that only read, each used on a thread where blocking is fine.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::fault::{Fault, Outcome};
use super::open::open_reader;
use crate::StoreError;

/// Connections at work at the same time.
const READERS: usize = 4;

/// How long a read waits for a connection before it is turned away.
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

    /// Runs `work` in one read transaction: it sees one state of the database, whatever is
    /// written meanwhile.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let unavailable = |reason: &str| StoreError::Unavailable {
            reason: reason.to_owned(),
        };
        let place = tokio::time::timeout(READ_WAIT, self.places.clone().acquire_owned())
            .await
            .map_err(|_| unavailable("too many reads are waiting"))?
            .map_err(|_| unavailable("it is closing"))?;
        let (idle, path) = (self.idle.clone(), self.path.clone());
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            let reused = idle.lock().pop();
            let result = reused
                .map_or_else(|| open_reader(&path), Ok)
                .map_err(Fault::from)
                .and_then(|connection| {
                    let result = transact(&connection, work);
                    idle.lock().push(connection);
                    result
                });
            result.map_err(|fault| fault.into_error("read", &path))
        });
        // A panic inside the work, or a runtime that is going down.
        done.await
            .map_err(|_| unavailable("the read was interrupted"))?
    }
}

fn transact<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Outcome<T>,
) -> Outcome<T> {
    // Rolls back when dropped, which is all a reader needs.
    let transaction = connection.unchecked_transaction()?;
    work(&transaction)
}
