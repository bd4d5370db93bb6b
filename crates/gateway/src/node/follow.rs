//! Following the database: what is written there comes into use here.
//!
//! A burst of writes makes one configuration, and at most half of the time is spent on compiling.
//! A configuration that this node cannot run changes nothing; it is said once, stays visible in
//! `GET /status` and the next write is tried afresh. A database that is away changes nothing
//! either: the node goes on with what it has and looks again.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use declarative::Config;
use store::{Change, Changed, Changes, Store, StoreError};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

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

/// Kinds that plugins keep while requests run. They look for a row that the configuration in use
/// does not hold in the database, so that a new one changes nothing of it.
const DATA: [&str; 4] = [
    "acme_storage",
    "oauth2_authorization_codes",
    "oauth2_tokens",
    "sessions",
];

/// How long rows of such kinds may wait to come into the configuration.
const DATA_INTERVAL: Duration = Duration::from_secs(60);

/// The newest version of changes that are nothing but data, of which no row is known.
fn only_new_data(changes: &[Change], known: &HashSet<Uuid>) -> Option<u64> {
    let is_data = changes
        .iter()
        .all(|change| DATA.contains(&change.kind.as_str()) && !known.contains(&change.id));
    changes.last().filter(|_| is_data).map(|last| last.version)
}

/// Brings what is stored into use.
#[derive(Debug)]
pub(super) struct Follower {
    store: Store,
    intake: Arc<Intake>,
    changes: broadcast::Receiver<Changed>,
    /// The version in use, or refused; `None` before the first.
    seen: Option<u64>,
    /// The version whose configuration was last handed in: what came since was passed over.
    used: Option<u64>,
    /// The rows of [`DATA`] in the configuration that was last read, and when that was.
    data: HashSet<Uuid>,
    read_at: Instant,
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
            used: None,
            data: HashSet::new(),
            read_at: Instant::now(),
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
        let rows = DATA.iter().flat_map(|kind| config.rows(kind));
        let ids = rows.filter_map(|row| row.get("id")?.as_str()?.parse().ok());
        self.data = ids.collect();
        self.read_at = Instant::now();
        let hash = hash_of(version);
        (self.seen, self.used) = (Some(version), Some(version));
        match self.intake.accept_config(config, hash).await {
            Ok(_) => self.said = None,
            Err(refused) => self.say(version, &refused),
        }
        Ok(())
    }

    /// Takes what was written since into use: the changed rows alone where these can be had and taken
    /// over, otherwise everything.
    async fn renew(&mut self) -> Result<(), StoreError> {
        if self.passes_over().await? {
            return Ok(());
        }
        if let Some((seen, used)) = self.seen.zip(self.used) {
            let version = self.store.version(LOCAL_PLANE).await?;
            let between = self.store.changes_between(LOCAL_PLANE, seen, version);
            if let Some(changes) = between.await? {
                let (from, hash) = (hash_of(used), hash_of(version));
                let changes = changes.into_iter().map(|own| RowChange {
                    kind: own.kind,
                    id: own.id,
                    body: own.after,
                });
                let accepted = self.intake.accept_changes(changes.collect(), &from, hash);
                if accepted.await.is_some() {
                    (self.seen, self.used, self.said) = (Some(version), Some(version), None);
                    return Ok(());
                }
            }
        }
        self.load().await
    }

    /// Passes over what happened since the version in use, if it was nothing but data, of which
    /// the configuration in use holds no row. Tells whether it did.
    async fn passes_over(&mut self) -> Result<bool, StoreError> {
        let Some(seen) = self.seen.filter(|_| self.read_at.elapsed() < DATA_INTERVAL) else {
            return Ok(false);
        };
        let Changes::Since(changes) = self.store.changes(LOCAL_PLANE, seen).await? else {
            return Ok(false);
        };
        let newest = only_new_data(&changes, &self.data);
        self.seen = newest.or(self.seen);
        Ok(newest.is_some())
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

#[cfg(test)]
mod tests {
    //! Facts about what is passed over.

    use store::ChangeKind;

    use super::*;

    fn change(version: u64, kind: &str, id: u128) -> Change {
        Change {
            version,
            kind: kind.to_owned(),
            id: Uuid::from_u128(id),
            change: ChangeKind::Written,
        }
    }

    #[test]
    fn new_data_is_passed_over_and_what_the_configuration_holds_is_not() {
        let known = HashSet::from([Uuid::from_u128(1)]);
        let token = |version, id| change(version, "oauth2_tokens", id);
        for (changes, newest) in [
            (vec![token(5, 2), change(6, "acme_storage", 3)], Some(6)),
            (vec![token(5, 2), token(6, 1)], None),
            (vec![token(5, 2), change(6, "routes", 3)], None),
            (Vec::new(), None),
        ] {
            assert_eq!(only_new_data(&changes, &known), newest, "{changes:?}");
        }
    }
}
