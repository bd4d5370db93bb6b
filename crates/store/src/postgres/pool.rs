//! A few connections to one server, lent for one piece of work at a time.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::fault::{Fault, Outcome};
use super::link::{Connector, Link};
use crate::StoreError;

/// Connections to one server.
pub(super) struct Pool {
    connector: Connector,
    idle: Mutex<Vec<(Link, Instant)>>,
    places: Arc<Semaphore>,
    wait: Duration,
    keep: Option<Duration>,
}

/// How a pool is used.
pub(super) struct PoolOptions {
    pub(super) connections: usize,
    pub(super) wait: Duration,
    pub(super) keep: Option<Duration>,
}

impl Pool {
    pub(super) fn new(connector: Connector, options: &PoolOptions) -> Arc<Self> {
        Arc::new(Self {
            connector,
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(options.connections.max(1))),
            wait: options.wait,
            keep: options.keep,
        })
    }

    pub(super) const fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Lends a connection, an idle one if there is one.
    pub(super) async fn lend(self: &Arc<Self>) -> Outcome<Lease> {
        let place = self.place().await?;
        let link = match self.take() {
            Some(link) => link,
            None => self.connector.link().await?,
        };
        Ok(self.lease(link, place))
    }

    /// Lends a connection that is made for this.
    pub(super) async fn lend_new(self: &Arc<Self>) -> Outcome<Lease> {
        // What is idle was most likely lost together with the one that is replaced.
        self.idle.lock().clear();
        let place = self.place().await?;
        let link = self.connector.link().await?;
        Ok(self.lease(link, place))
    }

    async fn place(&self) -> Outcome<OwnedSemaphorePermit> {
        let unavailable = |reason: &str| {
            Fault::Refused(StoreError::Unavailable {
                reason: reason.to_owned(),
            })
        };
        tokio::time::timeout(self.wait, self.places.clone().acquire_owned())
            .await
            .map_err(|_| unavailable("too many requests wait for a connection to PostgreSQL"))?
            .map_err(|_| unavailable("it is closing"))
    }

    fn take(&self) -> Option<Link> {
        let mut idle = self.idle.lock();
        if let Some(keep) = self.keep {
            idle.retain(|(_, since)| since.elapsed() < keep);
        }
        while let Some((link, _)) = idle.pop() {
            if !link.is_closed() {
                return Some(link);
            }
        }
        None
    }

    fn lease(self: &Arc<Self>, link: Link, place: OwnedSemaphorePermit) -> Lease {
        Lease {
            link,
            pool: self.clone(),
            place,
        }
    }
}

/// A connection on loan. One that is dropped instead of given back is closed, and the server
/// undoes what it had not committed.
pub(super) struct Lease {
    link: Link,
    pool: Arc<Pool>,
    place: OwnedSemaphorePermit,
}

impl Lease {
    /// Gives the connection back; nothing may be under way on it.
    pub(super) fn give_back(self) {
        let Self { link, pool, place } = self;
        if !link.is_closed() {
            pool.idle.lock().push((link, Instant::now()));
        }
        drop(place);
    }
}

impl std::ops::Deref for Lease {
    type Target = Link;
    fn deref(&self) -> &Link {
        &self.link
    }
}
