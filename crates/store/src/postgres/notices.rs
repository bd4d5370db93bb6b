//! Telling subscribers of new versions, those of other processes included.
//!
//! A transaction that makes a version also sends a notification, which the server delivers to
//! every process after the commit. A process that was not connected meanwhile compares the versions
//! it knows with those of the database. One that changes records does so too, under the nil id.

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{broadcast, oneshot};
use tokio_postgres::AsyncMessage;
use uuid::Uuid;

use super::fault::{Fault, Outcome};
use super::link::{Connector, Driver, Link, quoted};
use super::numbers::unsigned;
use crate::Changed;
use crate::limits::NOTICES_KEPT;

/// How often the versions are compared although notifications arrive.
const COMPARE_EVERY: Duration = Duration::from_secs(10);

/// How long after a failure the next connection is tried.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Bytes of the schema's hash in the name of the channel; notifications are per database.
const CHANNEL_HASH_BYTES: usize = 8;

/// Who is told, and what was told last.
pub(super) struct Notices {
    sender: broadcast::Sender<Changed>,
    known: Mutex<HashMap<Uuid, u64>>,
    /// Tells our own notifications from those of others.
    process: Uuid,
    /// The channel of the store.
    pub(super) channel: String,
}

impl Notices {
    pub(super) fn new(schema: &str) -> Self {
        use std::fmt::Write as _;
        let hash = pki::sha256(schema.as_bytes());
        let mut channel = "gatehouse_".to_owned();
        for byte in hash.iter().take(CHANNEL_HASH_BYTES) {
            // Writing into a string cannot fail.
            let _ = write!(channel, "{byte:02x}");
        }
        Self {
            sender: broadcast::channel(NOTICES_KEPT).0,
            known: Mutex::default(),
            process: clock::new_uuid(),
            channel,
        }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Changed> {
        self.sender.subscribe()
    }

    /// What a transaction tells the other processes.
    pub(super) fn payload(&self, plane: Uuid, version: u64) -> String {
        format!("{} {plane} {version}", self.process)
    }

    /// This process committed a version; 0 after everything of the control plane was removed.
    pub(super) fn committed(&self, plane: Uuid, version: u64) {
        self.remember(plane, version);
        self.send(plane, version);
    }

    fn remember(&self, plane: Uuid, version: u64) {
        let mut known = self.known.lock();
        if version == 0 {
            known.remove(&plane);
        } else {
            known.insert(plane, version);
        }
    }

    fn send(&self, control_plane: Uuid, version: u64) {
        // Nobody listening is no failure.
        drop(self.sender.send(Changed {
            control_plane,
            version,
        }));
    }

    /// Another process told something.
    fn heard(&self, payload: &str) {
        let mut words = payload.split(' ');
        let parsed = (|| {
            let process = Uuid::try_parse(words.next()?).ok()?;
            let plane = Uuid::try_parse(words.next()?).ok()?;
            Some((process, plane, words.next()?.parse::<u64>().ok()?))
        })();
        let Some((process, plane, version)) = parsed else {
            tracing::warn!("a notification of the store's channel is not of this release");
            return;
        };
        if process == self.process {
            return;
        }
        let known = self.known.lock().get(&plane).copied().unwrap_or(0);
        if version == 0 || version > known {
            self.committed(plane, version);
        }
    }

    /// Compares with the versions of the database and tells the differences.
    async fn compare(&self, link: &Link, is_first: bool) -> Outcome<()> {
        let before = self.known.lock().clone();
        let rows = link
            .query("SELECT control_plane, version FROM plane", &[])
            .await?;
        let mut found = HashSet::with_capacity(rows.len());
        for row in &rows {
            let (plane, version): (Uuid, i64) = (row.try_get(0)?, row.try_get(1)?);
            let version = unsigned(version);
            found.insert(plane);
            let known = self.known.lock().get(&plane).copied().unwrap_or(0);
            if version <= known {
                continue;
            }
            self.remember(plane, version);
            if !is_first {
                self.send(plane, version);
            }
        }
        for (plane, version) in before {
            let known = self.known.lock().get(&plane).copied();
            // One that was written meanwhile is not missing, it was too late for the question.
            if !found.contains(&plane) && known == Some(version) {
                self.committed(plane, 0);
            }
        }
        Ok(())
    }

    /// Learns the versions at the start, so that only later ones are news.
    pub(super) async fn start(&self, link: &Link) -> Outcome<()> {
        self.compare(link, true).await
    }

    /// Listens as long as the store is open; `opened` hears when that begins.
    pub(super) async fn listen(&self, connector: &Connector, opened: oneshot::Sender<()>) {
        let mut opened = Some(opened);
        loop {
            if let Err(fault) = self.listen_once(connector, &mut opened).await {
                let error = fault.into_error("listen at", &connector.place);
                tracing::debug!(%error, "listening for changes of other processes was interrupted");
            }
            // Versions are compared; of records nobody knows what is missed.
            self.committed(Uuid::nil(), 0);
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }

    /// Listens until the connection is lost.
    async fn listen_once(
        &self,
        connector: &Connector,
        opened: &mut Option<oneshot::Sender<()>>,
    ) -> Outcome<()> {
        let (client, driver) = connector.connect().await?;
        let link = Link::new(client, connector.timeout());
        let asking = async {
            link.batch(connector.session()).await?;
            link.batch(&format!("LISTEN {}", quoted(&self.channel)))
                .await?;
            // Who opens the store waits for this, so that nothing was missed before.
            let is_awaited = opened.take().is_some_and(|opened| opened.send(()).is_ok());
            if !is_awaited {
                self.committed(Uuid::nil(), 0);
            }
            loop {
                self.compare(&link, false).await?;
                tokio::time::sleep(COMPARE_EVERY).await;
            }
        };
        // Both run in this task: when one ends, the connection does.
        tokio::select! {
            ended = self.drive(driver) => ended,
            ended = asking => ended,
        }
    }

    async fn drive(&self, mut driver: Driver) -> Outcome<()> {
        while let Some(message) = poll_fn(|context| driver.poll_message(context)).await {
            if let AsyncMessage::Notification(notification) = message.map_err(Fault::from)? {
                self.heard(notification.payload());
            }
        }
        Ok(())
    }
}
