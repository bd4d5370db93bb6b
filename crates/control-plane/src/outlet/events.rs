//! Acting on changes: new versions of stored configurations, revoked certificates, deleted
//! control planes.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use store::Changed;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::Inner;
use crate::model::PlaneEvent;

/// Starts the follower. It ends when the outlet is gone or the senders are.
pub(super) fn follow(inner: &Arc<Inner>) {
    let changes = inner.store.subscribe();
    let events = inner.planes.events();
    let weak = Arc::downgrade(inner);
    tokio::spawn(run(weak, changes, events));
}

async fn run(weak: Weak<Inner>, mut changes: Receiver<Changed>, mut events: Receiver<PlaneEvent>) {
    // When to look at what another process changed.
    let mut due = None;
    loop {
        let at = due.unwrap_or_else(Instant::now);
        let step = tokio::select! {
            change = changes.recv() => Step::Change(change),
            event = events.recv() => Step::Event(event),
            () = tokio::time::sleep_until(at), if due.is_some() => Step::Due,
        };
        let Some(inner) = weak.upgrade() else {
            return;
        };
        match step {
            // Another process changed nodes, certificates, control planes or members.
            Step::Change(Ok(changed)) if changed.control_plane.is_nil() => {
                due.get_or_insert_with(|| Instant::now() + OTHERS_SETTLE);
            }
            Step::Due => {
                due = None;
                if let Err(error) = inner.planes.learn_nodes().await {
                    tracing::warn!(%error, "the nodes of other platforms could not be read");
                }
                catch_up(&inner).await;
            }
            Step::Change(Ok(changed)) => {
                for space in inner.spaces.lock().all() {
                    if space.is_made_of(changed.control_plane) {
                        space.touch();
                    }
                }
            }
            Step::Event(Ok(event)) => act(&inner, event),
            Step::Change(Err(RecvError::Lagged(_))) | Step::Event(Err(RecvError::Lagged(_))) => {
                catch_up(&inner).await;
            }
            Step::Change(Err(RecvError::Closed)) | Step::Event(Err(RecvError::Closed)) => return,
        }
    }
}

/// How long changes of other processes gather before they are looked at.
const OTHERS_SETTLE: Duration = Duration::from_millis(500);

enum Step {
    Due,
    Change(Result<Changed, RecvError>),
    Event(Result<PlaneEvent, RecvError>),
}

fn act(inner: &Inner, event: PlaneEvent) {
    // First, so that a link being opened right now looks again.
    inner.epoch.fetch_add(1, Ordering::SeqCst);
    match event {
        PlaneEvent::CertificateRevoked {
            control_plane,
            certificate,
        } => {
            let space = inner.spaces.lock().get(control_plane);
            if let Some(space) = space {
                space.end_certificate(certificate);
            }
        }
        PlaneEvent::PlaneDeleted { control_plane } => {
            let space = inner.spaces.lock().remove(control_plane);
            if let Some(space) = space {
                space.end();
            }
        }
        PlaneEvent::MembersChanged { group } => {
            let space = inner.spaces.lock().get(group);
            if let Some(space) = space {
                space.touch();
            }
        }
    }
}

/// Notices were lost: looks at everything anew.
async fn catch_up(inner: &Inner) {
    inner.epoch.fetch_add(1, Ordering::SeqCst);
    let spaces = inner.spaces.lock().all();
    for space in spaces {
        match inner.planes.find(space.plane).await {
            Ok(None) => space.end(),
            Ok(Some(_)) => {
                if let Ok(pinned) = inner.planes.pinned(space.plane).await {
                    let ids: Vec<_> = pinned.iter().map(|pin| pin.id).collect();
                    space.end_others(&ids);
                }
                space.touch();
            }
            Err(error) => tracing::warn!(%error, "a control plane could not be looked at anew"),
        }
    }
}
