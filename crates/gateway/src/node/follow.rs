//! Following the database: what is written there comes into use here.
//!
//! A burst of writes makes one configuration, and at most half of the time is spent on compiling.
//! A configuration that this node cannot run changes nothing; it is said once, stays visible in
//! `GET /status` and the next write is tried afresh. A database that is away changes nothing
//! either: the node goes on with what it has and looks again.

use std::sync::Arc;
use std::time::Duration;

use declarative::Config;
use store::{Changed, Store, StoreError};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::Instant;

use super::database::LOCAL_PLANE;
use crate::intake::{Intake, Refused};
use crate::snapshot::RowChange;

/// How long writes are gathered before they are compiled together.
const GATHER: Duration = Duration::from_millis(20);

/// How often the version is looked at when nothing is announced: an announcement may be lost
/// while a connection to the database is.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Pause after the database failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Brings what is stored into use.
#[derive(Debug)]
pub(super) struct Follower {
    store: Store,
    intake: Arc<Intake>,
    changes: broadcast::Receiver<Changed>,
    /// The version in use, or refused; `None` before the first.
    seen: Option<u64>,
    is_away: bool,
    /// What was said about the newest refused configuration.
    said: Option<String>,
}

impl Follower {
    /// Begins to listen; nothing is read yet.
    pub(super) fn new(store: Store, intake: Arc<Intake>) -> Self {
        Self {
            changes: store.subscribe(),
            store,
            intake,
            seen: None,
            is_away: false,
            said: None,
        }
    }

    /// Takes what is stored now into use. A configuration that cannot be used is said.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(super) async fn load(&mut self) -> Result<(), StoreError> {
        let export = self.store.export(LOCAL_PLANE).await?;
        let version = export.version;
        let config = Config {
            tables: export.open(),
        };
        let hash = hash_of(version);
        self.seen = Some(version);
        match self.intake.accept_config(config, hash).await {
            Ok(_) => self.said = None,
            Err(refused) => self.say(version, &refused),
        }
        Ok(())
    }

    /// Takes what was written since into use: the changed rows alone where these can be had and taken
    /// over, otherwise everything.
    async fn renew(&mut self) -> Result<(), StoreError> {
        if let Some(seen) = self.seen {
            let version = self.store.version(LOCAL_PLANE).await?;
            let between = self.store.changes_between(LOCAL_PLANE, seen, version);
            if let Some(changes) = between.await? {
                let (from, hash) = (hash_of(seen), hash_of(version));
                let changes = changes.into_iter().map(|own| RowChange {
                    kind: own.kind,
                    id: own.id,
                    body: own.after,
                });
                let accepted = self.intake.accept_changes(changes.collect(), &from, hash);
                if accepted.await.is_some() {
                    (self.seen, self.said) = (Some(version), None);
                    return Ok(());
                }
            }
        }
        self.load().await
    }

    /// Says what is wrong, once: further writes do not make it another fault.
    fn say(&mut self, version: u64, refused: &Refused) {
        let text = refused.to_string();
        if self.said.as_ref() == Some(&text) {
            return;
        }
        self.said = Some(text);
        tracing::error!(
            version,
            error = %refused,
            "the stored configuration cannot be used; the running one stays in use until it is \
             corrected through the Admin API"
        );
    }

    /// Follows until `end` says so.
    pub(super) async fn run(mut self, mut end: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = self.changed() => {}
                _ = end.wait_for(|end| *end) => return,
            }
            tokio::time::sleep(GATHER).await;
            while self.changes.try_recv().is_ok() {}
            let start = Instant::now();
            match self.renew().await {
                Ok(()) => {
                    if std::mem::take(&mut self.is_away) {
                        tracing::info!("the database is back");
                    }
                    tokio::time::sleep(start.elapsed()).await;
                }
                Err(error) => {
                    self.lost(&error);
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
            }
        }
    }

    /// Resolves when the stored version is another one than the one seen.
    async fn changed(&mut self) {
        if self.seen.is_none() {
            return;
        }
        loop {
            let announced = tokio::time::timeout(CHECK_INTERVAL, self.changes.recv()).await;
            match announced {
                Ok(Ok(changed)) if changed.control_plane == LOCAL_PLANE => {
                    if self.seen != Some(changed.version) {
                        return;
                    }
                }
                Ok(Ok(_)) => {}
                Ok(Err(RecvError::Lagged(_))) => return,
                // The store is this follower's own; it closes with the last handle.
                Ok(Err(RecvError::Closed)) => tokio::time::sleep(CHECK_INTERVAL).await,
                Err(_) => {
                    if self.has_moved().await {
                        return;
                    }
                }
            }
        }
    }

    async fn has_moved(&mut self) -> bool {
        match self.store.version(LOCAL_PLANE).await {
            Ok(version) => self.is_away || self.seen != Some(version),
            Err(error) => {
                self.lost(&error);
                false
            }
        }
    }

    /// Says once that the database is away.
    fn lost(&mut self, error: &StoreError) {
        if !std::mem::replace(&mut self.is_away, true) {
            tracing::error!(
                %error,
                "the database cannot be read; the node serves what it has and looks again"
            );
        }
    }
}

/// What a version of the database is called as a configuration.
fn hash_of(version: u64) -> String {
    format!("{version:032x}")
}
