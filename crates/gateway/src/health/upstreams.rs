//! The groups in use.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use conf::DnsSettings;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::group::{EVENTS_MAX, Event, Group, GroupParts};
use super::view::GroupView;
use super::watch;
use crate::dns::Dns;

/// The upstreams of a node: shared by whoever compiles configurations, the data path, and the
/// Admin API.
pub struct Upstreams {
    dns: Arc<Dns>,
    running: Mutex<HashMap<Uuid, Running>>,
    events: mpsc::Sender<Event>,
    /// Taken by whoever logs.
    unlogged: Mutex<Option<mpsc::Receiver<Event>>>,
}

/// A group in use.
struct Running {
    group: Arc<Group>,
    /// What goes on beside its traffic.
    watch: Option<AbortHandle>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.abort();
        }
    }
}

impl Upstreams {
    /// No upstreams yet.
    #[must_use]
    pub fn new(settings: &DnsSettings) -> Self {
        let (events, unlogged) = mpsc::channel(EVENTS_MAX);
        Self {
            dns: Dns::with_patience(settings, patience()),
            running: Mutex::default(),
            unlogged: Mutex::new(Some(unlogged)),
            events,
        }
    }

    /// The node's resolver.
    #[must_use]
    pub const fn dns(&self) -> &Arc<Dns> {
        &self.dns
    }

    /// The group of an upstream for a configuration that is being compiled: the one in use, if it
    /// says the same.
    pub(crate) fn group(&self, parts: GroupParts) -> Arc<Group> {
        let running = self.running.lock();
        let before = running
            .get(&parts.upstream.id)
            .map(|own| Arc::clone(&own.group));
        drop(running);
        match before {
            Some(group) if group.is_of(&parts) => group,
            before => {
                let events = self.events.clone();
                Arc::new(Group::new(parts, &self.dns, before.as_deref(), events))
            }
        }
    }

    /// Watches these groups from now on, and no others. Without a runtime nothing is watched.
    pub fn activate(&self, groups: &[Arc<Group>]) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if let Some(unlogged) = self.unlogged.lock().take() {
            runtime.spawn(watch::log(unlogged));
        }
        let mut running = self.running.lock();
        let mut before = std::mem::take(&mut *running);
        for group in groups {
            let id = group.upstream().id;
            let same = before
                .remove(&id)
                .filter(|own| Arc::ptr_eq(&own.group, group));
            let own = same.unwrap_or_else(|| {
                let needs = group.rules.probes()
                    || group.rules.retry_after.is_some()
                    || group.targets.iter().any(|target| target.ip.is_none());
                let watching = watch::run(Arc::clone(group), Arc::clone(&self.dns));
                Running {
                    group: Arc::clone(group),
                    watch: needs.then(|| runtime.spawn(watching).abort_handle()),
                }
            });
            running.insert(id, own);
        }
    }

    /// Marks an address of a target (`ip:port`), or all of them, until something else is found
    /// out about it. A target or address that is not there is nobody's.
    ///
    /// Compat: an upstream without health checks has no marks.
    pub fn mark(&self, upstream: Uuid, target: &str, address: Option<&str>, is_healthy: bool) {
        let running = self.running.lock();
        let group = running.get(&upstream).map(|own| Arc::clone(&own.group));
        drop(running);
        let (Some(group), Ok(parts)) = (group, schema::validators::parse_address(target)) else {
            return;
        };
        let meant: Option<SocketAddr> = match address.map(str::parse) {
            None => None,
            Some(Ok(address)) => Some(address),
            Some(Err(_)) => return,
        };
        let target = (
            parts.host.as_str(),
            parts.port.unwrap_or(entities::DEFAULT_PORT),
        );
        group.mark(
            target,
            |own| meant.is_none_or(|meant| own == meant),
            is_healthy,
        );
    }

    /// How an upstream does; `None` while it is not in use.
    #[must_use]
    pub fn view(&self, upstream: Uuid) -> Option<GroupView> {
        let running = self.running.lock();
        let group = running.get(&upstream).map(|own| Arc::clone(&own.group))?;
        drop(running);
        Some(GroupView::of(&group))
    }
}

impl Upstreams {
    /// How all upstreams in use do, by name.
    pub(crate) fn views(&self) -> Vec<(String, GroupView)> {
        let running = self.running.lock();
        let groups: Vec<_> = running.values().map(|own| Arc::clone(&own.group)).collect();
        drop(running);
        let view = |group: &Arc<Group>| (group.name().to_owned(), GroupView::of(group));
        groups.iter().map(view).collect()
    }
}

/// Tests do not wait as long as the system would.
fn patience() -> Option<Duration> {
    cfg!(test).then_some(Duration::from_millis(100))
}

impl fmt::Debug for Upstreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstreams")
            .field("dns", &self.dns)
            .finish_non_exhaustive()
    }
}
