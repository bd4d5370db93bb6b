//! Everything one core owns. Nothing in it is shared with another core but the snapshot pointer,
//! the counters it writes and the sinks it fills.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use arc_swap::Cache;
use tokio::sync::Notify;

use super::access_log::AccessLog;
use super::attempt::Reached;
use super::balancing::Balancing;
use super::config::ProxyConfig;
use super::counters::CoreCounters;
use super::relay::Limits;
use super::runner::Runner;
use super::shelf::Shelf;
use super::work::Work;
use crate::dns::Dns;
use crate::h2::Http2Pool;
use crate::net::{Buffers, Pipes, Pool, Resolver, Ticks, Wheel};
use crate::snapshot::{SharedSnapshot, Snapshot};
use crate::telemetry::CoreSink;

/// A snapshot as a core holds it.
pub(crate) struct Pinned {
    pub(crate) snapshot: Arc<Snapshot>,
}

/// One core.
pub(crate) struct Core {
    pub(crate) config: ProxyConfig,
    pub(crate) ticks: Rc<Ticks>,
    pub(crate) wheel: Rc<Wheel>,
    pub(crate) buffers: Buffers,
    pub(crate) pipes: Rc<Pipes>,
    pub(crate) pool: Pool<Box<Reached>>,
    /// Connections to services that speak HTTP/2.
    pub(crate) http2: Rc<Http2Pool>,
    pub(crate) resolver: Resolver,
    /// Where each upstream stands on this core, over configurations.
    pub(crate) balancing: Balancing,
    pub(crate) counters: Arc<CoreCounters>,
    pub(crate) telemetry: CoreSink,
    pub(crate) access_log: AccessLog,
    /// That of layer 4.
    pub(crate) stream_log: AccessLog,
    /// Set when the core takes no new requests.
    pub(crate) is_draining: Cell<bool>,
    /// Set when connections that wait for a request are to end, some time after that.
    pub(crate) closes_idle: Cell<bool>,
    /// Tells idle connections that the core drains.
    pub(crate) drain: Rc<Notify>,
    /// Client connections open now.
    pub(crate) open: Cell<usize>,
    /// Told when the last of them has ended.
    pub(crate) emptied: Notify,
    pinned: RefCell<(SnapshotCache, Rc<Pinned>)>,
    works: Shelf<Box<Work>>,
    runners: Shelf<Runner>,
    date: RefCell<(u64, String)>,
}

/// What a core is made of.
pub(crate) struct CoreParts {
    pub(crate) number: usize,
    pub(crate) config: ProxyConfig,
    pub(crate) snapshot: SharedSnapshot,
    pub(crate) dns: Arc<Dns>,
    pub(crate) counters: Arc<CoreCounters>,
    pub(crate) telemetry: CoreSink,
    pub(crate) access_log: AccessLog,
    pub(crate) stream_log: AccessLog,
}

/// A core's own reference to the newest snapshot.
type SnapshotCache = Cache<SharedSnapshot, Arc<Snapshot>>;

impl Core {
    /// Sets up a core; call it on the core's own thread.
    pub(crate) fn new(parts: CoreParts) -> Rc<Self> {
        let ticks = Rc::new(Ticks::new());
        let mut cache = Cache::new(parts.snapshot);
        let pinned = Pinned {
            snapshot: Arc::clone(cache.load()),
        };
        Rc::new(Self {
            pool: Pool::new(parts.config.pool),
            wheel: Wheel::new(Rc::clone(&ticks)),
            ticks,
            buffers: Buffers::default(),
            pipes: Rc::default(),
            http2: Rc::default(),
            resolver: Resolver::new(parts.dns),
            balancing: Balancing::new(parts.number),
            counters: parts.counters,
            telemetry: parts.telemetry,
            access_log: parts.access_log,
            stream_log: parts.stream_log,
            is_draining: Cell::new(false),
            closes_idle: Cell::new(false),
            drain: Rc::default(),
            open: Cell::new(0),
            emptied: Notify::new(),
            pinned: RefCell::new((cache, Rc::new(pinned))),
            works: Shelf::default(),
            runners: Shelf::default(),
            date: RefCell::default(),
            config: parts.config,
        })
    }

    /// The snapshot in force, held without touching memory that other cores write.
    pub(crate) fn pinned(&self) -> Rc<Pinned> {
        let (cache, pinned) = &mut *self.pinned.borrow_mut();
        let current = cache.load();
        if !Arc::ptr_eq(current, &pinned.snapshot) {
            *pinned = Rc::new(Pinned {
                snapshot: Arc::clone(current),
            });
            self.balancing.retain(current);
        }
        Rc::clone(pinned)
    }

    /// Time limits of an exchange that has no service's.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            write: self.config.send_timeout,
            read: self.config.send_timeout,
            body: self.config.body_timeout,
            send: self.config.send_timeout,
        }
    }

    /// Hands out the state for a request.
    pub(crate) fn take_work(&self) -> Box<Work> {
        self.works.take().unwrap_or_default()
    }

    /// Takes the state of a finished request back.
    pub(crate) fn give_work(&self, mut work: Box<Work>) {
        work.clear();
        self.works.give(work);
    }

    /// Hands out memory to answer a request in.
    pub(crate) fn take_runner(&self) -> Runner {
        self.runners.take().unwrap_or_default()
    }

    /// Takes it back, once the request is answered.
    pub(crate) fn give_runner(&self, runner: Runner) {
        self.runners.give(runner);
    }

    /// Gives memory back that requests have not needed for a while.
    pub(crate) fn trim(&self) {
        self.works.trim();
        self.runners.trim();
    }

    /// Appends the current HTTP date.
    pub(crate) fn write_date(&self, out: &mut Vec<u8>) {
        let second = self.ticks.unix_micros(self.ticks.recent()) / 1_000_000;
        let mut date = self.date.borrow_mut();
        if date.0 != second || date.1.is_empty() {
            *date = (second, clock::http_date(second));
        }
        out.extend_from_slice(date.1.as_bytes());
    }
}
